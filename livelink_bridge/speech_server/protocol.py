"""The protocol between speech engine and server: parses and builds messages and checks their order. No socket, no
clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from livelink_bridge.audio.pcm import PcmFormat
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.settings import checks
from livelink_bridge.sources.utterance import Position, UtteranceEnd

VERSION = 1
_MAX_MOOD = 200
_MAX_QUOTED = 40
"""Characters of a malformed value that an error quotes."""


class ProtocolError(BridgeError):
    """An unknown message, or one at the wrong time. The connection stays open."""


@dataclass(frozen=True, slots=True)
class Start:
    """Format of the audio that follows and, in the first start, the face it drives."""

    format: PcmFormat
    """Encoding, rate and channels of binary messages."""
    subject: str | None = None
    """Name in Unreal's Live Link window; None is the server's default or, in a later start, the present one."""
    mood: str | None = None
    """Mood such as happy:0.4; None leaves it unchanged."""
    echo: bool | None = None
    """Whether to send the audio back in real time as it is played; None is no or, in a later start, unchanged."""


@dataclass(frozen=True, slots=True)
class End:
    """The utterance is complete."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Discard the audio that has not been played."""


@dataclass(frozen=True, slots=True)
class Mood:
    """Change the mood."""

    mood: str
    """As on the command line: happy:0.4."""


Message = Start | End | Interrupt | Mood


class Conversation:
    """State of one connection: the format in force, and which messages are allowed next."""

    def __init__(self) -> None:
        self.started: Start | None = None
        """The last start, with the connection's subject and echo; None before the first."""

    def text(self, text: str) -> Message:
        """Parse a text message and check that it is allowed now. Raises ProtocolError, or UsageError for an invalid
        value; the state is then unchanged."""
        message = parse(text)
        if isinstance(message, Start):
            self._check_restart(message)
        elif self.started is None:
            raise ProtocolError(f"got {json.loads(text)['type']!r} before start; send start first")
        return message

    def accept(self, start: Start, subject: str) -> None:
        """Put a start in force for the face `subject`: binary messages are read in its format from now on."""
        echo = self.started.echo if self.started else bool(start.echo)
        self.started = replace(start, subject=subject, echo=echo)

    def sound_format(self) -> PcmFormat:
        """Format of the audio in a binary message. Raises ProtocolError before the first start."""
        if self.started is None:
            example = '{"type": "start", "format": "s16le", "rate": 24000, "channels": 1}'
            raise ProtocolError(f"got audio before a start was accepted; send {example} first")
        return self.started.format

    def _check_restart(self, start: Start) -> None:
        if self.started is None:
            return
        if start.subject is not None and not _same_subject(start.subject, self.started.subject):
            raise ProtocolError(
                f"subject: got {start.subject!r}, this connection is {self.started.subject!r}; open another for it"
            )
        if start.echo not in (None, self.started.echo):
            raise ProtocolError("echo can only be chosen in the first start; open another connection to change it")


def parse(text: str) -> Message:
    """Parse a text message. Raises ProtocolError if it is malformed or unknown, UsageError for an invalid value."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError(f'got {_short_repr(text)}, expected a JSON object such as {{"type": "end"}}') from None
    if not isinstance(content, dict):
        raise ProtocolError(f"got a JSON {type(content).__name__}, expected an object with a type")
    kind = content.pop("type", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ProtocolError(f"type: got {_short_repr(kind)}, expected one of {', '.join(_KINDS)}")
    known, build = _KINDS[kind]
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise ProtocolError(f"{kind} has no {_short_repr(unknown[0])}; expected {', '.join(known) or 'type alone'}")
    return build(content)


def _start(content: dict[str, Any]) -> Start:
    for key in ("format", "rate", "channels"):
        if key not in content:
            raise ProtocolError(f"start lacks {key}; expected format, rate and channels")
    encoding, echo = content["format"], content.get("echo")
    if not isinstance(encoding, str):
        raise ProtocolError(f"format: got {_short_repr(encoding)}, expected s16le or f32le")
    if echo is not None and not isinstance(echo, bool):
        raise ProtocolError(f"echo: got {_short_repr(echo)}, expected true or false")
    mood = _mood(content["mood"]).mood if content.get("mood") is not None else None
    return Start(
        PcmFormat(encoding[:_MAX_QUOTED], content["rate"], content["channels"]),
        _subject(content.get("subject")),
        mood,
        echo,
    )


def _same_subject(one: str, other: str | None) -> bool:
    return other is not None and one.casefold() == other.casefold()


def _subject(value: object) -> str | None:
    if value is None:
        return None
    try:
        return checks.subject(value)
    except ValueError as error:
        raise UsageError(f"subject: got {_short_repr(value)}, expected {error}") from None


def _mood(value: object) -> Mood:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_MOOD:
        raise ProtocolError(f"mood: got {_short_repr(value)}, expected text such as happy:0.4")
    return Mood(value)


def _mood_message(content: dict[str, Any]) -> Mood:
    return _mood(content.get("mood"))


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], Message]]] = {
    "start": (("format", "rate", "channels", "subject", "mood", "echo"), _start),
    "end": ((), lambda _content: End()),
    "interrupt": ((), lambda _content: Interrupt()),
    "mood": (("mood",), _mood_message),
}
"""By type: the keys it may have, and the function that builds the message."""


def ready(subject: str, buffer_s: float) -> str:
    """The reply to start. `buffer_s` is the capacity of the playout buffer in seconds."""
    return json.dumps({"type": "ready", "protocol": VERSION, "subject": subject, "buffer_s": buffer_s})


def error(problem: str) -> str:
    """A message was refused, or the face failed; `problem` is one line for the user."""
    return json.dumps({"type": "error", "error": problem})


def done(end: UtteranceEnd) -> str:
    """An utterance has been played to its end or interrupted; times in seconds, rounded to 1 ms."""
    return json.dumps(
        {"type": "done", "utterance": end.utterance, "reason": end.reason, "played_s": round(end.played_s, 3)}
    )


def position(where: Position) -> str:
    """The playout position: seconds played of the utterance, seconds buffered (1 ms), underruns, dropped bytes."""
    values = {
        "utterance": where.utterance,
        "played_s": round(where.played_s, 3),
        "buffered_s": round(where.buffered_s, 3),
    }
    return json.dumps(
        {"type": "position", **values, "underruns": where.underruns, "dropped_bytes": where.dropped_bytes}
    )


def audio(format: PcmFormat, samples: int, in_s: float) -> str:
    """The header of an echo's binary message.

    Parameters
    ----------
    format : of the echo
    samples : number of samples per audio channel
    in_s : seconds after this message is sent at which they are played
    """
    layout = {"format": format.encoding, "rate": format.rate, "channels": format.channels}
    return json.dumps({"type": "audio", **layout, "samples": samples, "in_s": round(in_s, 4)})


def _short_repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}..."
