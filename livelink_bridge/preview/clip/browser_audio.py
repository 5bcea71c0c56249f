"""The audio the browser plays: a .wav whose samples line up with the frames. Two decoders of a compressed file need
not agree."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import soundfile

from livelink_bridge.audio.resample import Resampler
from livelink_bridge.errors import SinkError
from speech_to_face.base import Samples

HIGHEST_HZ = 48_000
"""Higher rates are resampled to this: they add nothing audible."""


class BrowserAudio:
    """A mono .wav of 16 bits that is being written, in the folder of the session."""

    def __init__(self, folder: Path, sample_rate: int) -> None:
        """Raises SinkError where the folder cannot be written to."""
        self._resampler = Resampler(sample_rate, HIGHEST_HZ) if sample_rate > HIGHEST_HZ else None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="sound-", suffix=".wav", dir=folder)
            os.close(handle)
        except OSError as error:
            raise SinkError(f"{folder} cannot be written to: {error.strerror}") from error
        self._path = Path(name)
        self._file = soundfile.SoundFile(name, "w", min(sample_rate, HIGHEST_HZ), 1, "PCM_16")

    def write(self, voice: Samples) -> None:
        """The next samples, float32 (n,). Raises SinkError where the disk is full."""
        sound = self._resampler.push(voice) if self._resampler else voice
        try:
            self._file.write(sound)
        except (soundfile.LibsndfileError, OSError) as error:
            raise SinkError(f"{self._path} cannot be written ({error}); is the disk full?") from error

    def finish(self) -> Path:
        """Write what the resampler still holds, close the file and return its path."""
        if self._resampler:
            sound, self._resampler = self._resampler.flush(), None
            self.write(sound)
        self._file.close()
        return self._path

    def discard(self) -> None:
        """Close and delete the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)
