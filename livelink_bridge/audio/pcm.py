"""PCM sound as bytes: 16-bit integers or 32-bit floats, little endian, channels interleaved."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.whole_numbers import as_whole
from livelink_bridge.errors import UsageError, WireError

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
MAX_CHANNELS = 2
_DTYPES = {"s16le": "<i2", "f32le": "<f4"}
ENCODINGS = tuple(_DTYPES)
_FULL_SCALE = 32768.0

Sound = NDArray[np.float32]
"""float32 (n, channels), in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """How samples are laid down. A whole float such as 24000.0 is the integer. Raises UsageError for what cannot be."""

    encoding: str
    """"s16le": int16, full scale 32768. "f32le": float32, full scale 1."""
    rate: int
    """Hz, 8000 to 192000."""
    channels: int
    """1 or 2, interleaved."""

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise UsageError(f"format: got {self.encoding!r}, expected {' or '.join(ENCODINGS)}")
        rate, channels = as_whole(self.rate), as_whole(self.channels)
        if rate is None or not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
            got = reprlib.repr(self.rate)
            raise UsageError(
                f"rate: got {got}, expected a whole number of Hz from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}"
            )
        if channels is None or not 1 <= channels <= MAX_CHANNELS:
            raise UsageError(f"channels: got {reprlib.repr(self.channels)}, expected 1 or {MAX_CHANNELS}")
        object.__setattr__(self, "rate", rate)
        object.__setattr__(self, "channels", channels)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return np.dtype(_DTYPES[self.encoding]).itemsize * self.channels

    def decode(self, data: bytes) -> Sound:
        """Bytes to float32 (n, channels) in [-1, 1]; what is not finite becomes silence. Raises WireError for half a
        sample."""
        if len(data) % self.frame_bytes:
            whole = len(data) // self.frame_bytes * self.frame_bytes
            raise WireError(
                f"got {len(data)} bytes of sound, expected a multiple of {self.frame_bytes} ({self})", whole
            )
        samples = np.frombuffer(data, _DTYPES[self.encoding]).reshape(-1, self.channels)
        if self.encoding == "s16le":
            return samples.astype(np.float32) / np.float32(_FULL_SCALE)
        sound: Sound = np.clip(np.nan_to_num(samples.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
        return sound

    def encode(self, sound: Sound) -> bytes:
        """The inverse of `decode`: float32 (n, channels) to bytes."""
        if self.encoding == "f32le":
            return sound.astype("<f4").tobytes()
        scaled: Sound = np.clip(np.rint(sound * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
        return scaled.astype("<i2").tobytes()

    def __str__(self) -> str:
        return f"{self.encoding}:{self.rate}:{self.channels}"


class PcmReader:
    """Bytes in chunks that end anywhere, to sound. What has begun of a sample, or of one sample of each channel, waits
    for the rest."""

    def __init__(self, layout: PcmFormat) -> None:
        self.format = layout
        self._begun = b""

    def read(self, data: bytes) -> Sound:
        """The samples that are complete now: float32 (n, channels), n perhaps 0."""
        data = self._begun + data
        whole = len(data) - len(data) % self.format.frame_bytes
        self._begun = data[whole:]
        return self.format.decode(data[:whole])

    def drop(self) -> int:
        """Forget the sample that has begun; the number of its bytes that came, 0 where none has."""
        dropped, self._begun = len(self._begun), b""
        return dropped


def parse_format(text: str) -> PcmFormat:
    """ENCODING:RATE:CHANNELS, such as s16le:24000:1. Raises UsageError."""
    encoding, *numbers = text.split(":")
    if len(numbers) != 2 or not all(number.isascii() and number.isdecimal() for number in numbers):
        raise UsageError(f"raw sound: got {text!r}, expected ENCODING:RATE:CHANNELS, such as s16le:24000:1")
    return PcmFormat(encoding, int(numbers[0]), int(numbers[1]))
