"""Breathing: slow and shallow in silence, quick and deeper in speech pauses."""

from __future__ import annotations

from random import Random

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.liveliness.prosody import VoiceEvents
from arkit_mapping.liveliness.track import Curve, Track, glide, lognormal, poses_of

NOSE = slice(CHANNELS_61.index("NoseSneerLeft"), CHANNELS_61.index("NoseSneerRight") + 1)

BREATH_S = (4.3, 0.7)
"""Mean and standard deviation of a quiet breath, seconds: 14 per minute, adults take 12-20."""
INHALED = 0.4
"""Fraction of inhalation in a quiet breath. In speech it is a tenth, in the pauses (Hixon 1973)."""
GASP_S, SPOKEN_S = (0.55, 0.12), 3.5
"""In a pause: duration of the inhalation (mean, standard deviation), and of the speech breath after it, seconds."""
QUIET, DEEP = 0.5, 1.0
"""Depths of a quiet breath and of one in a pause."""
APART_S = 1.6
"""Shortest time from one breath to one in a pause."""
NOSTRILS = 0.045
"""NoseSneer during a deep inhalation: hardly visible, and the lips do not move; set by eye."""
LIFT_RAD = 0.012
"""How far a deep breath lifts the head, radians, less than a degree; set by eye."""


class Breath:
    """Generates the inhaling flow through the nose, and the filling of the chest, both 0 to 1."""

    def __init__(self, rng: Random, amount: float = 1.0) -> None:
        """`amount` is a factor of the depth; 0 is none."""
        self._rng = rng
        self._amount = amount
        self._next = poses_of(lognormal(rng, *BREATH_S) * rng.random())
        self._began = -FRAME_RATE * 10
        self._track = Track(2)

    def step(self, first: int, voice: VoiceEvents) -> Curve:
        """float32 (frames, 2), flow and filling, for the frames of `voice`; `first` is the number of the first one."""
        for pose in voice.pauses:
            self._until(pose, first, voice)
            if pose - self._began >= APART_S * FRAME_RATE:
                self._breathe(pose, DEEP, lognormal(self._rng, *GASP_S), SPOKEN_S)
        end = first + len(voice.speaking)
        self._until(end, first, voice)
        return self._track.read(first, end - first)

    def _until(self, end: int, first: int, voice: VoiceEvents) -> None:
        while self._next < end:
            if voice.speaking[self._next - first]:
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
