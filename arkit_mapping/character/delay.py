"""Delay added by smoothing, and its limit for a talking face.

Both figures are measured on the filter itself with small movements. A larger movement is delayed less, a smaller one
more.
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

MAX_MS = 10.0
"""Largest delay that smoothing may add, milliseconds. Chosen: well below one frame (16.7 ms), besides 67 ms of
look-ahead."""
SYLLABLE_HZ = 3.0
"""Approximate rate of jaw movements in speech."""
REFERENCE_SIZE = 0.1
"""Peak to peak, in weights or radians. Chosen: about the movement of the least active lip channels when the shipped
network speaks the bundled sentence (5th to 95th percentile: MouthUpperUp 0.08, MouthClose 0.09, JawOpen 0.34)."""
CLOSURE_S = 4 / FRAME_RATE
"""A fast closure, 67 ms from open to closed. Chosen: the shortest that 60 frames per second show as a movement and not
as a jump."""

_PHASES = np.arange(4) / 4
"""The movement is sampled at four phases between two frames, and the largest delay counts, as the phase is random."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds that smoothing adds."""

    syllable_ms: float
    """Phase delay of a movement at 3 Hz."""
    closure_ms: float
    """Delay of the midpoint of a closure in 67 ms."""

    @property
    def most_ms(self) -> float:
        """The larger of the two."""
        return max(self.syllable_ms, self.closure_ms)


@lru_cache(maxsize=256)
def added_delay(smoothing: Smoothing) -> Delay:
    """Delay that a smoothing adds to the two reference movements."""
    return Delay(_syllable_ms(smoothing), _closure_ms(smoothing))


def check_delay(name: str, smoothing: Smoothing) -> None:
    """Check that a smoothing adds at most `MAX_MS`.

    Parameters
    ----------
    name
        Channel or group, for the message.
    smoothing
        The filter's numbers.

    Raises
    ------
    CharacterError
        It adds more; the message has the delay and the nearest allowed numbers.
    """
    delay = added_delay(smoothing)
    if delay.most_ms <= MAX_MS:
        return
    cutoff_hz = _nearest(MIN_CUTOFFS_HZ, lambda value: Smoothing(value, smoothing.beta))
    beta = _nearest(BETAS, lambda value: Smoothing(smoothing.min_cutoff_hz, value))
    allowed = [f"min_cutoff_hz {cutoff_hz:g}"] * (cutoff_hz is not None) + [f"beta {beta:g}"] * (beta is not None)
    raise CharacterError(
        f"smoothing of {name}: got min_cutoff_hz {smoothing.min_cutoff_hz:g} and beta {smoothing.beta:g}, which delay "
        "speech by "
        f"{delay.most_ms:.1f} ms, expected at most {MAX_MS:g}; nearest allowed: {' or '.join(allowed)}"
    )


def _nearest(bounds: tuple[float, float], smoothing: Callable[[float], Smoothing]) -> float | None:
    """The smallest allowed number within the bounds, in steps of 0.1; None when none is allowed. The delay decreases as
    the number grows."""
    low, high = (round(10 * bound) for bound in bounds)
    if added_delay(smoothing(high / 10)).most_ms > MAX_MS:
        return None
    while low < high:
        middle = (low + high) // 2
        if added_delay(smoothing(middle / 10)).most_ms <= MAX_MS:
            high = middle
        else:
            low = middle + 1
    return high / 10


def _syllable_ms(smoothing: Smoothing) -> float:
    """Delay from the phase of the fundamental, over one period, after three periods to settle."""
    period = round(FRAME_RATE / SYLLABLE_HZ)
    settle = 3 * period
    t_s = (np.arange(settle + period)[:, None] + _PHASES) / FRAME_RATE
    moved = REFERENCE_SIZE / 2 * (1 - np.cos(math.tau * SYLLABLE_HZ * t_s))
    carrier = np.exp(-1j * math.tau * SYLLABLE_HZ * t_s[settle:])
    before, after = ((rows[settle:] * carrier).sum(axis=0) for rows in (moved, _smoothed(moved, smoothing)))
    return float(np.angle(before / after).max()) / (math.tau * SYLLABLE_HZ) * 1000


def _closure_ms(smoothing: Smoothing) -> float:
    t_s = (np.arange(-2, 26)[:, None] + _PHASES) / FRAME_RATE
    part = np.clip(t_s / CLOSURE_S, 0, 1)
    smooth = _smoothed(REFERENCE_SIZE * (1 - part * part * (3 - 2 * part)), smoothing)
    return 1000 * max(_half_done_s(t_s[:, phase], smooth[:, phase]) - CLOSURE_S / 2 for phase in range(len(_PHASES)))


def _half_done_s(t_s: NDArray[np.float64], closing: Poses) -> float:
    return float(np.interp(-REFERENCE_SIZE / 2, -closing, t_s))


def _smoothed(movements: NDArray[np.float64], smoothing: Smoothing) -> Poses:
    """Smooth each column as a separate channel; the first channels are eyelids, which have no lip rule."""
    channels = range(movements.shape[1])
    poses = np.zeros((len(movements), len(CHANNELS_61)), np.float32)
    poses[:, channels] = movements
    return Smoother(dict.fromkeys(channels, smoothing)).push(poses)[:, channels]
