"""How much audio a file's header declares, and how much the file holds."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

Part = bytes | tuple[int, int]
"""Bytes as they are, or a segment of the file: offset and length."""

SLACK_S = 0.01
"""Audio that may be missing without a message: many writers count their own header of 44 bytes as audio."""
_METADATA = frozenset(
    {
        b"LIST",
        b"bext",
        b"cue ",
        b"smpl",
        b"iXML",
        b"axml",
        b"id3 ",
        b"ID3 ",
        b"fact",
        b"PEAK",
        b"JUNK",
        b"junk",
        b"PAD ",
        b"plst",
        b"inst",
        b"_PMX",
        b"FLLR",
        b"MARK",
        b"COMT",
        b"NAME",
        b"AUTH",
        b"ANNO",
        b"INST",
        b"APPL",
        b"CHAN",
        b"(c) ",
        b"chna",
        b"cart",
        b"levl",
        b"SAUR",
        b"afsp",
        b"DISP",
    }
)
"""Chunks that are found behind the audio, whether the file ends inside them or not."""


@dataclass(frozen=True, slots=True)
class Extent:
    """`declared` and `present` are in one unit, bytes or frames."""

    present: int
    """What the file holds."""
    declared: int | None
    """The header's value; None where it gives none, as with writers that cannot seek back to it."""
    unit_s: float | None = None
    """Seconds of one unit; None where the codec knows."""
    unended: str = ""
    """Where no length is declared: how it shows that the file was cut."""
    stale: bool = False
    """The header declares less than there is, because it was not brought up to date: the file is read to its end."""
    view: tuple[Part, ...] = ()
    """What the file would be, had its writer gone back to its header; empty where libsndfile reads it as it is."""

    @property
    def cut(self) -> bool:
        """Whether audio is missing."""
        if self.unended:
            return True
        missing = 0 if self.declared is None else self.declared - self.present
        return missing > 0 if self.unit_s is None else missing * self.unit_s > SLACK_S


def patched(size: int, changes: Sequence[tuple[int, bytes]]) -> tuple[Part, ...]:
    """A file of `size` bytes with other bytes at some offsets, in rising order."""
    parts: list[Part] = []
    at = 0
    for offset, data in changes:
        parts += [(at, offset - at), data]
        at = offset + len(data)
    return (*parts, (at, size - at))


def read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    """So many bytes, fewer only at the file's end."""
    file.seek(offset)
    return file.read(count)


def follows_chunks(file: BinaryIO, at: int, size: int, order: str) -> bool:
    """Whether what lies behind the audio is metadata, or nothing to speak of, and not audio that the header does not
    know of.

    Chunks of four letters and a 32-bit size, of byte order `order`; also the tags that music programs append.
    """
    rest = size - at
    if rest < 16 or read_at(file, at, 3) in (b"TAG", b"ID3"):
        return True
    if _zero(file, at):
        return True
    while at + 8 <= size:
        name, length = struct.unpack(f"{order}4sI", read_at(file, at, 8))
        if name in _METADATA:
            return True
        if not is_name(name) or length > size - at - 8:
            return False
        at += 8 + length + length % 2
    return True


def _zero(file: BinaryIO, at: int) -> bool:
    """Whether nothing but zeros follows."""
    file.seek(at)
    while data := file.read(1 << 16):
        if data.strip(b"\0"):
            return False
    return True


def is_name(name: bytes) -> bool:
    """Whether these four bytes could be a chunk's name."""
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)
