"""Audio file source: any file that libsndfile reads, at any rate and channel count, in blocks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from livelink_bridge.audio.resample import prepare
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import SourceError
from speech_to_face.audio_files import Recording, RecordingError, open_recording

Warn = Callable[[str], None]
"""Receives the warnings about a file, one line each."""

_log = logging.getLogger(__name__)


def no_warning(_line: str) -> None:
    """Discards warnings, for a file that is read a second time."""


class WavSource:
    """One audio file, read block by block: a recording of hours needs no more memory than one of seconds.

    Samples that are not finite, or absurdly loud, become silence. Of two channels that cancel each other only the
    louder is delivered.
    """

    live = False
    trouble = None
    overflows = 0
    dropped = 0

    def __init__(
        self, path: Path, *, clock: Clock, block_s: float, allow_cut: bool = False, warn: Warn | None = None
    ) -> None:
        """
        Parameters
        ----------
        path : file to open
        clock : for arrival times
        block_s : seconds of audio per block
        allow_cut : accept a truncated file, which ends before its header says
        warn : receives further warnings, once each, as the file is read; None logs them

        Raises
        ------
        SourceError : the file cannot be read
        """
        self.name = str(path)
        self._clock, self._warn = clock, warn or _log.warning
        try:
            self._file: Recording = open_recording(path, allow_cut=allow_cut)
        except RecordingError as error:
            raise SourceError(str(error)) from error
        self._closed = False
        self._reading = False
        self.sample_rate = self._file.rate
        prepare(self.sample_rate)
        self._block_samples = max(1, round(block_s * self.sample_rate))
        self.duration_s = self._file.duration_s

    def blocks(self) -> Iterator[AudioBlock]:
        """See `Source.blocks`. float32 (n, channels)."""
        self._reading = True
        for line in self._file.warnings:
            self._warn(line)
        try:
            yield from self._read()
        finally:
            if self._file.damaged:
                count = "1 sample is" if self._file.damaged == 1 else f"{self._file.damaged} samples are"
                self._warn(f"{self.name}: {count} not finite or absurdly loud, taken as silence")
            self._file.close()

    def close(self) -> None:
        """End `blocks` and close the file. Harmless twice."""
        self._closed = True
        if not self._reading:
            self._file.close()

    def _read(self) -> Iterator[AudioBlock]:
        start = 0
        while not self._closed:
            try:
                samples = self._file.read(self._block_samples)
            except RecordingError as error:
                raise SourceError(str(error)) from error
            if not len(samples):
                return
            yield AudioBlock(samples, self.sample_rate, start, self._clock.now())
            start += len(samples)
