"""The messages: which addresses there are, what arguments they have, what is answered. No socket, no state.

The addresses are those of Epic's documentation of the app and those that Switchboard's plugin for it knows, in both
spellings where they differ. Arguments beyond the known ones are ignored: Switchboard puts an integer 1 behind messages
that have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from arkit_mapping.liveliness.moods import Mood
from arkit_mapping.takes.folder import MOST_TAKE
from livelink_bridge.core.limits import GAIN, PORT
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.peers import Endpoint
from livelink_bridge.settings import checks

UNREAL_PORT = 11111
LONGEST_NAME = 100
"""Bytes of UTF-8 in a slate."""
_LONGEST_TEXT = 1024
_LONGEST_MOOD = 200
_SHOWN = 60
"""Characters of something malformed that are said back in the log."""

Reader = Callable[[object], Any]
"""Makes a value of an argument. Raises ValueError that says what was expected."""


class ControlError(BridgeError):
    """A message that cannot be heeded. Its line is for the log: the protocol has no answer for it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to be sent."""

    to: Endpoint
    address: str
    arguments: tuple[str | int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """A take's file that a peer wants to be sent over TCP."""

    to: Endpoint
    path: str
    """As asked for: not checked yet."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be asked."""

    does: str
    """Which of the session's actions."""
    needs: tuple[Reader, ...] = ()
    may: tuple[Reader, ...] = ()
    """Arguments that may follow; None where they are missing."""

    def read(self, arguments: Sequence[object]) -> tuple[Any, ...]:
        """The values of the known arguments. Raises ControlError."""
        if len(arguments) < len(self.needs):
            raise ControlError(f"got {len(arguments)} arguments, expected {len(self.needs)}")
        given = list(arguments[: len(self.needs) + len(self.may)])
        values = [
            _read(number, reader, value)
            for number, (reader, value) in enumerate(zip(self.needs + self.may, given, strict=False), 1)
        ]
        return (*values, *[None] * (len(self.needs) + len(self.may) - len(values)))


def shown(value: object) -> str:
    """Something that others made, for a line of the log."""
    if isinstance(value, str | bytes):
        return repr(value[:_SHOWN])
    return repr(value) if isinstance(value, int | float | None) else type(value).__name__


def _read(number: int, reader: Reader, value: object) -> object:
    try:
        return reader(value)
    except ValueError as error:
        raise ControlError(f"argument {number}: got {shown(value)}, expected {checks.expectation(error)}") from None


def text(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise ValueError(f"1 to {_LONGEST_TEXT} printable characters")
    return value


def name(value: object) -> str:
    """A slate."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value.encode()) > LONGEST_NAME:
        raise ValueError(f"a name of at most {LONGEST_NAME} bytes")
    return value.strip()


def slate_of(value: object) -> str | None:
    """A slate, or the number that a button of a dashboard sends in its place."""
    return None if value is None or isinstance(value, bool | int | float) else name(value)


def number(value: object) -> float:
    """A float or an int; dashboards send either for the other."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise ValueError("a number")
    return float(value)


def whole(lowest: int, highest: int) -> Reader:
    def read(value: object) -> int:
        try:
            count = number(value)
        except ValueError:
            count = 0.5
        if not lowest <= count <= highest or count != int(count):
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return int(count)

    return read


def host(value: object) -> str:
    """An IPv4 address: looking up a name would hold up everything else that is asked."""
    if value == "localhost":
        return "127.0.0.1"
    try:
        if not isinstance(value, str):
            raise ValueError
        return str(IPv4Address(value.strip()))
    except ValueError:
        raise ValueError("an IPv4 address such as 192.168.1.10") from None


port = whole(round(PORT.lowest), round(PORT.highest))


def endpoint(value: object) -> Endpoint:
    """`192.168.1.10:7000`."""
    head, colon, tail = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    try:
        if not (colon and tail.isascii() and tail.isdecimal()):
            raise ValueError
        return Endpoint(host(head), port(int(tail[:6])))
    except ValueError:
        raise ValueError("IP:PORT such as 192.168.1.10:7000") from None


def subject(value: object) -> str:
    """The name of a Live Link subject."""
    return checks.subject(value)


def mood(value: object) -> Mood:
    if not isinstance(value, str) or len(value) > _LONGEST_MOOD:
        raise ValueError("a mood such as happy:0.4")
    return Mood.parse(value)


def gain(value: object) -> float:
    """Decibels."""
    return checks.within(GAIN)(number(value))


def switch(value: object) -> bool:
    if value in (0, 1):
        return bool(value)
    raise ValueError("1 or 0")


def some_text(value: object) -> str | None:
    """A text where there may be something else, which is then a surplus argument."""
    return value[:_LONGEST_TEXT] if isinstance(value, str) and value else None


def maybe(reader: Reader) -> Reader:
    """Nil where an argument may be missing counts as missing."""
    return lambda value: None if value is None else reader(value)


_ACCEPTED = Command("accept")
_TARGET = (host, port)

COMMANDS: dict[str, Command] = {
    "/OSCSetSendTarget": Command("set_send_target", _TARGET),
    "/OSCAddSendTarget": Command("add_send_target", _TARGET),
    "/AddLiveLinkAddress": Command("add_address", (host,), (maybe(port),)),
    "/ClearAllLiveLinkAddresses": Command("clear_addresses"),
    "/LiveLinkSubject": Command("rename", (subject,)),
    "/LiveLinkStreamStart": Command("stream_start"),
    "/LiveLinkStreamStop": Command("stream_stop"),
    "/ARSessionStart": Command("session_start"),
    "/ARSessionStop": Command("session_stop"),
    "/BatteryQuery": Command("battery"),
    "/ThermalsQuery": Command("thermals"),
    "/Slate": Command("set_slate", (name,)),
    "/SlateQuery": Command("slate"),
    "/SlateDescription": _ACCEPTED,
    "/Take": Command("set_take", (whole(1, MOST_TAKE),)),
    "/TakeQuery": Command("take"),
    "/RecordStart": Command("record_start", may=(slate_of, maybe(whole(1, MOST_TAKE)))),
    "/RecordStop": Command("record_stop"),
    "/RecordCancel": Command("record_cancel"),
    "/RecordAddMark": Command("mark", may=(some_text,)),
    "/Transport": Command("transport", (endpoint, text)),
    "/VideoDisplayOn": _ACCEPTED,
    "/VideoDisplayOff": _ACCEPTED,
    "/Data": _ACCEPTED,
    "/DataQuery": _ACCEPTED,
    "/mood": Command("set_mood", (mood,), (some_text,)),
    "/gain": Command("gain", (gain,), (some_text,)),
    "/calibrate": Command("calibrate", may=(some_text,)),
    "/mute": Command("mute", may=(maybe(switch), some_text)),
    "/neutral": Command("neutral", may=(maybe(switch), some_text)),
}
