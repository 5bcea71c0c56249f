"""The Live Link targets of one subject, which come, go and change their name while poses are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.face.jitter_buffer import EASE_POSES, HOLD_POSES, REST_POSES, fade
from livelink_bridge.sinks.base import Sink
from livelink_bridge.timing.stamp import Stamp

_ASLEEP = HOLD_POSES + EASE_POSES + REST_POSES
"""Poses until a target that is let go has eased to neutral and rested: Unreal shows the last one for ever."""

OpenTarget = Callable[[str, str], Sink]
"""A URI and a subject to a sink. The device id stays what it is: Unreal removes a device's old subject when it gets a
new name."""


@dataclass(slots=True, eq=False)
class _Line:
    """One target. `wanted` belongs to whoever directs, `age` to the sender."""

    uri: str
    sink: Sink
    wanted: bool = True
    age: int = _ASLEEP
    """Poses since one was last sent as it is; from `_ASLEEP` on nothing is sent."""


class LiveTargets:
    """A sink that is several. One thread sends, another changes what there is; the sender never waits for a socket to
    open or a name to be looked up, for the lock is held only to exchange one tuple for another.
    """

    name = "livelink:"
    closure: LipRule = "metahuman"

    def __init__(self, uris: Iterable[str], subject: str, open_target: OpenTarget) -> None:
        self._open, self._subject = open_target, subject
        self._lines: tuple[_Line, ...] = ()
        self._retired: tuple[Sink, ...] = ()
        """To be closed by the sender, which may be using them."""
        self._streaming = True
        self._lock = threading.Lock()
        self._sent_before = self._errors_before = 0
        """Of targets that are gone."""
        try:
            for uri in uris:
                self.add(uri)
        except BaseException:
            self.close()
            raise

    @property
    def parts(self) -> tuple[Sink, ...]:
        """Those that poses go to now, for the status."""
        return tuple(line.sink for line in self._lines if line.wanted)

    @property
    def sent(self) -> int:
        return self._sent_before + sum(line.sink.sent for line in self._lines)

    @property
    def errors(self) -> int:
        return self._errors_before + sum(line.sink.errors for line in self._lines)

    def add(self, uri: str) -> None:
        """Send there too. Raises UsageError and SinkError as `open_sink` does."""
        with self._lock:
            for line in self._lines:
                if _place(line.uri) == _place(uri):
                    line.wanted = True
                    return
        line = _Line(uri, self._open(uri, self._subject))
        with self._lock:
            self._lines = (*self._lines, line)

    def clear(self) -> None:
        """Let every target go: its face comes to rest, then nothing more is sent."""
        with self._lock:
            for line in self._lines:
                line.wanted = False

    def stream(self, on: bool) -> None:
        """Off: faces come to rest and nothing more is sent, until on."""
        self._streaming = on

    def rename(self, subject: str) -> None:
        """Another name from the next pose on. Where a target cannot be opened again everything stays as it was, and its
        error is raised."""
        if subject == self._subject:
            return
        fresh: list[_Line] = []
        try:
            for line in self._lines:
                if line.wanted:
                    fresh.append(_Line(line.uri, self._open(line.uri, subject), age=line.age))
        except BaseException:
            for line in fresh:
                line.sink.close()
            raise
        with self._lock:
            # What is let go under the old name is cut off: one more packet would bring the old subject back.
            self._retired = (*self._retired, *(line.sink for line in self._lines))
            self._subject, self._lines = subject, tuple(fresh)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        with self._lock:
            lines, retired, self._retired = self._lines, self._retired, ()
        for sink in retired:
            self._part_with(sink)
        for line in lines:
            if line.wanted and self._streaming:
                line.age = 0
                line.sink.send(weights, stamp)
            elif line.age < _ASLEEP:
                line.age += 1
                line.sink.send(weights * fade(line.age), stamp)
            elif not line.wanted:
                self._drop(line)

    def close(self) -> None:
        with self._lock:
            sinks = [*self._retired, *(line.sink for line in self._lines)]
            self._retired = ()
        for sink in sinks:
            sink.close()

    def _drop(self, line: _Line) -> None:
        with self._lock:
            if line.wanted or line not in self._lines:  # it was asked for again, or renamed, a moment ago
                return
            self._lines = tuple(one for one in self._lines if one is not line)
        self._part_with(line.sink)

    def _part_with(self, sink: Sink) -> None:
        self._sent_before += sink.sent
        self._errors_before += sink.errors
        sink.close()


def _place(uri: str) -> tuple[str, int | None]:
    """What makes two URIs the same target: options do not."""
    parts = urlsplit(uri)
    host = (parts.hostname or "").lower()
    return "127.0.0.1" if host == "localhost" else host, parts.port
