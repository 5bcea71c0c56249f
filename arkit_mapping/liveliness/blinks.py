"""Blinks: their timing and the motion of the lids."""

from __future__ import annotations

from random import Random

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.liveliness.prosody import VoiceEvents
from arkit_mapping.liveliness.track import Curve, Track, lognormal

SILENT_PER_MIN, SPEAKING_PER_MIN = 14, 15
"""Spontaneous blinks per minute. With those at pauses and gaze shifts a silent face reaches 17 per minute and a talking
one 26, the means of 150 people at rest and in conversation (Bentivoglio et al. 1997; Doughty 2001 gives 8-21 and
10-32)."""
AT_PAUSE = 0.75
"""Fraction of pauses that begin with a blink. Speakers blink at the ends of and in pauses (Nakano & Kitazawa 2010); the
fraction is this project's own choice."""
PAUSE_DELAY_S = 0.25
"""Largest delay of such a blink after the detection of the pause."""
AT_SHIFT = 0.025
"""Probability of a blink per degree of a gaze shift: larger shifts make it more likely (Evinger et al. 1994); the slope
is this project's own choice."""
INTERVAL_SPREAD = 0.6
"""Standard deviation of the intervals over their mean; the intervals of one person are skewed, many short and few
long."""
APART_S = 0.45
"""Shortest time between the starts of two blinks, except for double blinks."""
DOUBLE = 0.06
"""Fraction of double blinks; this project's own choice."""
PARTIAL = 0.15
"""Fraction of blinks that stay open by a quarter. People watching a film do so far more often (Ousler et al. 2014: half
of all blinks), but complete ones look more natural on a face (Trutoiu et al. 2011)."""

CLOSING_S, CLOSED_S, OPENING_S = (0.075, 0.015), (0.022, 0.008), (0.19, 0.045)
"""Mean and standard deviation, seconds. Lids close in 66-100 ms, stay closed for 10 ms or slightly more and open more
slowly, fast at first (Stern et al. 1984; VanderWerf et al. 2003; Trutoiu et al. 2011). Closed lasts at least one frame,
or 60 Hz would miss it."""
BETWEEN_EYES_S = 0.003
"""Standard deviation of the lag between the eyes."""

_UNIT = 3600 * 1000
"""Phase of one interval. Each frame adds 1000 times the rate per minute, as an integer: such sums are the same for any
chunking."""


class Blinks:
    """Generates the closure of both lids, 0 to 1."""

    def __init__(self, rng: Random, amount: float = 1.0) -> None:
        """`amount` is a factor of the human rate; 0 is none."""
        self._rng = rng
        self._amount = amount
        self._rates = (round(1000 * SILENT_PER_MIN * amount), round(1000 * SPEAKING_PER_MIN * amount))
        self._phase = 0
        self._due = self._interval()
        self._asked: list[int] = []
        self._free_from = 0
        self._track = Track(2)

    def step(self, first: int, voice: VoiceEvents, shifts: list[tuple[int, float]]) -> Curve:
        """Closure of the next frames.

        Parameters
        ----------
        first
            Number of the first frame.
        voice
            Voice events of these frames.
        shifts
            Frames at which gaze shifts begin, and their size in degrees.

        Returns
        -------
        float32 (frames, 2), left and right, 0 to 1
        """
        end = first + len(voice.speaking)
        spoken = int(np.count_nonzero(voice.speaking))
        phase_at_end = self._phase + spoken * self._rates[1] + (end - first - spoken) * self._rates[0]
        if voice.pauses or shifts or self._asked or self._due <= phase_at_end:
            self._decide(first, end, voice, shifts)
        self._phase = phase_at_end
        return self._track.read(first, end - first)

    def _decide(self, first: int, end: int, voice: VoiceEvents, shifts: list[tuple[int, float]]) -> None:
        phases = self._phase + np.cumsum(np.where(voice.speaking, self._rates[1], self._rates[0]))
        causes = [(pose, AT_PAUSE, PAUSE_DELAY_S) for pose in voice.pauses]
        causes += [(pose, AT_SHIFT * degrees, 0.0) for pose, degrees in shifts]
        for pose, chance, delay_s in sorted(causes):
            self._until(pose, first, phases)
            if self._rng.random() < chance * min(1.0, self._amount):
                self._asked.append(pose + round(self._rng.random() * delay_s * FRAME_RATE))
        self._until(end, first, phases)

    def _until(self, end: int, first: int, phases: np.ndarray) -> None:
        while True:
            by_itself = first + int(np.searchsorted(phases, self._due))
            at = min([by_itself, *self._asked])
            if at >= end:
                return
            self._asked = [pose for pose in self._asked if pose > at]
            if at >= self._free_from:
                self._begin(at)
            self._due = int(phases[at - first]) + self._interval()

    def _interval(self) -> int:
        return round(_UNIT * lognormal(self._rng, 1.0, INTERVAL_SPREAD))

    def _begin(self, at: int) -> None:
        curve = one_blink(self._rng)
        if self._rng.random() < DOUBLE:
            curve = np.concatenate([curve[: -len(curve) // 4], one_blink(self._rng)])
        self._track.follow(at, curve)
        self._free_from = at + max(round(APART_S * FRAME_RATE), len(curve))


def one_blink(rng: Random) -> Curve:
    """One blink, from its first moved frame until the lids are open: float32 (frames, 2), 0 to 1, both eyes nearly in
    sync."""
    closing, opening = (max(0.05, lognormal(rng, *spread)) for spread in (CLOSING_S, OPENING_S))
    closed = max(1 / FRAME_RATE, lognormal(rng, *CLOSED_S))
    depth = rng.uniform(0.6, 0.9) if rng.random() < PARTIAL else rng.uniform(0.97, 1.0)
    lag = rng.gauss(0.0, BETWEEN_EYES_S)
    begun = rng.random() / FRAME_RATE
    poses = int((closing + closed + opening + abs(lag)) * FRAME_RATE) + 2
    seconds = (np.arange(poses) / FRAME_RATE + begun)[:, None] - np.array([max(lag, 0.0), max(-lag, 0.0)])
    down = _ease(seconds / closing)
    up = _ease(np.maximum((seconds - closing - closed) / opening, 0) ** 0.7)
    return np.asarray(depth * down * (1 - up), np.float32)


def _ease(part: np.ndarray) -> np.ndarray:
    part = np.minimum(np.maximum(part, 0), 1)
    eased: np.ndarray = part * part * (3 - 2 * part)
    return eased
