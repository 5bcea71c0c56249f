"""When a face may move: who speaks, decided per pose, and how far the pose is faded towards neutral.

Steps are those of `speech_to_face.streaming.features`: step n ends at sample floor((n + 1) * 800 / 3) of the sound at
16 kHz. The decision of step n knows the sound up to there and no further. Pose k may wait for the steps up to k +
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
"""Probabilities of a detector at which a face is let go, rested again, and held open through a pause. The first is low:
what opens for nothing rests again within three poses, what opens late has lost its first syllable."""
LEVEL_STEPS = 3
"""The level that is compared is the highest of so many steps: a vowel's pulses are further apart than one."""

_OPEN_S, _CLOSE_S, _DOUBT_S = 0.03, 0.15, 0.05
"""From neutral to the full pose, back, and back when no step was sure of a voice."""
_KEPT_POSES = 1024


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Levels of a step at which the gate opens and closes. Raises UsageError where they are not such."""

    open_dbfs: float = -60.0
    """RMS, -90 to 0. The default leaves the decision to the detector and keeps out only what no microphone calls
    speech."""
    close_dbfs: float = -66.0
    """RMS, -96 to `open_dbfs`."""

    def __post_init__(self) -> None:
        if not (-90 <= self.open_dbfs <= 0 and -96 <= self.close_dbfs <= self.open_dbfs):
            got = f"the gate opens at {self.open_dbfs:g} dBFS and closes at {self.close_dbfs:g}"
            raise UsageError(f"{got}, expected -90 to 0, and -96 to the first; calibrate again")

    def shifted(self, gain_db: float) -> Thresholds:
        """The same for sound that was made `gain_db` louder."""
        opens = min(0.0, max(-90.0, self.open_dbfs + gain_db))
        return Thresholds(opens, min(opens, max(-96.0, self.close_dbfs + gain_db)))


LEVEL_ONLY = Thresholds(-45.0, -51.0)
"""Where there is no detector and no calibration."""


class NoiseGate:
    """Hysteresis and hold: whether somebody speaks, step by step, from levels and a detector's probabilities."""

    def __init__(self, thresholds: Thresholds, hold_s: float = 0.25) -> None:
        if not 0 <= hold_s <= 5:
            raise UsageError(f"the gate holds for {hold_s:g} s, expected 0 to 5 seconds")
        self._thresholds = thresholds
        self._hold = round(hold_s * FRAME_RATE)
        self.reset()

    def reset(self) -> None:
        self._levels = [-np.inf] * LEVEL_STEPS
        self._open = False
        self._since_sure = self._hold + 1

    def use(self, thresholds: Thresholds) -> None:
        """Open and close at other levels from the next step on."""
        self._thresholds = thresholds

    def decide(self, levels: Levels, voice: NDArray[np.float32]) -> tuple[Flags, Flags]:
        """Take the next steps: float64 (n,) dBFS and float32 (n,) probabilities, 1 where there is no detector.

        Returns bool (n,): whether the face may move; and bool (n,): whether this very step is surely a voice.
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
    """Decisions of steps to weights of poses: 1 is the pose, 0 is neutral, and between them 30 ms one way and 150 ms
    the other."""

    def __init__(self, lookahead_steps: int = 3) -> None:
        self._lookahead = lookahead_steps
        self.reset()

    def reset(self) -> None:
        self._weight = 0.0
        self._sure = False
        self._since_open = self._lookahead + 1
        self.resume(0)

    def resume(self, first_pose: int) -> None:
        """The next step is that of pose `first_pose`; the face goes on from where it is."""
        self._first = self._next = first_pose
        self._unseen = self._lookahead
        self._weights = np.zeros(_KEPT_POSES, np.float32)

    @property
    def weight(self) -> float:
        """Of the newest pose, in [0, 1]."""
        return self._weight

    def push(self, may_move: Flags, sure: Flags) -> None:
        """Take the next steps' decisions, bool (n,) each, as `NoiseGate.decide` gives them."""
        for open_now, sure_now in zip(may_move.tolist(), sure.tolist(), strict=True):
            self._step(open_now, sure_now)

    def of(self, first_pose: int, count: int) -> NDArray[np.float32]:
        """float32 (count,) in [0, 1]: weights of the poses from `first_pose` on.

        Poses whose steps are not known, at the end of a source or from before a gap, get the newest weight, as do those
        older than 17 s.
        """
        poses = np.arange(first_pose, first_pose + count)
        known = (poses >= max(self._first, self._next - _KEPT_POSES)) & (poses < self._next)
        return np.where(known, self._weights[poses % _KEPT_POSES], np.float32(self._weight)).astype(np.float32)

    def _step(self, open_now: bool, sure_now: bool) -> None:
        self._sure = self._sure or sure_now
        self._since_open = 0 if open_now else self._since_open + 1
        if self._unseen:
            self._unseen -= 1
            return
        # A decision is known some steps before the pose it belongs to: what was sure stays until its own pose.
        if open_now or (self._sure and self._since_open <= self._lookahead):
            self._weight = min(1.0, self._weight + 1 / (_OPEN_S * FRAME_RATE))
        else:
            self._weight = max(0.0, self._weight - 1 / ((_CLOSE_S if self._sure else _DOUBT_S) * FRAME_RATE))
        self._sure = self._sure and self._weight > 0
        self._weights[self._next % _KEPT_POSES] = self._weight
        self._next += 1
