"""What Unreal's ARKit source does with a datagram, before anything is decoded: read it, or drop it without a word.

Unreal logs drops at Verbose only, and its Live Link window says Active all the same. These are its rules as its
published source has them, in its order; they are told apart from `livelink.decode` on purpose, which follows the
protocol.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from livelink_bridge.wire.livelink import COUNT, MAX_DATAGRAM, VERSION

TOO_SMALL = 266
"""Unreal reads a datagram only if it is longer than this."""

_TIME_BYTES = 16
_VALUES_BYTES = 4 * COUNT


@dataclass(frozen=True, slots=True)
class Ignored:
    """Why Unreal would not show a datagram."""

    reason: str
    """One of no-face, too-small, too-big, version, string-length, count, short-values: a key that does not change."""
    text: str
    """The same for a person, with what was got."""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES[self.reason]


LOSES_A_TICK = "and Unreal leaves the rest of its queue to the next tick"
"""Said of drops after which Unreal stops reading for this frame: a steady stray sender delays the good ones."""


REMEDIES = {
    "no-face": "bring the face back before the phone's camera; Unreal holds the last pose until then",
    "too-small": "find the sender by its address; it speaks another protocol, or the packet was cut on its way",
    "too-big": "make the sender's device id and subject name shorter",
    "version": "bring the sending app up to date, or stop it: it delays the good packets of others too",
    "string-length": "let the sender give lengths in bytes of UTF-8, not in characters; until then a name of plain "
    "ASCII letters works",
    "count": f"let the sender send all {COUNT} channels: 52 shapes, then 9 angles, which may be 0",
    "short-values": f"let the sender send all {COUNT} values as 4-byte floats; look for a VPN that cuts packets",
}
"""By reason, what to do."""


def why_ignored(datagram: bytes) -> Ignored | None:
    """The first of Unreal's rules that drops a datagram, or None when Unreal publishes it."""
    size = len(datagram)
    at = _after_texts(datagram) if datagram[:1] == bytes([VERSION]) else None
    if at is not None and at + _TIME_BYTES == size:
        return Ignored("no-face", "header only: the sender sees no face")
    if size <= TOO_SMALL:
        return Ignored("too-small", f"{size} bytes, Unreal reads only what is longer than {TOO_SMALL}")
    if size > MAX_DATAGRAM:
        return Ignored("too-big", f"{size} bytes, more than Unreal's buffer of {MAX_DATAGRAM}")
    if datagram[0] != VERSION:
        return Ignored("version", f"version {datagram[0]}, Unreal reads version {VERSION}, {LOSES_A_TICK}")
    if at is None or at + _TIME_BYTES > size:
        return Ignored("string-length", f"a length of the id or name points past the end, {LOSES_A_TICK}")
    return _values_ignored(datagram, at + _TIME_BYTES)


def _values_ignored(datagram: bytes, at: int) -> Ignored | None:
    follow = len(datagram) - at - 1
    if datagram[at] != COUNT:
        return Ignored("count", f"{datagram[at]} values, Unreal reads {COUNT}, {LOSES_A_TICK}")
    if follow < _VALUES_BYTES:
        return Ignored("short-values", f"{follow} bytes of values, Unreal reads {_VALUES_BYTES}")
    return None


def _after_texts(datagram: bytes) -> int | None:
    """The byte after the device id and the subject name, or None where a length is negative or points past the end."""
    at = 1
    for _ in range(2):
        if at + 4 > len(datagram):
            return None
        (length,) = struct.unpack_from(">i", datagram, at)
        at += 4 + length
        if length < 0 or at > len(datagram):
            return None
    return at
