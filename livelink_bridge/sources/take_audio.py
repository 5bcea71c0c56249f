"""The sound that was recorded with a take, as long as the take is played, as fast, and as often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.audio.downmix import mono
from livelink_bridge.audio.resample import Resampler
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.sources.audio_file import Say, WavSource, unsaid

Sound = NDArray[np.float32]


class ReplaySound:
    """A source: the part of a file from `from_s` on, `pass_s` long when heard, then, if `loop`, silence of `pause_s`
    and again.

    Other speeds than 1 change the pitch with it, as a tape does, and mix the channels into one.
    """

    live = False
    trouble = None
    overflows = 0
    dropped = 0

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        block_s: float,
        pass_s: float,
        from_s: float = 0.0,
        speed: float = 1.0,
        loop: bool = False,
        pause_s: float = 0.0,
    ) -> None:
        """Raises SourceError for a file that cannot be read."""

        def opened(say: Say | None = unsaid) -> WavSource:
            # A take's sound may end early, as after a program that died: what there is stands beside its rows all the
            # same.
            return WavSource(path, clock=clock, block_s=block_s, allow_cut=True, say=say)

        self._open: Callable[[], WavSource] = opened
        self._file: WavSource | None = opened(None)
        self.name = self._file.name
        self.sample_rate = self._file.sample_rate
        self.duration_s = None if loop else pass_s
        self._clock, self._closed = clock, False
        self._from, self._speed, self._loop = round(from_s * self.sample_rate), speed, loop
        self._pass, self._whole = round(pass_s * self.sample_rate), round((pass_s + pause_s) * self.sample_rate)
        self._block = max(1, round(block_s * self.sample_rate))

    def blocks(self) -> Iterator[AudioBlock]:
        """See `Source.blocks`. Sample 0 is heard with the take's first pose."""
        at = 0
        for samples in self._passes():
            if self._closed:
                return
            yield AudioBlock(samples, self.sample_rate, at, self._clock.now())
            at += len(samples)

    def close(self) -> None:
        """Harmless twice."""
        self._closed = True
        if self._file is not None:
            self._file.close()

    def _passes(self) -> Iterator[Sound]:
        while True:
            heard = 0
            for samples in self._once():
                yield samples
                heard += len(samples)
            if not self._loop:
                return
            for first in range(heard, self._whole, self._block):
                yield np.zeros(min(self._block, self._whole - first), np.float32)

    def _once(self) -> Iterator[Sound]:
        """At most a pass of sound; less where the file ends before."""
        left = self._pass
        for samples in self._at_speed():
            if left > 0 and len(samples):
                yield samples[:left]
            left -= len(samples)
            if left <= 0:
                break
        if self._file is not None:
            self._file.close()
            self._file = None

    def _at_speed(self) -> Iterator[Sound]:
        if self._speed == 1.0:
            yield from self._from_start()
            return
        resampler = Resampler(max(1, round(self.sample_rate * self._speed)), self.sample_rate)
        for samples in self._from_start():
            yield resampler.push(mono(samples))
        yield resampler.flush()

    def _from_start(self) -> Iterator[Sound]:
        """The file's blocks without what lies before `from_s`; each time a new reading."""
        self._file = self._file or self._open()
        for block in self._file.blocks():
            skipped = max(0, self._from - block.start)
            if skipped < len(block.samples):
                yield block.samples[skipped:]
