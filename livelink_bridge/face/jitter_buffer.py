"""Jitter buffer: the newest due frame, hold for 3 frames on underrun, then decay to neutral."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import FACE_CHANNELS, FaceFrame, Weights

HOLD_FRAMES = 3
"""A late frame or two must not show as a twitch."""
DECAY_FRAMES = 14
"""Hold and decay together take 0.28 s: a face whose audio stops is neutral within 0.3 s."""
NEUTRAL_FRAMES = 12
"""Neutral frames at the end: receivers keep showing the last one, and any single datagram may be lost."""


def fade(age: NDArray[np.int64] | NDArray[np.float64] | float) -> NDArray[np.float32]:
    """What is left of a frame `age` frames after its own time: 1 while it is held, then smoothly down to 0."""
    eased = np.clip((np.asarray(age) - HOLD_FRAMES) / DECAY_FRAMES, 0.0, 1.0)
    return (1.0 - eased * eased * (3.0 - 2.0 * eased)).astype(np.float32)


def tail(last: Weights) -> NDArray[np.float32]:
    """The end of a recording after its last frame, float32 (61,): float32 (HOLD + EASE + REST, 61), ends neutral."""
    ages = np.arange(1, HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES + 1)
    return fade(ages)[:, None] * last[None, :]


class JitterBuffer:
    """The sender's end of the channel of frames: ready frames wait here until they are due."""

    def __init__(self, channel: Channel[FaceFrame]) -> None:
        self._channel = channel
        nothing = np.zeros(FACE_CHANNELS, np.float32)
        self._before = self._shown = FaceFrame(nothing, -(HOLD_FRAMES + DECAY_FRAMES))
        self._asked = -1
        self._frozen = False
        self.held = 0
        """Ticks that repeated a frame because no new one was ready."""
        self.skipped = 0
        """Frames that arrived too late to be shown."""

    def at(self, position: Fraction | int) -> Weights:
        """The weights at `position`, in frames of 60 Hz after frame 0: float32 (61,), those of a frame or between two.
        Positions rise from call to call."""
        index = math.ceil(position)
        due = [] if self._frozen else self._channel.take_while(lambda frame: frame.index <= index)
        if due:
            self._before, self._shown = ([self._shown, *due])[-2:]
            self.skipped += max(0, len(due) - max(1, index - self._asked))
        elif not self._frozen and index > self._asked and self.age(index) <= HOLD_FRAMES:
            self.held += 1
        self._asked = index
        return self._between(position) * fade(self.age(position))

    def _between(self, position: Fraction | int) -> Weights:
        """The newest frame, or interpolated with the one before where `position` lies between them."""
        ahead = float(self._shown.index - position)
        if not 0 < ahead < 1 or self._before.index != self._shown.index - 1:
            return self._shown.weights
        return np.asarray(self._shown.weights + (self._before.weights - self._shown.weights) * np.float32(ahead))

    def age(self, position: Fraction | int) -> int:
        """Whole frames since the one shown; 0 is fresh."""
        return max(0, math.floor(position) - self._shown.index)

    def shows(self, index: int) -> bool:
        """Whether frame `index` itself is shown."""
        return index in (self._shown.index, self._before.index)

    def finished(self, position: Fraction | int) -> bool:
        """Whether `position` was the last moment: the channel is closed and empty."""
        return self._channel.closed and not len(self._channel) and position >= self._shown.index

    def freeze(self) -> None:
        """Take no more frames: what is shown decays."""
        self._frozen = True

    def rest_from(self, position: Fraction | int) -> int:
        """Frames from `position` on until the decay and the neutral tail are over."""
        return max(0, HOLD_FRAMES + DECAY_FRAMES + 1 - self.age(position)) + NEUTRAL_FRAMES
