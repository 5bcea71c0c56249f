"""A sink of several Live Link targets that can be added, removed and renamed while frames are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES, fade
from livelink_bridge.sinks.base import Sink
from livelink_bridge.timing.stamp import Stamp

_TAIL_FRAMES = HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES
"""Frames sent after a target's removal: hold, decay and neutral tail. Unreal shows the last frame indefinitely."""

OpenTarget = Callable[[str, str], Sink]
"""Opens the sink of a URI and a subject. The device id does not change: Unreal removes a device's old subject when it
gets a new name."""


@dataclass(slots=True, eq=False)
class _Target:
    """One target. The controlling thread writes `active`, the sender writes `age`."""

    uri: str
    sink: Sink
    active: bool = True
    age: int = _TAIL_FRAMES
    """Frames since the last unmodified one; from `_TAIL_FRAMES` on nothing is sent."""


class LiveTargets:
    """A sink with a changing set of targets. One thread sends, another changes the set; the sender never waits for a
    socket or a name lookup, as the lock is held only to replace one tuple by another.
    """

    name = "livelink:"
    closure: LipRule = "metahuman"

    def __init__(self, uris: Iterable[str], subject: str, open_target: OpenTarget) -> None:
        """
        Parameters
        ----------
        uris : initial targets
        subject : name of the Live Link subject
        open_target : opens the sink of a URI and a subject

        Raises
        ------
        UsageError, SinkError : as `open_sink`
        """
        self._open, self._subject = open_target, subject
        self._targets: tuple[_Target, ...] = ()
        self._retired: tuple[Sink, ...] = ()
        """Sinks for the sender to close, as it may still be using them."""
        self._streaming = True
        self._lock = threading.Lock()
        self._sent_before = self._errors_before = 0
        """Counts of removed targets."""
        try:
            for uri in uris:
                self.add(uri)
        except BaseException:
            self.close()
            raise

    @property
    def parts(self) -> tuple[Sink, ...]:
        """Sinks of the active targets, for the status."""
        return tuple(target.sink for target in self._targets if target.active)

    @property
    def sent(self) -> int:
        """Frames sent, summed over all targets, removed ones included."""
        return self._sent_before + sum(target.sink.sent for target in self._targets)

    @property
    def errors(self) -> int:
        """Frames that could not be sent, summed over all targets, removed ones included."""
        return self._errors_before + sum(target.sink.errors for target in self._targets)

    def add(self, uri: str) -> None:
        """Add a target, or reactivate it. Raises UsageError and SinkError as `open_sink`."""
        with self._lock:
            for target in self._targets:
                if _endpoint(target.uri) == _endpoint(uri):
                    target.active = True
                    return
        target = _Target(uri, self._open(uri, self._subject))
        with self._lock:
            self._targets = (*self._targets, target)

    def clear(self) -> None:
        """Remove every target: its face decays to neutral, then nothing more is sent."""
        with self._lock:
            for target in self._targets:
                target.active = False

    def stream(self, on: bool) -> None:
        """Pause or resume sending; on a pause the faces decay to neutral first."""
        self._streaming = on

    def rename(self, subject: str) -> None:
        """Use another subject name from the next frame on. If a target cannot be reopened, nothing changes and the
        error is raised."""
        if subject == self._subject:
            return
        fresh: list[_Target] = []
        try:
            for target in self._targets:
                if target.active:
                    fresh.append(_Target(target.uri, self._open(target.uri, subject), age=target.age))
        except BaseException:
            for target in fresh:
                target.sink.close()
            raise
        with self._lock:
            # Removed targets get no decay under the old name: one more packet would bring the old subject back.
            self._retired = (*self._retired, *(target.sink for target in self._targets))
            self._subject, self._targets = subject, tuple(fresh)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Send one frame to the active targets, and the decay to neutral to the others; see `Sink.send`."""
        with self._lock:
            targets, retired, self._retired = self._targets, self._retired, ()
        for sink in retired:
            self._close_sink(sink)
        for target in targets:
            if target.active and self._streaming:
                target.age = 0
                target.sink.send(weights, stamp)
            elif target.age < _TAIL_FRAMES:
                target.age += 1
                target.sink.send(weights * fade(target.age), stamp)
            elif not target.active:
                self._drop(target)

    def close(self) -> None:
        """Close all sinks. Harmless twice."""
        with self._lock:
            sinks = [*self._retired, *(target.sink for target in self._targets)]
            self._retired = ()
        for sink in sinks:
            sink.close()

    def _drop(self, target: _Target) -> None:
        with self._lock:
            if target.active or target not in self._targets:  # reactivated or renamed a moment ago
                return
            self._targets = tuple(other for other in self._targets if other is not target)
        self._close_sink(target.sink)

    def _close_sink(self, sink: Sink) -> None:
        self._sent_before += sink.sent
        self._errors_before += sink.errors
        sink.close()


def _endpoint(uri: str) -> tuple[str, int | None]:
    """Host and port, which identify a target; options do not count."""
    parts = urlsplit(uri)
    host = (parts.hostname or "").lower()
    return "127.0.0.1" if host == "localhost" else host, parts.port
