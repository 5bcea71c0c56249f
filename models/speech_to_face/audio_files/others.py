"""Rarer files. Their lengths are taken from the few bytes that say them, or from what libsndfile notes about a file."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from speech_to_face.audio_files.extent import Extent, read_at

_NOTED = re.compile(r"(?:BODY|Data length) *:? *(\d+) \(?should be (\d+)|truncated\. (\d+) <--> (\d+)")
_TRUNCATED = re.compile(r"truncated", re.IGNORECASE)
_NIST_COUNT = re.compile(rb"sample_count -i (\d+)")
_MATLAB_HEADER = 128
_MATLAB_SLACK = 64
"""Bytes that libsndfile, for one, counts too many."""
_SDS_HEADER, _SDS_BLOCK, _SDS_BITS = 21, 127, 120


def nist_frames(file: BinaryIO, size: int) -> int | None:
    """What a NIST sphere file's text says."""
    head = read_at(file, 0, 1024)
    found = _NIST_COUNT.search(head) if head[:7] == b"NIST_1A" else None
    return int(found[1]) if found else None


def avr_frames(file: BinaryIO, size: int) -> int | None:
    """Of Audio Visual Research's files."""
    head = read_at(file, 0, 30)
    return int(struct.unpack(">I", head[26:30])[0]) if head[:4] == b"2BIT" and len(head) == 30 else None


def mpc_frames(file: BinaryIO, size: int) -> int | None:
    """Of an Akai MPC 2000's files."""
    head = read_at(file, 0, 42)
    return int(struct.unpack("<I", head[30:34])[0]) if head[:2] == b"\x01\x04" and len(head) == 42 else None


def matlab_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of MATLAB 5 files: the size of the element that the file ends in."""
    head = read_at(file, 0, _MATLAB_HEADER)
    if head[:10] != b"MATLAB 5.0" or len(head) < _MATLAB_HEADER:
        return None
    order = "<" if head[126:128] == b"IM" else ">"
    at = _MATLAB_HEADER
    while at + 8 <= size:
        length = struct.unpack(f"{order}I", read_at(file, at + 4, 4))[0]
        if at + 8 + length > size + _MATLAB_SLACK:
            return Extent(size - at - 8, length)
        at += 8 + length
    return None


def sds_extent(file: BinaryIO, size: int) -> Extent | None:
    """Of MIDI sample dumps: words of up to 28 bits, 7 to a byte, in blocks of 120 bytes."""
    head = read_at(file, 0, _SDS_HEADER)
    if head[:2] != b"\xf0\x7e" or len(head) < _SDS_HEADER:
        return None
    per_block = _SDS_BITS // max(1, -(-head[6] // 7))
    declared = head[10] | head[11] << 7 | head[12] << 14
    sample_ns = head[7] | head[8] << 7 | head[9] << 14
    return Extent(min(declared, (size - _SDS_HEADER) // _SDS_BLOCK * per_block), declared, sample_ns * 1e-9)


FRAMES = (nist_frames, avr_frames, mpc_frames)


def noted_extent(log: str) -> Extent | None:
    """From libsndfile's own notes on a file that it has opened."""
    if found := _NOTED.search(log):
        declared, present, left, right = found.groups()
        return Extent(int(present or left), int(declared or right))
    return Extent(0, None, unended="libsndfile finds it truncated") if _TRUNCATED.search(log) else None
