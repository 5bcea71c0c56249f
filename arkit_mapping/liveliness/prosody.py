"""What the loudness of a voice says: whether it speaks, where pauses begin and which syllables stand out. Causal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SILENCE_DBFS = -90.0
"""Anything fainter, a level that is not a number too, counts as this."""
FAINTEST_DBFS = -65.0
"""No voice is fainter: 16-bit dither lies near -93, a quiet room before a microphone near -60."""
OVER_NOISE_DB = 12.0
"""What is so far over the followed background is sound."""
UNDER_VOICE_DB = 24.0
"""Sound so far under the followed voice, which is near its syllables' tops, is breath or room: levels within speech
spread over some 30 dB. ITU-T P.56 counts as active what is up to 16 dB under the mean."""
BEGIN_POSES, PAUSE_POSES = 3, 12
"""50 ms of voice begin speech. 0.2 s without it are a pause: a closed p lasts up to 0.15 s, pauses are counted from
0.2-0.25 s up (Goldman-Eisler 1968)."""
STRESS_DB, RELAX_DB = 1.5, 0.0
"""A syllable stands out this far over the followed voice; the next one counts after the level fell back to the
second."""
FULL_STRESS_DB = 6.0
STRESS_POSES = 3
"""So long must it last: a click is shorter."""

_FAST, _FLOOR_FALLS = 0.34, 0.2
"""Share of the way per pose: time constants of 40 and 75 ms."""
_VOICE_RISES, _VOICE_FALLS = 0.03, 0.006
"""0.5 and 2.8 s, over sound only: near the tops of the syllables of the last seconds."""
_FLOOR_RISES_DB, _FLOOR_RISES_UNDER_SOUND_DB = 0.05, 0.01
"""Per pose: 3 dB/s, and 0.6 dB/s while there is sound over it. A noise that begins is background after some tens of
seconds; gaps between words pull the floor down again."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one run of poses."""

    speaking: NDArray[np.bool_]
    """(poses,): from 50 ms after a voice sets in until it has been away for 0.2 s."""
    starts: list[int]
    """Poses at which speech began, pauses before it passed."""
    pauses: list[int]
    """Poses at which a pause was noticed, 0.2 s after the voice stopped."""
    stresses: list[tuple[int, float]]
    """Poses at which a syllable stood out, and how far, 0 to 1."""


class Prosody:
    """Follows a voice's level. Levels are RMS dBFS of the 1/60 s of sound that belongs to each pose."""

    def __init__(self) -> None:
        self._fast = SILENCE_DBFS
        self._voice = -30.0
        self._floor = -60.0
        self._speaking = False
        self._contrary_for = 0
        self._stressed_for = 0
        self._armed = True

    def hear(self, first: int, level_dbfs: NDArray[np.floating], voiced: NDArray[np.bool_] | None = None) -> Heard:
        """Take the levels, float (poses,), of pose `first` and those after it.

        `voiced`, bool (poses,), says where there is voice, if somebody knows better than the level does.
        """
        followed, over = self._follow(np.fmin(np.fmax(level_dbfs, SILENCE_DBFS), 0.0).tolist())
        heard = Heard(np.empty(len(over), np.bool_), [], [], [])
        self._segment(first, followed if voiced is None else voiced.tolist(), heard)
        self._stress(first, over, heard)
        return heard

    def _follow(self, levels: list[float]) -> tuple[list[bool], list[float]]:
        """Whether there is voice, and how far the level is over the voice's own, dB. A recursion, which no array
        operation computes."""
        fast, voice, floor = self._fast, self._voice, self._floor
        voiced, over = [], []
        for level in levels:
            fast += _FAST * (level - fast)
            above = level - floor
            is_sound = above > OVER_NOISE_DB and level > FAINTEST_DBFS
            if is_sound:
                voice += (_VOICE_RISES if level > voice else _VOICE_FALLS) * (level - voice)
                floor += _FLOOR_RISES_UNDER_SOUND_DB
            else:
                floor += _FLOOR_FALLS * above if above < 0 else _FLOOR_RISES_DB
            voiced.append(is_sound and level > voice - UNDER_VOICE_DB)
            over.append(fast - voice)
        self._fast, self._voice, self._floor = fast, voice, floor
        return voiced, over

    def _segment(self, first: int, voiced: list[bool], heard: Heard) -> None:
        for index, voice in enumerate(voiced):
            self._contrary_for = self._contrary_for + 1 if voice != self._speaking else 0
            if self._contrary_for == (PAUSE_POSES if self._speaking else BEGIN_POSES):
                (heard.pauses if self._speaking else heard.starts).append(first + index)
                self._speaking, self._contrary_for = not self._speaking, 0
            heard.speaking[index] = self._speaking

    def _stress(self, first: int, over: list[float], heard: Heard) -> None:
        for index, above in enumerate(over):
            if above > STRESS_DB:
                self._stressed_for += 1
                if self._armed and self._stressed_for >= STRESS_POSES and heard.speaking[index]:
                    self._armed = False
                    strength = (above - STRESS_DB) / (FULL_STRESS_DB - STRESS_DB)
                    heard.stresses.append((first + index, min(strength, 1.0)))
            else:
                self._stressed_for = 0
                self._armed = self._armed or above < RELAX_DB
