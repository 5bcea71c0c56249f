"""Compressed streams: flac, ogg, mp3. Their frames show whether something is missing."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from speech_to_face.audio_files.extent import Extent, patched, read_at

_TAIL = 1 << 16
_OGG_PAGE = 27 + 255 + 255 * 255
"""Bytes of the longest page."""
_OGG_LAST = 4
"""Flag of a stream's last page (RFC 3533, 6)."""
_MP3_BIT_RATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Layer III, MPEG 1 and MPEG 2 or 2.5: kbit/s by the header's field."""
_MP3_RATES = (44_100, 48_000, 32_000)
_COUNT_ITSELF = 2
"""mp3 frames that the header may count too many: its own, and one for rounding."""


def _after_id3(file: BinaryIO) -> int:
    """Where the file goes on behind an ID3v2 tag."""
    head = read_at(file, 0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    length = sum((byte & 0x7F) << 7 * (3 - at) for at, byte in enumerate(head[6:10]))
    return 10 + length + (10 if head[5] & 0x10 else 0)


def _before_tags(file: BinaryIO, size: int) -> int:
    """Where the audio ends before an ID3v1 and an APE tag."""
    if read_at(file, max(0, size - 128), 3) == b"TAG":
        size -= 128
    footer = read_at(file, max(0, size - 32), 32)
    if footer[:8] == b"APETAGEX" and len(footer) == 32:
        length, flags = struct.unpack("<I4xI", footer[12:24])
        size -= length + (32 if flags >> 31 else 0)
    return max(0, size)


def ogg_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of Vorbis, Opus or flac in ogg. No length is declared, but a whole stream's last page says that it is the
    last."""
    if read_at(file, 0, 4) != b"OggS":
        return None
    start = max(0, size - _OGG_PAGE - _TAIL)
    tail = read_at(file, start, size - start)
    at = len(tail)
    while (at := tail.rfind(b"OggS", 0, at)) >= 0:
        head = tail[at : at + 27]
        if len(head) < 27 or head[4]:
            continue
        lengths = tail[at + 27 : at + 27 + head[26]]
        if len(lengths) == head[26] and at + 27 + head[26] + sum(lengths) <= len(tail):
            whole = bool(head[5] & _OGG_LAST)
            return Extent(
                size, None, unended="" if whole else "its last page, which says that it is the last, is missing"
            )
    return Extent(size, None, unended="none of its last bytes are a page")


def flac_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of flac: the header's number of samples, and where the last whole frame ends. Encoders into pipes leave 0
    samples."""
    begin = _after_id3(file)
    head = read_at(file, begin, 42)
    if head[:4] != b"fLaC" or len(head) < 42 or head[4] & 0x7F:
        return None
    packed = int.from_bytes(head[18:26], "big")
    rate, declared = packed >> 44, packed & (1 << 36) - 1
    block = struct.unpack(">H", head[8:10])[0]
    longest = int.from_bytes(head[15:18], "big") or _TAIL * 4
    end = _before_tags(file, size)
    held, whole = _flac_end(file, begin, end, block, longest)
    if held is None or not rate:
        return None
    kept = patched(size, [(begin + 18, (packed >> 36 << 36 | held).to_bytes(8, "big"))])
    if not declared:
        return Extent(held, None, 1 / rate, unended="" if whole else "it ends inside a block of audio", view=kept)
    if held >= declared or whole is None:
        return Extent(declared, declared, 1 / rate)
    return Extent(held, declared, 1 / rate, view=kept)


def _flac_end(file: BinaryIO, begin: int, end: int, block: int, longest: int) -> tuple[int | None, bool | None]:
    """How many samples the whole frames hold, and whether the last frame is one; None where no frame can be found."""
    start = max(begin, end - 2 * longest - _TAIL)
    tail = read_at(file, start, end - start)
    at, last = len(tail), None
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        if (found := _flac_frame(tail[at : at + 16], block)) is None:
            continue
        first, length = found
        if last is not None and len(tail) - at > longest:
            break
        if _crc(tail[at:-2], 16) == int.from_bytes(tail[-2:], "big"):
            return first + length, True
        last = (
            first if last is None else last
        )  # goes on: what looks like a frame's header may lie inside of a whole frame
    return last, None if last is None else False


def _flac_frame(head: bytes, block: int) -> tuple[int, int] | None:
    """First sample and length of the frame with this header (RFC 9639, 9.1); None for what is no header."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[2] >> 4 == 0 or head[2] & 15 == 15 or head[3] & 1:
        return None
    lead = head[4]
    more = 0 if lead < 0x80 else 8 - (lead ^ 0xFF).bit_length() - 1
    if more < 0 or (more == 0 and lead >= 0x80) or len(head) < 5 + more:
        return None
    number = lead if lead < 0x80 else lead & (1 << max(0, 6 - more)) - 1
    for byte in head[5 : 5 + more]:
        number = number << 6 | byte & 0x3F
    at, code = 5 + more, head[2] >> 4
    extra = {6: 1, 7: 2}.get(code, 0)
    at += extra + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    if len(head) <= at or _crc(head[:at], 8) != head[at]:
        return None
    if extra:
        length = int.from_bytes(head[5 + more : 5 + more + extra], "big") + 1
    else:
        length = 192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8
    return (number if head[1] & 1 else number * block), length


def _crc(data: bytes, bits: int) -> int:
    """CRC-8 with 0x07 or CRC-16 with 0x8005, the higher bits first: flac's of headers and frames."""
    polynomial, top, mask = (0x07, 0x80, 0xFF) if bits == 8 else (0x8005, 0x8000, 0xFFFF)
    table = _TABLES.get(bits)
    if table is None:
        table = []
        for byte in range(256):
            value = byte << bits - 8
            for _ in range(8):
                value = (value << 1 ^ polynomial if value & top else value << 1) & mask
            table.append(value)
        _TABLES[bits] = table
    crc = 0
    for byte in data:
        crc = (crc << 8 & mask) ^ table[crc >> bits - 8 ^ byte]
    return crc


_TABLES: dict[int, list[int]] = {}


def mp3_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of an mp3 whose encoder wrote a header of the Xing or VBRI kind; nothing is declared by others, and a cut in them
    cannot be seen."""
    begin, end = _after_id3(file), _before_tags(file, size)
    head = read_at(file, begin, 256)
    first = _mp3_frame(head[:4])
    if first is None:
        return None
    length, samples, rate, side = first
    at = next((at for name, at in ((b"Xing", side), (b"Info", side), (b"VBRI", 36)) if head[at : at + 4] == name), None)
    if at is None:
        return None
    declared, counted_bytes, frames_at = _mp3_counts(head, at)
    if not declared or (counted_bytes and end - begin >= counted_bytes):
        return Extent(size, None) if not declared else Extent(declared, declared, samples / rate)
    held = sum(1 for _ in _mp3_frames(file, begin + length, end))
    if held + _COUNT_ITSELF >= declared:
        return Extent(declared, declared, samples / rate)
    view = patched(size, _mp3_put_right(head, begin, at, frames_at, held, end))
    return Extent(held, declared, samples / rate, view=view)


def _mp3_counts(head: bytes, at: int) -> tuple[int, int, int]:
    """Frames and bytes as declared, 0 where they are not, and where the number of frames stands."""
    if head[at : at + 4] == b"VBRI":
        length, frames = struct.unpack(">II", head[at + 10 : at + 18])
        return frames, length, at + 14
    flags = int.from_bytes(head[at + 4 : at + 8], "big")
    frames = int.from_bytes(head[at + 8 : at + 12], "big") if flags & 1 else 0
    where = at + 12 if flags & 1 else at + 8
    return frames, int.from_bytes(head[where : where + 4], "big") if flags & 2 else 0, at + 8


def _mp3_put_right(head: bytes, begin: int, at: int, frames_at: int, held: int, end: int) -> list[tuple[int, bytes]]:
    """The header's frames and bytes as they are, and no samples to leave out at the end."""
    if head[at : at + 4] == b"VBRI":
        return [(begin + at + 10, struct.pack(">II", end - begin, held))]
    changes = [(begin + frames_at, struct.pack(">I", held))]
    if head[at + 7] & 2:
        changes = [(begin + frames_at, struct.pack(">II", held, end - begin))]
    lame = (
        at
        + 8
        + 4 * ((head[at + 7] & 1) + (head[at + 7] >> 1 & 1) + (head[at + 7] >> 3 & 1))
        + 100 * (head[at + 7] >> 2 & 1)
    )
    if head[lame : lame + 4] in (b"LAME", b"Lavc", b"Lavf"):
        delays = head[lame + 21 : lame + 24]
        changes.append((begin + lame + 21, bytes([delays[0], delays[1] & 0xF0, 0])))
    return changes


def _mp3_frames(file: BinaryIO, at: int, end: int) -> Iterator[int]:
    """Where each whole frame from `at` on begins, until what follows is none."""
    while at + 4 <= end and (found := _mp3_frame(read_at(file, at, 4))) is not None and at + found[0] <= end:
        yield at
        at += found[0]


def _mp3_frame(head: bytes) -> tuple[int, int, int, int] | None:
    """Bytes, samples, Hz of a Layer III frame, and where a Xing header stands in it; None for what is no header."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate, bits = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer != 1 or rate == 3 or bits in (0, 15):
        return None
    first = version == 3
    hz = _MP3_RATES[rate] >> (0 if first else 1 if version == 2 else 2)
    samples = 1152 if first else 576
    length = samples // 8 * _MP3_BIT_RATES[1 if first else 2][bits] * 1000 // hz + (head[2] >> 1 & 1)
    side = (32 if first else 17) if head[3] >> 6 != 3 else (17 if first else 9)
    return length, samples, hz, 4 + side
