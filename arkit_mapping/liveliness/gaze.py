"""Gaze: at the partner's face in small steps, and occasionally away."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.liveliness import eyes
from arkit_mapping.liveliness.prosody import VoiceEvents
from arkit_mapping.liveliness.track import Curve, Track, lognormal, poses_of

AT_PARTNER_S = {True: (3.13, 3.16), False: (7.92, 1.57)}
AWAY_S = {True: (0.93, 0.80), False: (0.43, 0.24)}
"""Mean and standard deviation, seconds, for a face that speaks (True) or listens: 93.9, 94.9, 237.5, 47.1, 27.8, 24.0,
13.0 and 7.1 frames at 30 per second in Lee, Badler & Badler, Eyes Alive (SIGGRAPH 2002)."""
AWAY_MEAN_DEG = 6.9
"""Amplitudes decay as exp(-degrees / 6.9) (Eyes Alive)."""
AWAY_DEG = (2.5, 11.0)
"""Limits of the amplitude: the head does not turn, and the gaze at a person on a screen moves little. Eyes Alive
limited it to 27.5 with a moving head."""
UP_AND_DOWN = 0.55
"""Size of vertical shifts relative to horizontal ones; this project's own choice."""
DIRECTIONS = (15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79)
"""Frequency of each direction in percent, in eighths of a turn from sideways over up (Eyes Alive)."""
BACK_AT_PAUSE = 0.7
"""Probability that a speaker who looks away looks back when a pause begins: speakers look up at the ends of phrases
(Kendon 1967)."""
FIXATION_S = (0.75, 0.5)
"""Mean and standard deviation of one fixation of the partner's face, seconds; fixations on faces last 0.2-1 s."""
SPOTS_DEG = (1.1, 0.8)
"""Standard deviation of the fixated points, horizontal and vertical: a face 1 m away is about 9 degrees wide, from eyes
to mouth 4."""
SACCADE_S, SACCADE_S_PER_DEG = 0.025, 0.0024
"""Duration of a saccade: the main sequence (Eyes Alive: 20-30 ms and 2-2.7 ms per degree)."""


class Gaze:
    """Generates gaze, as the columns of `eyes.look`."""

    def __init__(self, rng: Random, amount: float = 1.0) -> None:
        """`amount` is a factor of the angles; 0 is eyes straight ahead."""
        self._rng = rng
        self._amount = amount
        self._track = Track(eyes.LOOK)
        self._angles = (0.0, 0.0)
        self._target = (0.0, 0.0)
        self._away = False
        self._phase_ends = poses_of(lognormal(rng, *AT_PARTNER_S[False]))
        self._next = poses_of(lognormal(rng, *FIXATION_S))

    def step(self, first: int, voice: VoiceEvents) -> tuple[Curve, list[tuple[int, float]]]:
        """Gaze of the next frames.

        Parameters
        ----------
        first
            Number of the first frame.
        voice
            Voice events of these frames.

        Returns
        -------
        looks
            float32 (frames, eyes.LOOK).
        shifts
            Frames at which gaze shifts begin, and their size in degrees.
        """
        shifts: list[tuple[int, float]] = []
        for pose in voice.pauses:
            self._until(pose, first, voice, shifts)
            if self._away and self._rng.random() < BACK_AT_PAUSE:
                self._phase_ends = pose
                shifts.append(self._shift(pose, speaking=False))
        end = first + len(voice.speaking)
        self._until(end, first, voice, shifts)
        return self._track.read(first, end - first), shifts

    def _until(self, end: int, first: int, voice: VoiceEvents, shifts: list[tuple[int, float]]) -> None:
        while self._next < end:
            shifts.append(self._shift(self._next, speaking=bool(voice.speaking[self._next - first])))

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
            self._target = self._away_target()
        else:
            centre = self._target if self._away else (0.0, 0.0)
            self._target = (self._rng.gauss(centre[0], SPOTS_DEG[0]), self._rng.gauss(centre[1], SPOTS_DEG[1]))

    def _away_target(self) -> tuple[float, float]:
        eighth = self._rng.choices(range(8), DIRECTIONS)[0] + self._rng.uniform(-0.5, 0.5)
        degrees = min(max(self._rng.expovariate(1 / AWAY_MEAN_DEG), AWAY_DEG[0]), AWAY_DEG[1])
        turn = eighth * math.pi / 4
        return degrees * math.cos(turn), -degrees * UP_AND_DOWN * math.sin(turn)


def saccade(start: tuple[float, float], end: tuple[float, float], degrees: float, begun: float) -> Curve:
    """The frames of one saccade.

    Parameters
    ----------
    start, end
        Yaw and pitch, radians.
    degrees
        Its size.
    begun
        Fraction of a frame by which it began before the first one.

    Returns
    -------
    float32 (frames, eyes.LOOK)
    """
    lasts = (SACCADE_S + SACCADE_S_PER_DEG * degrees) * FRAME_RATE
    rows = []
    for pose in range(math.ceil(lasts) + 1):
        part = min((pose + begun) / lasts, 1.0)
        part *= part * (3 - 2 * part)
        rows.append(eyes.look(start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part))
    return np.array(rows, np.float32)
