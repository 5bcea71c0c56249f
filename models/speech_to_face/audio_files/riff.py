"""The RIFF family: wav, wave extensible, RF64 and Sony's wave64."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from speech_to_face.audio_files.extent import Extent, Part, follows_chunks, is_name, patched, read_at

_HEADER_ROOM = 4096
"""Bytes by which a writer's placeholder may differ from a power of two: some take their header off, some round down."""
_W64_NAMES = {b"riff": bytes.fromhex("2e91cf11a5d628db04c10000"), b"data": bytes.fromhex("f3acd3118cd100c04f8edb8a")}
_W64_END = 1 << 56


@dataclass(slots=True)
class _Walked:
    """What lies before the first sample."""

    chunks: list[Part]
    """As they lie in the file, without bytes that do not belong there."""
    data_at: int
    declared: int
    bytes_per_s: int
    block: int
    """Bytes that belong together: a sample of every channel, or a coded block."""
    long_sizes_at: int | None
    """Where RF64 keeps the sizes that do not fit into 32 bits."""
    well_formed: bool


def is_placeholder(size: int) -> bool:
    """Whether a 32-bit size is what a writer leaves that cannot go back: 0, nearly 2 GiB, nearly 4 GiB."""
    return size == 0 or abs(size - 0x7FFFFFFF) <= _HEADER_ROOM or size >= 0xFFFFFFFF - _HEADER_ROOM


def wav_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of a wav or RF64 file; None where its audio does not begin or it is another kind of file."""
    kind = read_at(file, 0, 12)
    if kind[:4] not in (b"RIFF", b"RIFX", b"RF64") or kind[8:] != b"WAVE":
        return None
    order = ">" if kind[:4] == b"RIFX" else "<"
    found = _walk(file, size, order)
    if found is None:
        return None
    present, declared = size - found.data_at, found.declared
    unit_s = 1 / found.bytes_per_s if found.bytes_per_s else None
    if declared == 0 and present and not follows_chunks(file, found.data_at, size, order):
        return Extent(present, None, unit_s, view=_view(found, size, kind[:4], order))
    if declared > present and is_placeholder(declared):
        return Extent(present, None, unit_s, view=() if found.well_formed else _view(found, size, kind[:4], order))
    end = found.data_at + declared + declared % 2
    if (
        declared < present
        and not follows_chunks(file, end, size, order)
        and not follows_chunks(file, end - declared % 2, size, order)
    ):
        return Extent(present, declared, unit_s, stale=True, view=_view(found, size, kind[:4], order))
    view = () if found.well_formed else _view(found, min(size, found.data_at + declared), kind[:4], order)
    return Extent(min(present, declared), declared, unit_s, view=view)


def _walk(file: BinaryIO, size: int, order: str) -> _Walked | None:
    at, bytes_per_s, block, long_sizes_at, long_size, well_formed = 12, 0, 1, None, 0, True
    chunks: list[Part] = []
    while at + 8 <= size:
        name, length = struct.unpack(f"{order}4sI", read_at(file, at, 8))
        if name == b"data":
            declared = long_size if long_sizes_at is not None and length == 0xFFFFFFFF else length
            return _Walked(chunks, at + 8, declared, bytes_per_s, block, long_sizes_at, well_formed)
        if name == b"fmt " and length >= 16:
            bytes_per_s, block = struct.unpack(f"{order}IH", read_at(file, at + 16, 6))
        if name == b"ds64":
            long_sizes_at, long_size = at + 8, struct.unpack("<Q", read_at(file, at + 16, 8))[0]
        after = at + 8 + length
        chunks.append((at, 8 + length))
        if length % 2:
            # An odd chunk is followed by a byte of padding. Some writers leave it out.
            padded = is_name(read_at(file, after + 1, 4)) or not is_name(read_at(file, after, 4))
            chunks.append(b"\0")
            well_formed &= padded
            after += padded
        at = after
    return None


def _view(found: _Walked, end: int, kind: bytes, order: str) -> tuple[Part, ...]:
    """The file up to `end`, its audio's size and its own put right."""
    audio = end - found.data_at
    ahead = sum(len(part) if isinstance(part, bytes) else part[1] for part in found.chunks)
    whole = 4 + ahead + 8 + audio
    if found.long_sizes_at is not None:
        sizes = struct.pack("<4sIQQQI", b"ds64", 28, whole, audio, audio // max(1, found.block), 0)
        chunks = [sizes if part == (found.long_sizes_at - 8, 36) else part for part in found.chunks]
        return (kind + b"\xff" * 4 + b"WAVE", *chunks, b"data" + b"\xff" * 4, (found.data_at, audio))
    sizes = struct.pack(f"{order}I", min(whole, 0xFFFFFFFF))
    return (
        kind + sizes + b"WAVE",
        *found.chunks,
        b"data" + struct.pack(f"{order}I", min(audio, 0xFFFFFFFF)),
        (found.data_at, audio),
    )


def wave64_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of Sony's wave64, whose names are 16 bytes, and whose 64-bit sizes count the name and themselves."""
    if read_at(file, 0, 16) != b"riff" + _W64_NAMES[b"riff"]:
        return None
    at, unit_s = 40, None
    while at + 24 <= size:
        name, length = struct.unpack("<16sQ", read_at(file, at, 24))
        if name == b"data" + _W64_NAMES[b"data"]:
            present, declared = size - at - 24, length - 24
            if declared <= 0 or length >= _W64_END:
                view = patched(size, [(16, struct.pack("<Q", size)), (at + 16, struct.pack("<Q", present + 24))])
                return Extent(present, None, unit_s, view=view)
            return Extent(min(present, declared), declared, unit_s)
        if name[:4] == b"fmt ":
            bytes_per_s = struct.unpack("<I", read_at(file, at + 32, 4))[0]
            unit_s = 1 / bytes_per_s if bytes_per_s else None
        if length < 24:
            return None
        at += (length + 7) // 8 * 8
    return None
