"""Noise gate of the face: whether there is speech, decided per step, and how far each frame is faded to neutral.

Steps are those of `speech_to_face.streaming.features`: step n ends at sample floor((n + 1) * 800 / 3) of the audio at
16 kHz. The decision of step n knows the audio up to there and no further. Frame k may wait for the steps up to k +
`lookahead_steps`, since the network does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.errors import UsageError

Flags = NDArray[np.bool_]
Levels = NDArray[np.float64]
"""float64 (n,), dBFS, one per step."""

MAYBE_VOICE, NO_VOICE, SURE_VOICE = 0.25, 0.15, 0.7
"""VAD thresholds: open at 0.25, close below 0.15, 0.7 restarts the hangover. Opening is eager: a false opening costs
three frames, a late one clips the first syllable."""
LEVEL_STEPS = 3
"""The level compared is the highest of so many steps: a vowel's pulses are further apart than one."""

_OPEN_S, _CLOSE_S, _DOUBT_S = 0.03, 0.15, 0.05
"""From closed to open, back, and back when no step was sure of speech, seconds."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Levels of a step at which the gate opens and closes. Raises UsageError out of range."""

    open_dbfs: float = -60.0
    """RMS, -90 to 0 dBFS. The default leaves the decision to the VAD and excludes only what is too quiet for speech at
    any microphone."""
    close_dbfs: float = -66.0
    """RMS, -96 dBFS to `open_dbfs`."""

    def __post_init__(self) -> None:
        if not (-90 <= self.open_dbfs <= 0 and -96 <= self.close_dbfs <= self.open_dbfs):
            got = f"the gate opens at {self.open_dbfs:g} dBFS and closes at {self.close_dbfs:g}"
            raise UsageError(f"{got}, expected -90 to 0, and -96 to the first; calibrate again")

    def shifted(self, gain_db: float) -> Thresholds:
        """The same for audio amplified by `gain_db`."""
        opens = min(0.0, max(-90.0, self.open_dbfs + gain_db))
        return Thresholds(opens, min(opens, max(-96.0, self.close_dbfs + gain_db)))


LEVEL_ONLY = Thresholds(-45.0, -51.0)
"""Without VAD and without calibration."""


class NoiseGate:
    """Hysteresis and hangover: whether there is speech, step by step, from levels and the VAD's probabilities."""

    def __init__(self, thresholds: Thresholds, hold_s: float = 0.25) -> None:
        if not 0 <= hold_s <= 5:
            raise UsageError(f"the gate holds for {hold_s:g} s, expected 0 to 5 seconds")
        self._thresholds = thresholds
        self._hold = round(hold_s * FRAME_RATE)
        self.reset()

    def reset(self) -> None:
        """Closed, and nothing known."""
        self._levels = [-np.inf] * LEVEL_STEPS
        self._open = False
        self._since_sure = self._hold + 1

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other levels from the next step on."""
        self._thresholds = thresholds

    def decide(self, levels: Levels, voice: NDArray[np.float32]) -> tuple[Flags, Flags]:
        """Decide the next steps.

        Parameters
        ----------
        levels : float64 (n,), dBFS
        voice : float32 (n,), the VAD's probability in [0, 1]; 1 without a VAD

        Returns
        -------
        bool (n,) whether the gate is open, and bool (n,) whether this very step is surely speech.
        """
        # Live there is one step a call: plain numbers take a ninth of the time of arrays of one.
        steps = [self._step(*step) for step in zip(levels.tolist(), voice.tolist(), strict=True)]
        flags = np.array(steps, bool).reshape(-1, 2)
        return flags[:, 0], flags[:, 1]

    def _step(self, level_dbfs: float, voice: float) -> tuple[bool, bool]:
        self._levels = [*self._levels[1:], level_dbfs]
        level_dbfs = max(self._levels)
        if self._open:
            self._open = level_dbfs >= self._thresholds.close_dbfs and voice >= NO_VOICE
        else:
            self._open = level_dbfs >= self._thresholds.open_dbfs and voice >= MAYBE_VOICE
        sure = self._open and voice >= SURE_VOICE
        self._since_sure = 0 if sure else self._since_sure + 1
        return self._open or self._since_sure <= self._hold, sure


class Fade:
    """Decisions of steps to gate weights of frames: 1 is the whole frame, 0 neutral; 30 ms from 0 to 1, 150 ms back."""

    def __init__(self, lookahead_steps: int = 3) -> None:
        """`lookahead_steps` is how many steps after its own a frame waits for, as the network does."""
        self._lookahead = lookahead_steps
        self.reset()

    def reset(self) -> None:
        """Closed, and nothing known."""
        self._weight = 0.0
        self._sure = False
        self._since_open = self._lookahead + 1
        self.resume()

    def resume(self) -> None:
        """Audio was lost: the next step is the first of a new segment. The weight goes on from where it is."""
        self._unseen = self._lookahead

    @property
    def weight(self) -> float:
        """Of the newest frame, in [0, 1]."""
        return self._weight

    def push(self, may_move: Flags, sure: Flags) -> NDArray[np.float32]:
        """Take the next steps' decisions, bool (n,) each, as `NoiseGate.decide` gives them.

        Returns float32 (m,) in [0, 1]: the weights of the next frames, those that are decided now.
        """
        found: list[float] = []
        for open_now, sure_now in zip(may_move.tolist(), sure.tolist(), strict=True):
            self._step(open_now, sure_now, found)
        return np.array(found, np.float32)

    def _step(self, open_now: bool, sure_now: bool, found: list[float]) -> None:
        self._sure = self._sure or sure_now
        self._since_open = 0 if open_now else self._since_open + 1
        if self._unseen:
            self._unseen -= 1
            return
        # A decision is known some steps before the frame it belongs to: what was sure stays until its own frame.
        if open_now or (self._sure and self._since_open <= self._lookahead):
            self._weight = min(1.0, self._weight + 1 / (_OPEN_S * FRAME_RATE))
        else:
            self._weight = max(0.0, self._weight - 1 / ((_CLOSE_S if self._sure else _DOUBT_S) * FRAME_RATE))
        self._sure = self._sure and self._weight > 0
        found.append(self._weight)
