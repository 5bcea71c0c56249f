"""Voice events from the level of a voice: speech, pauses and stressed syllables. Causal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SILENCE_DBFS = -90.0
"""Lower bound of levels, also used for NaN."""
FAINTEST_DBFS = -65.0
"""Lowest level of a voice: 16-bit dither is near -93, a quiet room before a microphone near -60."""
OVER_NOISE_DB = 12.0
"""Levels this far above the tracked noise floor count as signal."""
UNDER_VOICE_DB = 24.0
"""Signal this far below the tracked voice level, which is near the peaks of its syllables, is breath or room: levels in
speech span about 30 dB. ITU-T P.56 counts levels up to 16 dB below the mean as active."""
BEGIN_POSES, PAUSE_POSES = 3, 12
"""Frames of voice that begin speech, 50 ms, and frames without voice that make a pause, 0.2 s: a closed p lasts up to
0.15 s, pauses are counted from 0.2-0.25 s up (Goldman-Eisler 1968)."""
STRESS_DB, RELAX_DB = 1.5, 0.0
"""A stressed syllable exceeds the tracked voice level by the first number; the next one counts after the level has
fallen to the second."""
FULL_STRESS_DB = 6.0
"""Excess of a full stress."""
STRESS_POSES = 3
"""Shortest duration of a stress, frames: a click is shorter."""

_FAST, _FLOOR_FALLS = 0.34, 0.2
"""Smoothing factors per frame: time constants of 40 and 75 ms."""
_VOICE_RISES, _VOICE_FALLS = 0.03, 0.006
"""Time constants of 0.5 and 2.8 s, during signal only: the level stays near the peaks of the syllables of the last
seconds."""
_FLOOR_RISES_DB, _FLOOR_RISES_UNDER_SOUND_DB = 0.05, 0.01
"""Per frame: 3 dB/s, and 0.6 dB/s during signal. A new noise becomes background after some tens of seconds; gaps
between words lower the floor again."""


@dataclass(frozen=True, slots=True)
class VoiceEvents:
    """Voice activity and events in a run of frames."""

    speaking: NDArray[np.bool_]
    """bool (frames,): from 50 ms after the onset of voice until 0.2 s after its end."""
    starts: list[int]
    """Frames at which speech began after a pause."""
    pauses: list[int]
    """Frames at which a pause was detected, 0.2 s after the voice stopped."""
    stresses: list[tuple[int, float]]
    """Frames with a stressed syllable, and its strength, 0 to 1."""


class Prosody:
    """Tracks the level of a voice. Levels are RMS in dBFS of the 1/60 s of audio of each frame."""

    def __init__(self) -> None:
        self._fast = SILENCE_DBFS
        self._voice = -30.0
        self._floor = -60.0
        self._speaking = False
        self._contrary_for = 0
        self._stressed_for = 0
        self._armed = True

    def push(
        self, first: int, level_dbfs: NDArray[np.floating], voiced: NDArray[np.bool_] | None = None
    ) -> VoiceEvents:
        """Process the levels of the next frames.

        Parameters
        ----------
        first
            Number of the first frame.
        level_dbfs
            float (frames,), RMS in dBFS.
        voiced
            bool (frames,): voice activity, if known; otherwise it is detected from the level.
        """
        followed, over = self._follow(np.fmin(np.fmax(level_dbfs, SILENCE_DBFS), 0.0).tolist())
        events = VoiceEvents(np.empty(len(over), np.bool_), [], [], [])
        self._segment(first, followed if voiced is None else voiced.tolist(), events)
        self._stress(first, over, events)
        return events

    def _follow(self, levels: list[float]) -> tuple[list[bool], list[float]]:
        """Voice activity, and the level above the tracked voice level, dB. A recursion, which cannot be vectorized."""
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

    def _segment(self, first: int, voiced: list[bool], events: VoiceEvents) -> None:
        for index, voice in enumerate(voiced):
            self._contrary_for = self._contrary_for + 1 if voice != self._speaking else 0
            if self._contrary_for == (PAUSE_POSES if self._speaking else BEGIN_POSES):
                (events.pauses if self._speaking else events.starts).append(first + index)
                self._speaking, self._contrary_for = not self._speaking, 0
            events.speaking[index] = self._speaking

    def _stress(self, first: int, over: list[float], events: VoiceEvents) -> None:
        for index, above in enumerate(over):
            if above > STRESS_DB:
                self._stressed_for += 1
                if self._armed and self._stressed_for >= STRESS_POSES and events.speaking[index]:
                    self._armed = False
                    strength = (above - STRESS_DB) / (FULL_STRESS_DB - STRESS_DB)
                    events.stresses.append((first + index, min(strength, 1.0)))
            else:
                self._stressed_for = 0
                self._armed = self._armed or above < RELAX_DB
