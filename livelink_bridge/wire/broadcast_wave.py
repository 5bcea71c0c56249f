"""The header of a Broadcast Wave file: RIFF, a place for 64-bit sizes, the time reference, the format, then the samples
to the end.

| offset | bytes | what |
|---|---|---|
| 0 | 12 | `RIFF` or `RF64`, size of the rest, `WAVE` |
| 12 | 36 | `JUNK`, kept free for `ds64`, which takes its place when a size needs more than 32 bits (EBU Tech 3306) |
| 48 | 610 | `bext`, version 1: what, by whom, when, and the first sample's number from midnight (EBU Tech 3285) |
| 658 | 24 | `fmt `: PCM |
| 682 | 8 | `data` and its size |

All little-endian. The header of a file that is being written is written anew now and then, so its length never changes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

HEADER_BYTES = 690
_FULL = 0xFFFFFFFF
"""A size that is written in `ds64` instead."""
_BEXT = struct.Struct("<256s32s32s10s8sQH64s10s180s")
_ORIGINATOR = b"livelink-bridge"


@dataclass(frozen=True, slots=True)
class Format:
    """What the samples are, and when the first one was heard."""

    rate_hz: int
    channels: int
    bits: int
    """8, 16, 24 or 32: whole bytes."""
    time_reference: int
    """Samples from midnight to the first one."""
    begun: datetime | None
    """None where nobody knows."""
    description: str = ""

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def encode_header(form: Format, frames: int) -> bytes:
    """The HEADER_BYTES before the samples of a file that has `frames` of them."""
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
