"""What a speech engine and the server say to each other: text to messages and back, and what is allowed when. No
socket, no clock."""

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
_LONGEST_MOOD = 200
_SHOWN = 40
"""Characters of something malformed that are said back."""


class ProtocolError(BridgeError):
    """A message that the protocol does not have, or not now. The connection goes on."""


@dataclass(frozen=True, slots=True)
class Start:
    """How the sound that follows is laid down, and, the first time, whose face it moves."""

    format: PcmFormat
    subject: str | None = None
    """Name in Unreal's Live Link window; None is the server's default and, in a later start, the one there is."""
    mood: str | None = None
    echo: bool | None = None
    """Whether the sound comes back at the pace at which it is played; None is no and, in a later start, as before."""


@dataclass(frozen=True, slots=True)
class End:
    """The utterance is complete."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Drop whatever was not played yet."""


@dataclass(frozen=True, slots=True)
class Mood:
    mood: str
    """As on the command line: happy:0.4."""


Message = Start | End | Interrupt | Mood


class Conversation:
    """One connection's side of the protocol: what was declared so far, and so what the next message means."""

    def __init__(self) -> None:
        self.started: Start | None = None
        """The last start, with the subject and the echo that hold for the connection."""

    def text(self, text: str) -> Message:
        """A text message. Raises ProtocolError, or UsageError for a value that cannot be; either way nothing has
        changed."""
        message = parse(text)
        if isinstance(message, Start):
            self._check_again(message)
        elif self.started is None:
            raise ProtocolError(f"got {json.loads(text)['type']!r} before start; send start first")
        return message

    def accept(self, start: Start, subject: str) -> None:
        """The server does what `start` asks, for the face `subject`: sound is read by it from now on."""
        echo = self.started.echo if self.started else bool(start.echo)
        self.started = replace(start, subject=subject, echo=echo)

    def sound_format(self) -> PcmFormat:
        """How the sound in a binary message is laid down. Raises ProtocolError before start."""
        if self.started is None:
            example = '{"type": "start", "format": "s16le", "rate": 24000, "channels": 1}'
            raise ProtocolError(f"got sound before a start was accepted; send {example} first")
        return self.started.format

    def _check_again(self, start: Start) -> None:
        if self.started is None:
            return
        if start.subject is not None and not _same_subject(start.subject, self.started.subject):
            raise ProtocolError(
                f"subject: got {start.subject!r}, this connection is {self.started.subject!r}; open another for it"
            )
        if start.echo not in (None, self.started.echo):
            raise ProtocolError("echo can only be chosen in the first start; open another connection to change it")


def parse(text: str) -> Message:
    """One text message. Raises ProtocolError for what is none, UsageError for a value that cannot be."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError(f'got {_shown(text)}, expected a JSON object such as {{"type": "end"}}') from None
    if not isinstance(content, dict):
        raise ProtocolError(f"got a JSON {type(content).__name__}, expected an object with a type")
    kind = content.pop("type", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ProtocolError(f"type: got {_shown(kind)}, expected one of {', '.join(_KINDS)}")
    known, make = _KINDS[kind]
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise ProtocolError(f"{kind} has no {_shown(unknown[0])}; expected {', '.join(known) or 'type alone'}")
    return make(content)


def _start(content: dict[str, Any]) -> Start:
    for key in ("format", "rate", "channels"):
        if key not in content:
            raise ProtocolError(f"start lacks {key}; expected format, rate and channels")
    encoding, echo = content["format"], content.get("echo")
    if not isinstance(encoding, str):
        raise ProtocolError(f"format: got {_shown(encoding)}, expected s16le or f32le")
    if echo is not None and not isinstance(echo, bool):
        raise ProtocolError(f"echo: got {_shown(echo)}, expected true or false")
    mood = _mood(content["mood"]).mood if content.get("mood") is not None else None
    return Start(
        PcmFormat(encoding[:_SHOWN], content["rate"], content["channels"]), _subject(content.get("subject")), mood, echo
    )


def _same_subject(one: str, other: str | None) -> bool:
    return other is not None and one.casefold() == other.casefold()


def _subject(value: object) -> str | None:
    if value is None:
        return None
    try:
        return checks.subject(value)
    except ValueError as error:
        raise UsageError(f"subject: got {_shown(value)}, expected {error}") from None


def _mood(value: object) -> Mood:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_MOOD:
        raise ProtocolError(f"mood: got {_shown(value)}, expected text such as happy:0.4")
    return Mood(value)


def _mood_message(content: dict[str, Any]) -> Mood:
    return _mood(content.get("mood"))


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], Message]]] = {
    "start": (("format", "rate", "channels", "subject", "mood", "echo"), _start),
    "end": ((), lambda _content: End()),
    "interrupt": ((), lambda _content: Interrupt()),
    "mood": (("mood",), _mood_message),
}
"""By type: the keys it may have, and what makes the message of them."""


def ready(subject: str, buffer_s: float) -> str:
    """The answer to start. `buffer_s` is how much sound may wait to be played."""
    return json.dumps({"type": "ready", "protocol": VERSION, "subject": subject, "buffer_s": buffer_s})


def error(problem: str) -> str:
    return json.dumps({"type": "error", "error": problem})


def done(what: UtteranceEnd) -> str:
    """An utterance was played to its end, or was interrupted."""
    return json.dumps(
        {"type": "done", "utterance": what.utterance, "reason": what.reason, "played_s": round(what.played_s, 3)}
    )


def position(where: Position) -> str:
    values = {
        "utterance": where.utterance,
        "played_s": round(where.played_s, 3),
        "buffered_s": round(where.buffered_s, 3),
    }
    return json.dumps(
        {"type": "position", **values, "underruns": where.underruns, "dropped_bytes": where.dropped_bytes}
    )


def audio(format: PcmFormat, samples: int, in_s: float) -> str:
    """What precedes the echo: `samples` of sound are to be heard `in_s` seconds after this was sent."""
    layout = {"format": format.encoding, "rate": format.rate, "channels": format.channels}
    return json.dumps({"type": "audio", **layout, "samples": samples, "in_s": round(in_s, 4)})


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
