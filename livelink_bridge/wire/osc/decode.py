"""OSC 1.0 decoder for untrusted datagrams.

Nested bundles are walked iteratively, not by recursion, and the constants below limit what a datagram can expand to. A
datagram that violates OSC 1.0 is refused as a whole, with a WireError. The layout is that of
`livelink_bridge.wire.osc.encode`, with two tolerances that the specification allows or receivers need: a message may
end after its address, without type tags, as old senders do, and padding bytes may have any value. Types beyond 1.0 that
are in use are read too.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

from livelink_bridge.errors import WireError

MAX_DATAGRAM = 65507
"""Bytes of the largest UDP datagram over IPv4."""
MAX_MESSAGES = 1024
"""Messages in one datagram. A whole face is 61."""
MAX_DEPTH = 16
"""Nesting depth of bundles, and of lists."""
MAX_ARGUMENTS = 1024
"""Arguments of one message, nested ones included."""

Argument = int | float | str | bytes | bool | None | tuple["Argument", ...]
"""i, h, t, r: int. f, d: float, NaN and infinities included; I: infinity. s, S, c: str. b, m: bytes. T, F: bool. N:
None. [ ]: tuple."""

_BUNDLE = b"#bundle\0"
_BUNDLE_HEAD = 16
_INT32 = struct.Struct(">i")
_NUMBERS = {
    tag: struct.Struct(form) for tag, form in {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q", "r": ">I"}.items()
}
_CONSTANTS: dict[str, bool | float | None] = {"T": True, "F": False, "N": None, "I": math.inf}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, from whatever bundle."""

    address: str
    """Begins with "/". May be a pattern (`*`, `?`, `[...]`, `{...}`), which the caller has to match."""
    arguments: tuple[Argument, ...]
    """All arguments in order. Senders add extra ones (Unreal's Switchboard adds a 1), so read only those you know."""


def decode(datagram: bytes) -> list[Message]:
    """The messages of a datagram in order, those of nested bundles included; empty for an empty bundle. Time tags are
    ignored.

    Raises
    ------
    WireError : anything else, with the byte offset and the reason; no other exception is raised
    """
    datagram = bytes(datagram)
    if len(datagram) > MAX_DATAGRAM:
        raise WireError(f"datagram has {len(datagram)} bytes, expected at most {MAX_DATAGRAM}", MAX_DATAGRAM)
    if not datagram.startswith(_BUNDLE):
        return [_message(datagram, 0, len(datagram))]
    return _bundle(datagram)


def _bundle(datagram: bytes) -> list[Message]:
    """Walk a bundle. `ends` holds the end offsets of the open bundles, outermost first."""
    messages: list[Message] = []
    ends = [len(datagram)]
    at = _after_head(datagram, 0, len(datagram))
    while ends:
        if at == ends[-1]:
            ends.pop()
            continue
        start, end = _element(datagram, at, ends[-1])
        if datagram.startswith(_BUNDLE, start, end):
            if len(ends) == MAX_DEPTH:
                raise WireError(f"more than {MAX_DEPTH} nested bundles", start)
            ends.append(end)
            at = _after_head(datagram, start, end)
        else:
            if len(messages) == MAX_MESSAGES:
                raise WireError(f"more than {MAX_MESSAGES} messages in a datagram", start)
            messages.append(_message(datagram, start, end))
            at = end
    return messages


def _after_head(datagram: bytes, start: int, end: int) -> int:
    if end - start < _BUNDLE_HEAD:
        raise WireError("bundle ends in its time tag", start)
    return start + _BUNDLE_HEAD


def _element(datagram: bytes, at: int, end: int) -> tuple[int, int]:
    """Start and end of the element whose size is at byte `at`, within a bundle that ends at `end`."""
    start = at + _INT32.size
    if start > end:
        raise WireError("bundle ends in the size of an element", at)
    (size,) = _INT32.unpack_from(datagram, at)
    if size < 0 or size % 4:
        raise WireError(f"got {size} as the size of an element, expected a multiple of 4", at)
    if size > end - start:
        raise WireError(f"an element is declared {size} bytes long, but {end - start} follow", at)
    return start, start + size


def _message(datagram: bytes, start: int, end: int) -> Message:
    if datagram[start : min(start + 1, end)] != b"/":
        raise WireError("got neither an address, which begins with '/', nor a bundle", start)
    address, at = _text(datagram, start, end, "address")
    if at == end:
        return Message(address, ())
    tags, first = _text(datagram, at, end, "type tags")
    if not tags.startswith(","):
        raise WireError(f"got {tags[:20]!r} after the address, expected type tags, which begin with ','", at)
    if len(tags) > MAX_ARGUMENTS + 1:
        raise WireError(f"a message has {len(tags) - 1} type tags, expected at most {MAX_ARGUMENTS}", at)
    return Message(address, _arguments(datagram, tags[1:], first, end))


def _arguments(datagram: bytes, tags: str, at: int, end: int) -> tuple[Argument, ...]:
    lists: list[list[Argument]] = [[]]
    for tag in tags:
        if tag == "[":
            if len(lists) > MAX_DEPTH:
                raise WireError(f"more than {MAX_DEPTH} nested lists", at)
            lists.append([])
        elif tag == "]":
            if len(lists) == 1:
                raise WireError("type tags end a list that they did not begin", at)
            inner = tuple(lists.pop())
            lists[-1].append(inner)
        else:
            argument, at = _argument(datagram, tag, at, end)
            lists[-1].append(argument)
    if len(lists) > 1:
        raise WireError("type tags begin a list and do not end it", at)
    if at != end:
        raise WireError(f"{end - at} bytes follow the last argument", at)
    return tuple(lists[0])


def _argument(datagram: bytes, tag: str, at: int, end: int) -> tuple[Argument, int]:
    """The argument of type `tag` at byte `at`, and the offset after it."""
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], at
    if tag in _NUMBERS:
        form = _NUMBERS[tag]
        if form.size > end - at:
            raise WireError(f"message ends in an argument of type {tag!r}", at)
        return form.unpack_from(datagram, at)[0], at + form.size
    read = _READERS.get(tag)
    if read is None:
        raise WireError(f"got {tag!r} as a type, expected one of {''.join([*_NUMBERS, *_READERS, *_CONSTANTS])}[]", at)
    return read(datagram, at, end)


def _string(datagram: bytes, at: int, end: int) -> tuple[str, int]:
    return _text(datagram, at, end, "text")


def _character(datagram: bytes, at: int, end: int) -> tuple[str, int]:
    """A character, sent as an int32."""
    word, after = _midi(datagram, at, end)
    try:
        return word.decode("utf-32-be"), after
    except UnicodeDecodeError:
        raise WireError(f"got {int.from_bytes(word, 'big')}, which is not a character", at) from None


def _midi(datagram: bytes, at: int, end: int) -> tuple[bytes, int]:
    """Four bytes: a MIDI message of port, status and two data bytes."""
    if end - at < 4:
        raise WireError("message ends in an argument of four bytes", at)
    return datagram[at : at + 4], at + 4


def _blob(datagram: bytes, at: int, end: int) -> tuple[bytes, int]:
    start = at + _INT32.size
    size = _INT32.unpack_from(datagram, at)[0] if start <= end else -1
    after = start + size + -size % 4
    if size < 0 or after > end:
        raise WireError(f"got {size} as the size of a blob, with {max(0, end - start)} bytes left", at)
    return datagram[start : start + size], after


def _text(datagram: bytes, at: int, end: int, what: str) -> tuple[str, int]:
    """UTF-8 text up to a NUL, and the offset after its padding. OSC 1.0 asks for ASCII, VMC for UTF-8."""
    stop = datagram.find(b"\0", at, end)
    after = stop + 4 - (stop - at) % 4
    if stop < 0 or after > end:
        raise WireError(f"{what} does not end within the message", at)
    try:
        return datagram[at:stop].decode(), after
    except UnicodeDecodeError as error:
        raise WireError(f"{what} is not UTF-8: {error.reason}", at + error.start) from None


_READERS: dict[str, Callable[[bytes, int, int], tuple[str | bytes, int]]] = {
    "s": _string,
    "S": _string,
    "c": _character,
    "b": _blob,
    "m": _midi,
}
