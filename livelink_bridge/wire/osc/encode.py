"""OSC 1.0 encoder: bundles built once and filled with the values of each frame.

A message is its address, its type tags (a comma and a letter for each argument) and its arguments. Texts end in one to
four NULs, so that every field begins at a multiple of four bytes; numbers are big-endian. A bundle of messages is

    offset  bytes  field
    0       8      "#bundle" NUL
    8       8      time tag: seconds since 1900 and 2**-32 parts of a second (NTP), or 1, "immediately"
    16      4      size of the first message, int32
    20      size   the first message
    ...            size and message of the others

(opensoundcontrol.stanford.edu/spec-1_0.html). Building 61 messages takes one millisecond of Python, during which no
other thread of the program runs; filling a bundle takes a few microseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_BUNDLE = 1400
"""Bytes. Larger datagrams are fragmented by the network, and one lost fragment loses the frame."""
IMMEDIATELY = 1
"""Time tag of a bundle to be applied on arrival."""

_HEAD = b"#bundle\0"
_TAG = struct.Struct(">Q")
_INT32 = struct.Struct(">i")
_FLOAT32 = struct.Struct(">f")
_BUNDLE_HEAD = len(_HEAD) + _TAG.size
_WORD = 4
_FROM_1900_TO_1970_S = 2208988800
_NS = 10**9


@dataclass(frozen=True, slots=True)
class Value:
    """A float32 argument that is filled from each frame's values."""

    index: int
    """Position in the values."""


@dataclass(frozen=True, slots=True)
class Template:
    """An encoded message whose values are still 0."""

    raw: bytes
    """The message as encoded."""
    words: tuple[int, ...]
    """Offsets of its values, in words of four bytes from its start."""
    values: tuple[int, ...]
    """Positions of the values to write there."""


def message(address: str, *arguments: int | float | str | Value) -> Template:
    """Encode one message.

    Parameters
    ----------
    address : OSC address, begins with "/"
    arguments : int32, float32 or text, or a `Value` to fill later

    Raises
    ------
    struct.error : an integer beyond 32 bits
    """
    raw = _padded(address) + _padded("," + "".join(_tag(argument) for argument in arguments))
    words: list[int] = []
    for argument in arguments:
        if isinstance(argument, Value):
            words.append(len(raw) // _WORD)
        raw += _encoded(argument)
    return Template(raw, tuple(words), tuple(argument.index for argument in arguments if isinstance(argument, Value)))


def timetag(unix_ns: int) -> int:
    """OSC time tag of a time in nanoseconds since 1970 UTC. As in NTP, the seconds wrap in 2036."""
    seconds, ns = divmod(unix_ns, _NS)
    return (seconds + _FROM_1900_TO_1970_S) % 2**32 << 32 | (ns << 32) // _NS


class Bundle:
    """Messages in one datagram; encoding a frame only writes its values into it."""

    def __init__(self, messages: Sequence[Template]) -> None:
        starts = _BUNDLE_HEAD + np.cumsum([0, *(_WORD + len(message.raw) for message in messages)])
        self._raw = bytearray(
            _HEAD + _TAG.pack(IMMEDIATELY) + b"".join(_INT32.pack(len(each.raw)) + each.raw for each in messages)
        )
        self._words = np.frombuffer(self._raw, np.uint32)
        self._floats = self._words.view(">f4")
        first = starts // _WORD + 1
        self._at = np.array([first[n] + word for n, each in enumerate(messages) for word in each.words], np.intp)
        self.values = np.array([index for each in messages for index in each.values], np.intp)
        """Positions of the values in the bundle, intp (k,), in the bundle's order."""
        self.owners = np.repeat(np.arange(len(messages)), [len(each.values) for each in messages])
        """Number of the message that each of them belongs to, int (k,)."""
        self.messages = len(messages)
        """Number of messages."""
        self._word_owners = np.repeat(np.arange(-1, len(messages)), np.diff([0, *starts]) // _WORD)

    def filled(self, values: NDArray[np.float32], tag: int = IMMEDIATELY) -> bytes:
        """The datagram of one frame.

        Parameters
        ----------
        values : float32 (n,), n greater than every position in the bundle
        tag : OSC time tag
        """
        self._floats[self._at] = values.take(self.values)
        _TAG.pack_into(self._raw, len(_HEAD), tag)
        return bytes(self._raw)

    def some(self, values: NDArray[np.float32], chosen: NDArray[np.bool_], tag: int = IMMEDIATELY) -> bytes:
        """As `filled`, with only the `chosen` messages, bool (messages,)."""
        self.filled(values, tag)
        selected = np.append(chosen, True)[self._word_owners]
        return bytes(self._words[selected])


def bundles_of(messages: Iterable[Template]) -> list[Bundle]:
    """Pack messages, in order, into as few datagrams of at most `MAX_BUNDLE` bytes as possible; a longer message gets
    a datagram of its own."""
    parts: list[list[Template]] = [[]]
    size = _BUNDLE_HEAD
    for each in messages:
        if parts[-1] and size + _WORD + len(each.raw) > MAX_BUNDLE:
            parts.append([])
            size = _BUNDLE_HEAD
        parts[-1].append(each)
        size += _WORD + len(each.raw)
    return [Bundle(part) for part in parts if part]


def _padded(text: str) -> bytes:
    raw = text.encode()
    return raw + bytes(_WORD - len(raw) % _WORD)


def _tag(argument: int | float | str | Value) -> str:
    return {int: "i", str: "s"}.get(type(argument), "f")


def _encoded(argument: int | float | str | Value) -> bytes:
    if isinstance(argument, str):
        return _padded(argument)
    if isinstance(argument, int):
        return _INT32.pack(argument)
    return _FLOAT32.pack(0.0 if isinstance(argument, Value) else argument)
