"""Breathing: slow and shallow while nobody speaks, quick and deeper where speech pauses."""

from __future__ import annotations

from random import Random

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.liveliness.prosody import Heard
from arkit_mapping.liveliness.track import Curve, Track, glide, lognormal, poses_of

NOSE = slice(CHANNELS_61.index("NoseSneerLeft"), CHANNELS_61.index("NoseSneerRight") + 1)

BREATH_S = (4.3, 0.7)
"""Mean and standard deviation of a quiet breath: 14 a minute, adults take 12-20."""
INHALED = 0.4
"""Part of a quiet breath that goes in. In speech it is a tenth, in the pauses (Hixon 1973)."""
GASP_S, SPOKEN_S = (0.55, 0.12), 3.5
"""In a pause: how long the breath goes in (mean, standard deviation), and how long the speech breath after it lasts."""
QUIET, DEEP = 0.5, 1.0
"""Depths."""
APART_S = 1.6
"""A pause sooner after the last breath began brings none."""
NOSTRILS = 0.045
"""NoseSneer while a deep breath goes in: hardly visible, the lips are left alone; set by eye."""
LIFT_RAD = 0.012
"""How far a deep breath lifts the head, less than a degree; set by eye."""


class Breath:
    """Flow through the nose while breathing in, and how full the chest is, both 0 to 1."""

    def __init__(self, rng: Random, amount: float = 1.0) -> None:
        """`amount`: times the depth; 0 is none."""
        self._rng = rng
        self._amount = amount
        self._next = poses_of(lognormal(rng, *BREATH_S) * rng.random())
        self._began = -FRAME_RATE * 10
        self._track = Track(2)

    def step(self, first: int, heard: Heard) -> Curve:
        """float32 (poses, 2)."""
        for pose in heard.pauses:
            self._until(pose, first, heard)
            if pose - self._began >= APART_S * FRAME_RATE:
                self._breathe(pose, DEEP, lognormal(self._rng, *GASP_S), SPOKEN_S)
        end = first + len(heard.speaking)
        self._until(end, first, heard)
        return self._track.read(first, end - first)

    def _until(self, end: int, first: int, heard: Heard) -> None:
        while self._next < end:
            if heard.speaking[self._next - first]:
                self._next += FRAME_RATE // 2
            else:
                lasts = lognormal(self._rng, *BREATH_S)
                self._breathe(self._next, QUIET, INHALED * lasts, (1 - INHALED) * lasts)

    def _breathe(self, at: int, depth: float, into_s: float, out_s: float) -> None:
        depth *= self._amount * lognormal(self._rng, 1.0, 0.15)
        into, out = poses_of(max(into_s, 0.3)), poses_of(out_s)
        flow, full = self._track.value(at - 1).tolist()
        air = np.zeros((into + out, 2), np.float32)
        air[:into, 0] = depth * np.sin(np.pi * np.arange(1, into + 1) / into) ** 2
        air[:into, :1] += glide(flow, 0.0, into)
        air[:into, 1:], air[into:, 1:] = glide(full, depth, into), glide(depth, 0.0, out)
        self._track.follow(at, air)
        self._began, self._next = at, at + into + out
