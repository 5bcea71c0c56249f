"""PortAudio's side of a microphone: its thread calls `take`, which copies and returns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock

_BACKLOG_MS = 250.0
"""Sound that waits for a stalled model before the oldest is dropped, in blocks of the shortest kind."""
_SHORTEST_BLOCK_MS = 2.0
_CLOCK_TOLERANCE = 300e-6
"""Part by which a device's clock may run slow."""


class Capture:
    """The sound of one opening of a device, on the source's one count of samples.

    `since_s` is the clock time of the source's sample 0 where the device was opened before: counting goes on as if it
    had run all the while. `columns` are the channels that are kept, counted from 0.
    """

    def __init__(self, sample_rate: int, clock: Clock, columns: tuple[int, ...], since_s: float | None = None) -> None:
        self.channel: Channel[AudioBlock] = Channel.of_ms(_BACKLOG_MS, _SHORTEST_BLOCK_MS, "newest")
        self.overflows = 0
        self.zero_s = math.inf if since_s is None else since_s
        """Earliest clock time that sample 0 can have had, seen from the blocks so far."""
        self._sample_rate = sample_rate
        self._clock = clock
        self._columns = list(columns)
        self._next: int | None = 0 if since_s is None else None

    def take(self, indata: NDArray[np.float32], frames: int, _times: object, status: Any) -> None:
        """A block as PortAudio hands it over, float32 (frames, channels)."""
        now_s = self._clock.now()
        if self._next is None:
            self._next = max(0, round((now_s - self.zero_s) * self._sample_rate) - frames)
        if status.input_overflow:
            self.overflows += 1
            self._skip_lost(frames, now_s)
        else:
            # Devices' clocks are off by up to some 100 ppm, so the bound may rise by as much.
            drift_s = _CLOCK_TOLERANCE * frames / self._sample_rate
            self.zero_s = min(self.zero_s + drift_s, now_s - (self._next + frames) / self._sample_rate)
        self.channel.put(AudioBlock(indata[:, self._columns], self._sample_rate, self._next, now_s))
        self._next += frames

    def _skip_lost(self, frames: int, now_s: float) -> None:
        """PortAudio does not say how much was lost, the clock does. At least a block, so that nobody splices over the
        gap."""
        assert self._next is not None
        due = 0 if math.isinf(self.zero_s) else round((now_s - self.zero_s) * self._sample_rate)
        self._next += max(frames, due - (self._next + frames))

    def end(self) -> None:
        self.channel.close()
