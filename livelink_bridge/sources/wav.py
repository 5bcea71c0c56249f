"""Sound files: whatever libsndfile reads, at any rate and channel count, in blocks."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import soundfile

from livelink_bridge.clock import Clock
from livelink_bridge.errors import SourceError
from livelink_bridge.frames import AudioBlock

_UNKNOWN_FRAMES = 2**48
"""libsndfile reports absurd lengths for streams whose header does not say; no recording is that long."""
_HIGHEST_RATE_HZ = 768_000
"""Nothing records faster. A damaged header may say anything, and a resampler for it would not fit into memory."""


class WavSource:
    """One file, read as it is asked for: a recording of hours needs no more memory than one of seconds."""

    live = False
    trouble = None
    overflows = 0
    dropped = 0

    def __init__(self, path: Path, *, clock: Clock, block_s: float) -> None:
        self.name = str(path)
        self._clock = clock
        self._file = _open(path)
        self._closed = False
        self._reading = False
        self.sample_rate: int = self._file.samplerate
        self._block_samples = max(1, round(block_s * self.sample_rate))
        frames = self._file.frames
        self.duration_s = frames / self.sample_rate if frames < _UNKNOWN_FRAMES else None

    def blocks(self) -> Iterator[AudioBlock]:
        self._reading = True
        start = 0
        with self._file:
            while not self._closed:
                try:
                    samples = self._file.read(self._block_samples, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as error:
                    raise SourceError(f"{self.name}: cannot be read after {start / self.sample_rate:.1f} s: {_reason(error)}") from error
                if not len(samples):
                    return
                yield AudioBlock(samples, self.sample_rate, start, self._clock.now())
                start += len(samples)

    def close(self) -> None:
        self._closed = True
        if not self._reading:
            self._file.close()


def _open(path: Path) -> soundfile.SoundFile:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened: {error.strerror}") from error
    if stat.S_ISDIR(found.st_mode):
        raise SourceError(f"{path} is a folder, expected a sound file")
    if found.st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes), expected a sound file")
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise SourceError(f"{path} is not sound that can be read ({_reason(error)}); expected wav, flac, ogg, mp3 or the like") from error
    except TypeError:  # soundfile takes .raw for samples without a header, whatever is in the file
        raise SourceError(f"{path}: a .raw file does not say its sample rate; convert it to wav first") from None
    if file.frames == 0:
        file.close()
        raise SourceError(f"{path} holds no sound: its header promises 0 samples")
    if file.samplerate > _HIGHEST_RATE_HZ:
        file.close()
        raise SourceError(f"{path} says it has {file.samplerate} samples a second, expected at most {_HIGHEST_RATE_HZ}; is it damaged?")
    return file


def _reason(error: soundfile.LibsndfileError) -> str:
    return str(error.error_string).strip().rstrip(".")
