"""Where the eyes look: at the partner's face in small steps, and now and then away."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.liveliness import eyes
from arkit_mapping.liveliness.prosody import Heard
from arkit_mapping.liveliness.track import Curve, Track, lognormal, poses_of

AT_PARTNER_S = {True: (3.13, 3.16), False: (7.92, 1.57)}
AWAY_S = {True: (0.93, 0.80), False: (0.43, 0.24)}
"""Mean and standard deviation, seconds, for a face that speaks (True) or listens: 93.9, 94.9, 237.5, 47.1, 27.8, 24.0,
13.0 and 7.1 pictures at 30 a second in Lee, Badler & Badler, Eyes Alive (SIGGRAPH 2002)."""
AWAY_MEAN_DEG = 6.9
"""Amplitudes fall off as exp(-degrees / 6.9) (Eyes Alive)."""
AWAY_DEG = (2.5, 11.0)
"""Cut to this: the head stays, and a look at somebody on a screen wanders little. Eyes Alive cut at 27.5 where the head
moved along."""
UP_AND_DOWN = 0.55
"""Vertical shifts are smaller than horizontal ones by this; ours."""
DIRECTIONS = (15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79)
"""How often, in percent, a look goes each way, in eighths of a turn from sideways over up (Eyes Alive)."""
BACK_AT_PAUSE = 0.7
"""Chance that a speaker who looks away looks back as a pause begins: speakers look up at the ends of phrases (Kendon
1967)."""
FIXATION_S = (0.75, 0.5)
"""Mean and standard deviation of one look at one spot of the partner's face; fixations on faces last 0.2-1 s."""
SPOTS_DEG = (1.1, 0.8)
"""Standard deviation of those spots, across and up: a face 1 m away is some 9 degrees wide, eyes to mouth 4."""
SACCADE_S, SACCADE_S_PER_DEG = 0.025, 0.0024
"""How long the eyes move: the main sequence (Eyes Alive: 20-30 ms and 2-2.7 ms per degree)."""


class Gaze:
    """Looks, as `eyes.look` makes them of yaw and pitch."""

    def __init__(self, rng: Random, amount: float = 1.0) -> None:
        """`amount`: times the angles; 0 is eyes straight ahead."""
        self._rng = rng
        self._amount = amount
        self._track = Track(eyes.LOOK)
        self._angles = (0.0, 0.0)
        self._target = (0.0, 0.0)
        self._away = False
        self._phase_ends = poses_of(lognormal(rng, *AT_PARTNER_S[False]))
        self._next = poses_of(lognormal(rng, *FIXATION_S))

    def step(self, first: int, heard: Heard) -> tuple[Curve, list[tuple[int, float]]]:
        """float32 (poses, eyes.LOOK) and the poses at which the eyes set off, with how far they go in degrees."""
        shifts: list[tuple[int, float]] = []
        for pose in heard.pauses:
            self._until(pose, first, heard, shifts)
            if self._away and self._rng.random() < BACK_AT_PAUSE:
                self._phase_ends = pose
                shifts.append(self._shift(pose, speaking=False))
        end = first + len(heard.speaking)
        self._until(end, first, heard, shifts)
        return self._track.read(first, end - first), shifts

    def _until(self, end: int, first: int, heard: Heard, shifts: list[tuple[int, float]]) -> None:
        while self._next < end:
            shifts.append(self._shift(self._next, speaking=bool(heard.speaking[self._next - first])))

    def _shift(self, at: int, *, speaking: bool) -> tuple[int, float]:
        self._look(at, speaking)
        start, scale = self._angles, math.radians(self._amount)
        self._angles = (scale * self._target[0], scale * self._target[1])
        degrees = math.degrees(math.dist(start, self._angles))
        self._track.follow(at, saccade(start, self._angles, degrees, self._rng.random()))
        lasts = poses_of(max(0.2, lognormal(self._rng, *FIXATION_S)))
        self._next = max(at + 6, min(at + lasts, self._phase_ends)) if self._phase_ends > at else at + lasts
        return at, degrees

    def _look(self, at: int, speaking: bool) -> None:
        changes = at >= self._phase_ends
        if changes:
            self._away = not self._away
            lasts = lognormal(self._rng, *(AWAY_S if self._away else AT_PARTNER_S)[speaking])
            self._phase_ends = at + poses_of(max(0.25, lasts))
        if changes and self._away:
            self._target = self._elsewhere()
        else:
            around = self._target if self._away else (0.0, 0.0)
            self._target = (self._rng.gauss(around[0], SPOTS_DEG[0]), self._rng.gauss(around[1], SPOTS_DEG[1]))

    def _elsewhere(self) -> tuple[float, float]:
        eighth = self._rng.choices(range(8), DIRECTIONS)[0] + self._rng.uniform(-0.5, 0.5)
        degrees = min(max(self._rng.expovariate(1 / AWAY_MEAN_DEG), AWAY_DEG[0]), AWAY_DEG[1])
        turn = eighth * math.pi / 4
        return degrees * math.cos(turn), -degrees * UP_AND_DOWN * math.sin(turn)


def saccade(start: tuple[float, float], end: tuple[float, float], degrees: float, begun: float) -> Curve:
    """The poses of one jump of the eyes, which began `begun` of a pose before the first of them: float32 (poses,
    eyes.LOOK)."""
    lasts = (SACCADE_S + SACCADE_S_PER_DEG * degrees) * FRAME_RATE
    rows = []
    for pose in range(math.ceil(lasts) + 1):
        part = min((pose + begun) / lasts, 1.0)
        part *= part * (3 - 2 * part)
        rows.append(eyes.look(start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part))
    return np.array(rows, np.float32)
