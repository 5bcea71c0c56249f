"""Source of a take's recorded audio for replay: same duration, speed and loops as the take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.audio.downmix import mono
from livelink_bridge.audio.resample import Resampler
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.sources.audio_file import Warn, WavSource, no_warning

Sound = NDArray[np.float32]


class TakeAudioSource:
    """A section of an audio file, played once or in a loop.

    A speed other than 1 changes the pitch, as on a tape, and mixes the audio channels into one.
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
        """
        Parameters
        ----------
        path : audio file of the take
        clock : for arrival times
        block_s : seconds of audio per block
        pass_s : duration of one pass, in seconds of playback time
        from_s : start within the file, seconds
        speed : playback speed, 1 is the original
        loop : repeat indefinitely
        pause_s : silence between two passes, seconds

        Raises
        ------
        SourceError : the file cannot be read
        """

        def opened(warn: Warn | None = no_warning) -> WavSource:
            # A take's audio may be truncated, for example by a crash: play what there is.
            return WavSource(path, clock=clock, block_s=block_s, allow_cut=True, warn=warn)

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
        """See `Source.blocks`. Sample 0 belongs to the take's first frame."""
        at = 0
        for samples in self._passes():
            if self._closed:
                return
            yield AudioBlock(samples, self.sample_rate, at, self._clock.now())
            at += len(samples)

    def close(self) -> None:
        """End `blocks` and close the file. Harmless twice."""
        self._closed = True
        if self._file is not None:
            self._file.close()

    def _passes(self) -> Iterator[Sound]:
        while True:
            count = 0
            for samples in self._once():
                yield samples
                count += len(samples)
            if not self._loop:
                return
            for first in range(count, self._whole, self._block):
                yield np.zeros(min(self._block, self._whole - first), np.float32)

    def _once(self) -> Iterator[Sound]:
        """The audio of one pass; less if the file ends before."""
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
        """The file's blocks from `from_s` on; each call reads the file again."""
        self._file = self._file or self._open()
        for block in self._file.blocks():
            skipped = max(0, self._from - block.start)
            if skipped < len(block.samples):
                yield block.samples[skipped:]
