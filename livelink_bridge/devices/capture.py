"""PortAudio callback of a microphone: copies each block into a channel and returns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock

_BACKLOG_MS = 250.0
"""Audio that waits for a stalled model before the oldest is dropped, in blocks of the shortest kind."""
_SHORTEST_BLOCK_MS = 2.0
_CLOCK_TOLERANCE = 300e-6
"""Fraction by which a device's clock may run slow."""


class Capture:
    """The audio of one open stream, on the sample count of its source."""

    def __init__(self, sample_rate: int, clock: Clock, columns: tuple[int, ...], since_s: float | None = None) -> None:
        """
        Parameters
        ----------
        sample_rate : Hz
        clock : for arrival times
        columns : audio channels to use, counted from 0
        since_s : clock time of the source's sample 0, if the device was open before: the count continues as if it had
            run without a break
        """
        self.channel: Channel[AudioBlock] = Channel.of_ms(_BACKLOG_MS, _SHORTEST_BLOCK_MS, "newest")
        """The blocks, for the model's thread."""
        self.overflows = 0
        """Input overflows reported by PortAudio."""
        self.zero_s = math.inf if since_s is None else since_s
        """Earliest possible clock time of sample 0, estimated from the blocks so far."""
        self._sample_rate = sample_rate
        self._clock = clock
        self._columns = list(columns)
        self._next: int | None = 0 if since_s is None else None

    def take(self, indata: NDArray[np.float32], frames: int, _times: object, status: Any) -> None:
        """PortAudio callback: pass on one block; allocates only the copy and never waits.

        Parameters
        ----------
        indata : float32 (frames, channels), in [-1, 1]; PortAudio reuses it
        frames : samples per audio channel
        status : PortAudio's flags
        """
        now_s = self._clock.now()
        if self._next is None:
            self._next = max(0, round((now_s - self.zero_s) * self._sample_rate) - frames)
        if status.input_overflow:
            self.overflows += 1
            self._skip_lost(frames, now_s)
        else:
            # Device clocks are off by up to about 100 ppm, so the bound may rise by as much.
            drift_s = _CLOCK_TOLERANCE * frames / self._sample_rate
            self.zero_s = min(self.zero_s + drift_s, now_s - (self._next + frames) / self._sample_rate)
        self.channel.put(AudioBlock(indata[:, self._columns], self._sample_rate, self._next, now_s))
        self._next += frames

    def _skip_lost(self, frames: int, now_s: float) -> None:
        """Skip the lost samples: PortAudio does not report how many, so the clock decides. At least one block, so that
        the gap is not spliced over."""
        assert self._next is not None
        due = 0 if math.isinf(self.zero_s) else round((now_s - self.zero_s) * self._sample_rate)
        self._next += max(frames, due - (self._next + frames))

    def end(self) -> None:
        """PortAudio callback at the end of the stream: no more blocks."""
        self.channel.close()
