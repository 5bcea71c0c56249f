"""How much later a smoothed movement comes, and what smoothing a talking face can bear.

Both figures are taken from the filter itself on small movements. A larger movement comes sooner, a smaller one later.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.character.entries import CharacterError, Poses
from arkit_mapping.character.smoothing import BETAS, MIN_CUTOFFS_HZ, Smoother, Smoothing

MOST_MS = 10.0
"""The most that smoothing may add. Chosen: well under a pose (16.7 ms), next to 67 ms of look-ahead."""
SYLLABLE_HZ = 3.0
"""Jaws go up and down about this often in speech."""
REFERENCE_SIZE = 0.1
"""Peak to peak, of a weight's range or in radians. Chosen: about what the lips' least channels move by in the bundled
sentence as the shipped network speaks it (5th to 95th percentile: MouthUpperUp 0.08, MouthClose 0.09, JawOpen 0.34)."""
CLOSURE_S = 4 / FRAME_RATE
"""A quick closure, 67 ms from open to shut. Chosen: the shortest that 60 poses a second draw as a movement and not a
jump."""

_PHASES = np.arange(4) / 4
"""The movement is drawn at four phases between two poses, and the latest counts: what a pose hits is chance."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds that smoothing adds."""

    syllable_ms: float
    """To a movement of 3 Hz: its phase, taken as time."""
    closure_ms: float
    """To a closure in 67 ms: the moment at which it is half done."""

    @property
    def most_ms(self) -> float:
        return max(self.syllable_ms, self.closure_ms)


@lru_cache(maxsize=256)
def added_delay(smoothing: Smoothing) -> Delay:
    """What a smoothing adds to the two reference movements."""
    return Delay(_syllable_ms(smoothing), _closure_ms(smoothing))


def check_delay(name: str, smoothing: Smoothing) -> None:
    """Raises CharacterError, with the figure and the nearest numbers that are allowed, where a smoothing adds more than
    `MOST_MS`."""
    delay = added_delay(smoothing)
    if delay.most_ms <= MOST_MS:
        return
    cutoff_hz = _nearest(MIN_CUTOFFS_HZ, lambda value: Smoothing(value, smoothing.beta))
    beta = _nearest(BETAS, lambda value: Smoothing(smoothing.min_cutoff_hz, value))
    allowed = [f"min_cutoff_hz {cutoff_hz:g}"] * (cutoff_hz is not None) + [f"beta {beta:g}"] * (beta is not None)
    raise CharacterError(
        f"smoothing of {name}: got min_cutoff_hz {smoothing.min_cutoff_hz:g} and beta {smoothing.beta:g}, which delay "
        "speech by "
        f"{delay.most_ms:.1f} ms, expected at most {MOST_MS:g}; nearest allowed: {' or '.join(allowed)}"
    )


def _nearest(bounds: tuple[float, float], smoothing: Callable[[float], Smoothing]) -> float | None:
    """The lowest tenth within the bounds that is allowed; the delay falls as the number grows. None where none is."""
    low, high = (round(10 * bound) for bound in bounds)
    if added_delay(smoothing(high / 10)).most_ms > MOST_MS:
        return None
    while low < high:
        middle = (low + high) // 2
        if added_delay(smoothing(middle / 10)).most_ms <= MOST_MS:
            high = middle
        else:
            low = middle + 1
    return high / 10


def _syllable_ms(smoothing: Smoothing) -> float:
    """From the phase of the fundamental, over one period, after three to settle."""
    period = round(FRAME_RATE / SYLLABLE_HZ)
    settle = 3 * period
    t_s = (np.arange(settle + period)[:, None] + _PHASES) / FRAME_RATE
    moved = REFERENCE_SIZE / 2 * (1 - np.cos(math.tau * SYLLABLE_HZ * t_s))
    turn = np.exp(-1j * math.tau * SYLLABLE_HZ * t_s[settle:])
    came, went = ((rows[settle:] * turn).sum(axis=0) for rows in (moved, _smoothed(moved, smoothing)))
    return float(np.angle(came / went).max()) / (math.tau * SYLLABLE_HZ) * 1000


def _closure_ms(smoothing: Smoothing) -> float:
    t_s = (np.arange(-2, 26)[:, None] + _PHASES) / FRAME_RATE
    part = np.clip(t_s / CLOSURE_S, 0, 1)
    smooth = _smoothed(REFERENCE_SIZE * (1 - part * part * (3 - 2 * part)), smoothing)
    return 1000 * max(_half_done_s(t_s[:, phase], smooth[:, phase]) - CLOSURE_S / 2 for phase in range(len(_PHASES)))


def _half_done_s(t_s: NDArray[np.float64], closing: Poses) -> float:
    return float(np.interp(-REFERENCE_SIZE / 2, -closing, t_s))


def _smoothed(movements: NDArray[np.float64], smoothing: Smoothing) -> Poses:
    """Each column smoothed as a channel of its own: the first ones, eyelids, which know nothing of lips."""
    channels = range(movements.shape[1])
    poses = np.zeros((len(movements), len(CHANNELS_61)), np.float32)
    poses[:, channels] = movements
    return Smoother(dict.fromkeys(channels, smoothing)).push(poses)[:, channels]
