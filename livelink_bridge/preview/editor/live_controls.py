"""Live session for the page: the state of each performer and the actions of the buttons. Does not depend on the page.

Buttons act through the same interface as remote control (`livelink_bridge.remote_control`): there is one way to mute,
to record and to hold neutral.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from arkit_mapping.liveliness.moods import DEFAULT_INTENSITY, names_of_moods
from livelink_bridge.core.clock import Clock, MonotonicClock
from livelink_bridge.errors import UsageError
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.remote_control.voice import RemoteVoice
from livelink_bridge.reporting.metrics import Status, Target
from livelink_bridge.reporting.status_text import losses_text
from livelink_bridge.session.status import StatusReporter
from livelink_bridge.settings.moods import read_mood
from livelink_bridge.sinks.preview import PreviewSink
from livelink_bridge.takes.recorder import Recorder

STATUS_S = 0.2
"""A status is rebuilt after this time; several tabs share it."""
State = dict[str, Any]
"""What JSON can write."""


class _Playing(NamedTuple):
    """One session, as long as it is the newest."""

    number: int
    remote: LiveInterface
    sessions: tuple[StatusReporter, ...]


@dataclass(slots=True)
class _Seen:
    """What was noticed of a performer from one look to the next, by the clock."""

    status: Status | None = None
    status_s: float = -math.inf
    recording_since_s: float | None = None


class LiveControls:
    """Shows and controls the newest session passed to `follow`. Performers are numbered from 0.

    `follow` is called by the session's thread, the rest by any; `act` may take a second.
    """

    def __init__(self, recorders: Mapping[str, Recorder], *, sliders: bool = True, clock: Clock | None = None) -> None:
        """`recorders` record each subject's takes on demand; `sliders` says whether the page's character is what the
        face has."""
        self.recorders, self.sliders = dict(recorders), sliders
        self._clock = clock or MonotonicClock()
        self._playing: _Playing | None = None
        self._seen: dict[tuple[int, int], _Seen] = {}
        self._actions: dict[str, Callable[[LiveInterface, str, Any], str]] = {
            "mute": lambda remote, subject, on: _quietly(remote.set_muted, bool(on), subject),
            "neutral": lambda remote, subject, on: _quietly(remote.hold_neutral, bool(on), subject),
            "mood": lambda remote, subject, mood: _quietly(remote.set_mood, read_mood(mood), subject),
            "calibrate": lambda remote, subject, _value: _quietly(remote.calibrate, subject),
            "record": _record,
        }

    def follow(self, remote: LiveInterface, sessions: Mapping[str, StatusReporter]) -> None:
        """Show and direct this session from now on."""
        self._playing = _Playing(self.number + 1, remote, tuple(sessions.values()))
        self._seen = {}

    @property
    def number(self) -> int:
        """Which session is followed, from 1; 0 before the first."""
        return self._playing.number if self._playing else 0

    def sink(self, performer: int) -> PreviewSink | None:
        """Where a performer's poses come from; None where they do not go to the page."""
        sinks = self._playing.sessions[performer].sinks if self._has(performer) and self._playing else ()
        return next((sink for sink in sinks if isinstance(sink, PreviewSink)), None)

    def meter(self, performer: int) -> list[float]:
        """Level and held peak in dBFS, samples clipped in the last second; nothing where no microphone is metered."""
        if not self._has(performer) or self._playing is None:
            return []
        chain = self._playing.sessions[performer].chain
        return [] if chain is None else [chain.meter.rms_dbfs, chain.meter.held_peak_dbfs, chain.meter.clipped_per_s]

    def state(self, performer: int) -> State:
        """Everything else that the page shows: `subjects`, and, once there is a session, what is known of one of
        them."""
        playing = self._playing
        if playing is None or not self._has(performer):
            return {"subjects": [], "moods": list(names_of_moods())}
        seen = self._seen.setdefault((playing.number, performer), _Seen())
        subjects = playing.remote.subjects
        status = self._status(playing.sessions[performer], seen)
        return {
            "subjects": list(subjects),
            "moods": list(names_of_moods()),
            "trouble": status.trouble or "",
            "gate": status.gate,
            "device": status.device.name if status.device else "",
            "timecode": status.timecode or "",
            **_voice_state(playing.remote, subjects[performer]),
            "recording": self._recording(playing.remote, subjects[performer], seen),
            "targets": [
                _target(target) for target in status.targets if not target.name.startswith(("preview:", "take:"))
            ],
            "figures": [[name, value] for name, value in _figures(status, self.sink(performer))],
        }

    def act(self, performer: int, what: str, value: object) -> str:
        """Do what a button asks; what to say of it, which may be nothing. Raises BridgeError where it cannot be
        done."""
        playing, action = self._playing, self._actions.get(what)
        if playing is None or not self._has(performer):
            raise UsageError("the session has not begun yet; wait until the face moves")
        if action is None:
            raise UsageError(f"got {what!r}, expected one of {', '.join(self._actions)}")
        return action(playing.remote, playing.remote.subjects[performer], value)

    def _has(self, performer: int) -> bool:
        return self._playing is not None and 0 <= performer < len(self._playing.sessions)

    def _status(self, session: StatusReporter, seen: _Seen) -> Status:
        now_s = self._clock.now()
        if seen.status is None or now_s - seen.status_s >= STATUS_S:
            seen.status, seen.status_s = session.status(), now_s
        return seen.status

    def _recording(self, remote: LiveInterface, subject: str, seen: _Seen) -> State | None:
        """Whether a take is being recorded, for how long, and the file of the last one."""
        recorder = remote.recorders.get(subject)
        if recorder is None:
            return None
        if not recorder.recording:
            seen.recording_since_s = None
        elif seen.recording_since_s is None:
            seen.recording_since_s = self._clock.now()
        since_s = seen.recording_since_s
        takes = recorder.takes
        return {
            "on": recorder.recording,
            "seconds": 0.0 if since_s is None else round(self._clock.now() - since_s, 1),
            "last": "" if recorder.recording or not takes else _short(takes[-1]),
        }


def _target(target: Target) -> State:
    return {"name": target.name, "sent": target.sent, "undelivered": target.errors, "trouble": target.trouble or ""}


def _quietly(do: Callable[..., None], *arguments: object) -> str:
    """What the page shows by itself needs no word."""
    do(*arguments)
    return ""


def _record(remote: LiveInterface, subject: str, _value: object) -> str:
    """Begin a take, or end the one that runs."""
    recorder = remote.recorder_of(subject)
    if recorder.recording:
        return f"Recorded {remote.end_take(subject).csv}."
    slate, take = recorder.slate, recorder.take
    return f"Recording take {take} of {slate} from {remote.begin_take(subject)}."


def _voice_state(remote: LiveInterface, subject: str) -> State:
    voice = cast(RemoteVoice, remote.voices[subject])
    calibration, parts = voice.calibration, voice.mood.parts
    return {
        "microphone": voice.has_microphone,
        "muted": voice.muted,
        "neutral": voice.held_neutral,
        "mood": "" if not parts or parts == (("neutral", parts[0][1]),) else "+".join(name for name, _ in parts),
        "strength": parts[0][1] if parts else DEFAULT_INTENSITY,
        "calibration": {
            "hears": calibration.listening_for,
            "done": round(calibration.done, 2),
            "result": calibration.result[:1].upper() + calibration.result[1:],
            "failed": calibration.failed,
        },
    }


def _short(csv: Path) -> str:
    """A take's file with its folder."""
    return f"{csv.parent.name}/{csv.name}"


def _figures(status: Status, sink: PreviewSink | None) -> list[tuple[str, str]]:
    """Names and values, in the order they are shown."""
    wanted = "" if status.wanted_fps is None else f" of {status.wanted_fps:.4g}"
    figures = [("sent", f"{status.fps:.1f}{wanted} fps")]
    if status.delay is not None:
        figures.append(("delay", f"{status.delay.median_ms:.0f} ms, p99 {status.delay.p99_ms:.0f} ms (last minute)"))
    if sink is not None:
        seen = sink.delay()
        figures.append(("drawn", f"{seen.fps:.0f} fps"))
        if not math.isnan(seen.p95_ms):
            figures.append(("pose to screen", f"{seen.p50_ms:.0f} ms, p95 {seen.p95_ms:.0f} ms (last minute)"))
    return [*figures, ("losses", losses_text(status.losses))]
