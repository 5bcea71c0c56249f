"""Apple's, Sun's and Commodore's containers: aiff and aifc, au, caf, 8svx."""

from __future__ import annotations

import struct
from typing import BinaryIO

from speech_to_face.audio_files.extent import Extent, follows_chunks, patched, read_at
from speech_to_face.audio_files.riff import is_placeholder

_SOX_UNKNOWN = 0x7F000000
"""What sox writes into a pipe, and its header on top."""
_CAF_END = 1 << 56


def aiff_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of aiff, aifc and 8svx, whose chunks are big-endian."""
    kind = read_at(file, 0, 12)
    if kind[:4] != b"FORM" or kind[8:] not in (b"AIFF", b"AIFC", b"8SVX", b"16SV"):
        return None
    at = 12
    while at + 8 <= size:
        name, length = struct.unpack(">4sI", read_at(file, at, 8))
        if name in (b"SSND", b"BODY"):
            before = 8 + struct.unpack(">I", read_at(file, at + 8, 4))[0] if name == b"SSND" and size >= at + 16 else 0
            return _iff_extent(file, size, at + 8, length, before)
        at += 8 + length + length % 2
    return None


def _iff_extent(file: BinaryIO, size: int, begin: int, length: int, before: int) -> Extent:
    """Of a chunk whose size is at `begin` - 4 and whose audio begins `before` bytes after `begin`."""
    present, declared = max(0, size - begin - before), length - before
    view = patched(
        size,
        [(4, struct.pack(">I", (size - 8) & 0xFFFFFFFF)), (begin - 4, struct.pack(">I", (size - begin) & 0xFFFFFFFF))],
    )
    if declared <= 0 and present and not follows_chunks(file, begin + max(length, before), size, ">"):
        return Extent(present, None, view=view)
    if declared > present and (is_placeholder(length) or _SOX_UNKNOWN <= length < _SOX_UNKNOWN + 0x1000):
        return Extent(present, None)
    end = begin + length + length % 2
    if 0 < declared < present and not follows_chunks(file, end, size, ">"):
        return Extent(present, declared, stale=True, view=view)
    return Extent(min(present, max(0, declared)), max(0, declared))


def au_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of Sun's au, in either byte order; the audio is the last thing in it."""
    header = read_at(file, 0, 12)
    if len(header) < 12 or header[:4] not in (b".snd", b"dns."):
        return None
    order = ">" if header[:4] == b".snd" else "<"
    begin, declared = struct.unpack(f"{order}II", header[4:])
    present = max(0, size - begin)
    view = patched(size, [(8, struct.pack(f"{order}I", min(present, 0xFFFFFFFF)))])
    if declared > present and is_placeholder(declared):
        return Extent(present, None, view=view)
    if declared == 0:
        return Extent(present, None, view=view)
    if present - declared >= 16:
        return Extent(present, declared, stale=True, view=view)
    return Extent(min(present, declared), declared)


def caf_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of Apple's caf, whose 64-bit sizes may be -1: to the end of the file."""
    if read_at(file, 0, 4) != b"caff":
        return None
    at, rate, valid = 8, 0.0, 0
    while at + 12 <= size:
        name, length = struct.unpack(">4sq", read_at(file, at, 12))
        if name == b"desc":
            rate = struct.unpack(">d", read_at(file, at + 12, 8))[0]
        if name == b"pakt":
            valid = struct.unpack(">q", read_at(file, at + 20, 8))[0]
        if name == b"data":
            present, declared = max(0, size - at - 16), length - 4
            view = patched(size, [(at + 4, struct.pack(">q", present + 4))])
            nothing = (
                declared <= 0 and present > 0 and read_at(file, at + 16, 4) != b"caff"
            )  # sox writes its header again
            if length < 0 or length >= _CAF_END or nothing:
                return Extent(present, None, view=view)
            unit_s = valid / rate / declared if valid > 0 and rate > 0 and declared > 0 else None
            return Extent(
                min(present, max(0, declared)), max(0, declared), unit_s, view=view if declared > present else ()
            )
        if length < 0:
            return None
        at += 12 + length
    return None
