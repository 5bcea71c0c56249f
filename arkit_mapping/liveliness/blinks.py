"""Blinks: when they come and how the lids move."""

from __future__ import annotations

from random import Random

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.liveliness.prosody import Heard
from arkit_mapping.liveliness.track import Curve, Track, lognormal

SILENT_PER_MIN, SPEAKING_PER_MIN = 14, 15
"""Blinks that come by themselves. With those at pauses and at shifts of the gaze a silent face comes to 17 a minute and
a talking one to 26, the means of 150 people at rest and in conversation (Bentivoglio et al. 1997; Doughty 2001 gives
8-21 and 10-32)."""
AT_PAUSE = 0.75
"""How many pauses begin with a blink. Speakers blink at the ends of and in pauses (Nakano & Kitazawa 2010); the share
is ours."""
PAUSE_DELAY_S = 0.25
"""At most so long after the pause is noticed."""
AT_SHIFT = 0.025
"""Chance of a blink per degree of a gaze shift: the wider the shift the likelier (Evinger et al. 1994); the slope is
ours."""
INTERVAL_SPREAD = 0.6
"""Standard deviation of the intervals over their mean; the intervals of one person are skewed, many short and few
long."""
APART_S = 0.45
"""No blink is begun sooner after the last one began, but for doubles."""
DOUBLE = 0.06
"""Share of blinks that are two in a row; ours."""
PARTIAL = 0.15
"""Share that stay open by a quarter. People watching a film do so far oftener (Ousler et al. 2014: half of all blinks),
but complete ones look more natural on a face (Trutoiu et al. 2011)."""

CLOSING_S, CLOSED_S, OPENING_S = (0.075, 0.015), (0.022, 0.008), (0.19, 0.045)
"""Mean and standard deviation, seconds. Lids come down in 66-100 ms, stay for 10 ms or a little more and open more
slowly, fast at first (Stern et al. 1984; VanderWerf et al. 2003; Trutoiu et al. 2011). Closed lasts a pose at least, or
60 Hz would miss it."""
BETWEEN_EYES_S = 0.003
"""Standard deviation of one eye's lag behind the other."""

_UNIT = 3600 * 1000
"""Phase of one interval. A pose adds 1000 times the rate per minute, in whole numbers: sums of those are the same in
any portions."""


class Blinks:
    """Both lids' closure, 0 to 1."""

    def __init__(self, rng: Random, amount: float = 1.0) -> None:
        """`amount`: times the human rate; 0 is none."""
        self._rng = rng
        self._amount = amount
        self._rates = (round(1000 * SILENT_PER_MIN * amount), round(1000 * SPEAKING_PER_MIN * amount))
        self._phase = 0
        self._due = self._interval()
        self._asked: list[int] = []
        self._free_from = 0
        self._track = Track(2)

    def step(self, first: int, heard: Heard, shifts: list[tuple[int, float]]) -> Curve:
        """float32 (poses, 2), left and right. `shifts`: poses at which the eyes set off, and how far they go in
        degrees."""
        end = first + len(heard.speaking)
        spoken = int(np.count_nonzero(heard.speaking))
        phase_at_end = self._phase + spoken * self._rates[1] + (end - first - spoken) * self._rates[0]
        if heard.pauses or shifts or self._asked or self._due <= phase_at_end:
            self._decide(first, end, heard, shifts)
        self._phase = phase_at_end
        return self._track.read(first, end - first)

    def _decide(self, first: int, end: int, heard: Heard, shifts: list[tuple[int, float]]) -> None:
        phases = self._phase + np.cumsum(np.where(heard.speaking, self._rates[1], self._rates[0]))
        causes = [(pose, AT_PAUSE, PAUSE_DELAY_S) for pose in heard.pauses]
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
    """A blink from its first moved pose until the lids are open: float32 (poses, 2), the eyes nearly together."""
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
