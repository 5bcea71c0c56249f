"""Brow raises on some of the stressed syllables."""

from __future__ import annotations

from random import Random

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.liveliness.prosody import VoiceEvents
from arkit_mapping.liveliness.track import Curve, Track, glide, lognormal, poses_of

SHAPES = slice(CHANNELS_61.index("BrowInnerUp"), CHANNELS_61.index("BrowOuterUpRight") + 1)

AT_STRESS, AT_START = 0.35, 0.35
"""Probability of a raise on a fully stressed syllable, and at the beginning of speech. Raises accompany accents, but
not each one, and are frequent at the beginning of a turn (Cave et al. 1996; Guaitella et al. 2009); the numbers are
this project's own choice."""
APART_S = 0.9
"""Shortest time from one raise to the next."""
HEIGHT = (0.10, 0.26)
"""BrowInnerUp of a raise on a weak and on a full stress: visible, but not surprise; set by eye."""
RISE_S, HOLD_S, FALL_S = (0.15, 0.03), (0.12, 0.08), (0.38, 0.10)
"""Mean and standard deviation, seconds: quick up, slower down; a raise on a word lasts about as long as the word."""
OUTER = 0.7
"""Height of the outer brows relative to the inner ones."""


class Brows:
    """Generates BrowInnerUp, BrowOuterUpLeft and BrowOuterUpRight, 0 to 1."""

    def __init__(self, rng: Random, amount: float = 1.0) -> None:
        """`amount` is a factor of the height; 0 is still brows."""
        self._rng = rng
        self._amount = amount
        self._free_from = 0
        self._track = Track(3)

    def step(self, first: int, voice: VoiceEvents) -> Curve:
        """float32 (frames, 3) for the frames of `voice`; `first` is the number of the first one."""
        causes = [(pose, AT_STRESS * (0.5 + 0.5 * strength), strength) for pose, strength in voice.stresses]
        causes += [(pose, AT_START, 0.4) for pose in voice.starts]
        for pose, chance, strength in sorted(causes):
            if pose >= self._free_from and self._rng.random() < chance:
                self._raise(pose, strength)
        return self._track.read(first, len(voice.speaking))

    def _raise(self, at: int, strength: float) -> None:
        height = (HEIGHT[0] + (HEIGHT[1] - HEIGHT[0]) * strength) * lognormal(self._rng, 1.0, 0.25) * self._amount
        lead = self._rng.uniform(-0.12, 0.12)
        top = np.minimum(height * np.array([1.0, OUTER * (1 + lead), OUTER * (1 - lead)], np.float32), 1)
        rise, hold, fall = (poses_of(lognormal(self._rng, *spread)) for spread in (RISE_S, HOLD_S, FALL_S))
        up = glide(self._track.value(at - 1), top, max(rise, 4))
        self._track.follow(at, np.concatenate([up, np.repeat(up[-1:], hold, axis=0), glide(top, 0.0, max(fall, 8))]))
        self._free_from = at + round(APART_S * FRAME_RATE)
