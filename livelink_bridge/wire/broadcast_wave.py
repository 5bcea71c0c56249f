"""Encoder for the header of a Broadcast Wave file (EBU Tech 3285), with RF64 for files beyond 4 GB (EBU Tech 3306).

| offset | bytes | field |
|---|---|---|
| 0 | 12 | `RIFF` or `RF64`, size of the remainder, `WAVE` |
| 12 | 36 | `JUNK`, reserved for `ds64`, which replaces it when a size needs more than 32 bits (EBU Tech 3306) |
| 48 | 610 | `bext`, version 1: description, originator, date, time, first sample from midnight (EBU Tech 3285) |
| 658 | 24 | `fmt `: PCM |
| 682 | 8 | `data` and its size |

All little-endian. The header has a fixed length because it is rewritten periodically while a file is being recorded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

HEADER_BYTES = 690
_FULL = 0xFFFFFFFF
"""Placeholder for a 32-bit size whose 64-bit value is in `ds64`."""
_BEXT = struct.Struct("<256s32s32s10s8sQH64s10s180s")
_ORIGINATOR = b"livelink-bridge"


@dataclass(frozen=True, slots=True)
class Format:
    """Sample format and start time of the recording."""

    rate_hz: int
    """Sample rate, Hz."""
    channels: int
    """Audio channels."""
    bits: int
    """Bits per sample: 8, 16, 24 or 32."""
    time_reference: int
    """Samples from midnight to the first sample."""
    begun: datetime | None
    """Local date and time of the first sample; None when unknown."""
    description: str = ""
    """ASCII text of the `bext` chunk, at most 256 bytes; other characters become `?`."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every audio channel."""
        return self.channels * self.bits // 8


def encode_header(form: Format, frames: int) -> bytes:
    """The header, HEADER_BYTES long, of a file with `frames` samples per audio channel."""
    data = frames * form.frame_bytes
    riff = HEADER_BYTES - 8 + data + data % 2
    sizes = struct.pack("<QQQL", riff, data, frames, 0) if riff > _FULL else bytes(28)
    return b"".join(
        (
            struct.pack("<4sL4s", b"RF64" if riff > _FULL else b"RIFF", min(riff, _FULL), b"WAVE"),
            struct.pack("<4sL", b"ds64" if riff > _FULL else b"JUNK", len(sizes)),
            sizes,
            struct.pack("<4sL", b"bext", _BEXT.size),
            _bext(form),
            struct.pack(
                "<4sLHHLLHH",
                b"fmt ",
                16,
                1,
                form.channels,
                form.rate_hz,
                form.rate_hz * form.frame_bytes,
                form.frame_bytes,
                form.bits,
            ),
            struct.pack("<4sL", b"data", _FULL if riff > _FULL else data),
        )
    )


def _bext(form: Format) -> bytes:
    date, clock = (form.begun.strftime(part).encode() if form.begun else b"" for part in ("%Y-%m-%d", "%H:%M:%S"))
    return _BEXT.pack(
        form.description.encode("ascii", "replace"),
        _ORIGINATOR,
        b"",
        date,
        clock,
        form.time_reference,
        1,
        b"",
        b"",
        b"",
    )
