"""OSC messages of remote control: addresses, arguments and replies. No socket, no state.

The addresses are those in Epic's documentation of the app and those in Switchboard's plugin for it, in both spellings
where they differ. Surplus arguments are ignored: Switchboard appends an integer 1 to messages without arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from arkit_mapping.liveliness.moods import Mood
from arkit_mapping.takes.folder import MAX_TAKE
from livelink_bridge.core.limits import GAIN, PORT
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.peers import Endpoint
from livelink_bridge.settings import checks

UNREAL_PORT = 11111
MAX_NAME_BYTES = 100
"""Bytes of UTF-8 in a slate."""
_MAX_TEXT = 1024
_MAX_MOOD = 200
_MAX_LOGGED = 60
"""Characters of a malformed value that are quoted in the log."""

Reader = Callable[[object], Any]
"""Converts an OSC argument. Raises ValueError, whose text says what was expected."""


class ControlError(BridgeError):
    """A message that cannot be carried out. Only logged: the protocol has no reply for errors."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An OSC message to send."""

    to: Endpoint
    address: str
    arguments: tuple[str | int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """A peer's request for a take's file, to be sent over TCP."""

    to: Endpoint
    path: str
    """As received: not checked yet."""


@dataclass(frozen=True, slots=True)
class Command:
    """One OSC command: its action and the readers of its arguments."""

    action: str
    """Key in `RemoteProtocol`'s table of actions."""
    required: tuple[Reader, ...] = ()
    optional: tuple[Reader, ...] = ()
    """Readers of optional arguments; a missing argument is None."""

    def read(self, arguments: Sequence[object]) -> tuple[Any, ...]:
        """The values of the known arguments. Raises ControlError if one is missing or invalid."""
        if len(arguments) < len(self.required):
            raise ControlError(f"got {len(arguments)} arguments, expected {len(self.required)}")
        given = list(arguments[: len(self.required) + len(self.optional)])
        values = [
            _read(number, reader, value)
            for number, (reader, value) in enumerate(zip(self.required + self.optional, given, strict=False), 1)
        ]
        return (*values, *[None] * (len(self.required) + len(self.optional) - len(values)))


def short_repr(value: object) -> str:
    """A received value for a log line: text is cut to 60 characters, other types are named."""
    if isinstance(value, str | bytes):
        return repr(value[:_MAX_LOGGED])
    return repr(value) if isinstance(value, int | float | None) else type(value).__name__


def _read(number: int, reader: Reader, value: object) -> object:
    try:
        return reader(value)
    except ValueError as error:
        raise ControlError(
            f"argument {number}: got {short_repr(value)}, expected {checks.expectation(error)}"
        ) from None


def text(value: object) -> str:
    """1 to 1024 printable characters."""
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT or not value.isprintable():
        raise ValueError(f"1 to {_MAX_TEXT} printable characters")
    return value


def name(value: object) -> str:
    """A slate: 1 to 100 bytes of printable UTF-8."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or not value.isprintable()
        or len(value.encode()) > MAX_NAME_BYTES
    ):
        raise ValueError(f"a name of at most {MAX_NAME_BYTES} bytes")
    return value.strip()


def optional_slate(value: object) -> str | None:
    """A slate; None for a number, which a dashboard's button sends in its place."""
    return None if value is None or isinstance(value, bool | int | float) else name(value)


def number(value: object) -> float:
    """An int or a float below 1e9 in magnitude: dashboards send either for the other."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise ValueError("a number")
    return float(value)


def whole_number(lowest: int, highest: int) -> Reader:
    """A reader of whole numbers from `lowest` to `highest`, both included; 3.0 is read as 3."""

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
    """An IPv4 address or `localhost`. Names are refused: a DNS lookup would block all other messages."""
    if value == "localhost":
        return "127.0.0.1"
    try:
        if not isinstance(value, str):
            raise ValueError
        return str(IPv4Address(value.strip()))
    except ValueError:
        raise ValueError("an IPv4 address such as 192.168.1.10") from None


port = whole_number(round(PORT.lowest), round(PORT.highest))


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
    """A mood with its strength, such as `happy:0.4`."""
    if not isinstance(value, str) or len(value) > _MAX_MOOD:
        raise ValueError("a mood such as happy:0.4")
    return Mood.parse(value)


def gain(value: object) -> float:
    """Microphone gain, -40 to 40 dB."""
    return checks.within(GAIN)(number(value))


def on_off(value: object) -> bool:
    """1 is on, 0 is off."""
    if value in (0, 1):
        return bool(value)
    raise ValueError("1 or 0")


def optional_text(value: object) -> str | None:
    """A text, cut to 1024 characters; None for any other type, which counts as a surplus argument."""
    return value[:_MAX_TEXT] if isinstance(value, str) and value else None


def nil_or(reader: Reader) -> Reader:
    """A reader that takes OSC nil for a missing argument."""
    return lambda value: None if value is None else reader(value)


_ACCEPTED = Command("accept")
_TARGET = (host, port)

COMMANDS: dict[str, Command] = {
    "/OSCSetSendTarget": Command("set_send_target", _TARGET),
    "/OSCAddSendTarget": Command("add_send_target", _TARGET),
    "/AddLiveLinkAddress": Command("add_address", (host,), (nil_or(port),)),
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
    "/Take": Command("set_take", (whole_number(1, MAX_TAKE),)),
    "/TakeQuery": Command("take"),
    "/RecordStart": Command("record_start", optional=(optional_slate, nil_or(whole_number(1, MAX_TAKE)))),
    "/RecordStop": Command("record_stop"),
    "/RecordCancel": Command("record_cancel"),
    "/RecordAddMark": Command("mark", optional=(optional_text,)),
    "/Transport": Command("transport", (endpoint, text)),
    "/VideoDisplayOn": _ACCEPTED,
    "/VideoDisplayOff": _ACCEPTED,
    "/Data": _ACCEPTED,
    "/DataQuery": _ACCEPTED,
    "/mood": Command("set_mood", (mood,), (optional_text,)),
    "/gain": Command("gain", (gain,), (optional_text,)),
    "/calibrate": Command("calibrate", optional=(optional_text,)),
    "/mute": Command("mute", optional=(nil_or(on_off), optional_text)),
    "/neutral": Command("neutral", optional=(nil_or(on_off), optional_text)),
}
