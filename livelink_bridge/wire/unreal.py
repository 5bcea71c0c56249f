"""Rules by which Unreal's ARKit source silently drops a datagram before decoding it.

Unreal logs drops at Verbose level only, and its Live Link window still shows the subject as Active. These are the rules
of its published source, in the same order. They are separate from `livelink.decode` on purpose, which follows the
protocol.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from livelink_bridge.wire.livelink import COUNT, MAX_DATAGRAM, VERSION

TOO_SMALL = 266
"""Bytes. Unreal reads a datagram only if it is longer than this."""

_TIME_BYTES = 16
_VALUES_BYTES = 4 * COUNT


@dataclass(frozen=True, slots=True)
class Ignored:
    """Why Unreal drops a datagram."""

    reason: str
    """Stable key: no-face, too-small, too-big, version, string-length, count or short-values."""
    text: str
    """The reason as plain text, with the value found."""

    @property
    def remedy(self) -> str:
        """How to fix it."""
        return REMEDIES[self.reason]


LOSES_A_TICK = "and Unreal leaves the rest of its queue to the next tick"
"""Added to drops after which Unreal stops reading until its next tick: a steady stray sender delays the good ones."""


REMEDIES = {
    "no-face": "bring the face back into the phone camera's view; Unreal holds the last frame until then",
    "too-small": "find the sender by its address; it uses another protocol, or the packet was truncated",
    "too-big": "make the sender's device id and subject name shorter",
    "version": "update the sending app, or stop it: it also delays the good packets of other senders",
    "string-length": "make the sender count lengths in bytes of UTF-8, not in characters; until then use a name of "
    "plain ASCII letters",
    "count": f"make the sender send all {COUNT} channels: 52 shapes, then 9 angles, which may be 0",
    "short-values": f"make the sender send all {COUNT} values as 4-byte floats; look for a VPN that truncates packets",
}
"""How to fix it, by reason."""


def why_ignored(datagram: bytes) -> Ignored | None:
    """The first of Unreal's rules that drops a datagram; None when Unreal publishes it."""
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
    value_bytes = len(datagram) - at - 1
    if datagram[at] != COUNT:
        return Ignored("count", f"{datagram[at]} values, Unreal reads {COUNT}, {LOSES_A_TICK}")
    if value_bytes < _VALUES_BYTES:
        return Ignored("short-values", f"{value_bytes} bytes of values, Unreal reads {_VALUES_BYTES}")
    return None


def _after_texts(datagram: bytes) -> int | None:
    """Offset after the device id and the subject name; None where a length is negative or points past the end."""
    at = 1
    for _ in range(2):
        if at + 4 > len(datagram):
            return None
        (length,) = struct.unpack_from(">i", datagram, at)
        at += 4 + length
        if length < 0 or at > len(datagram):
            return None
    return at
