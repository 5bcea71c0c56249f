"""Remote control of a live session: its voices, its Live Link targets and its recorder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.errors import BridgeError
from livelink_bridge.remote_control.interface import FinishedTake
from livelink_bridge.remote_control.voice import Calibration
from livelink_bridge.sinks.live_targets import LiveTargets

_FIRST_SLATE, _FIRST_TAKE = "MySlate", 1

_log = logging.getLogger(__name__)


class Voice(Protocol):
    """What can be changed of one performer's voice and face. Not called from the model thread."""

    @property
    def muted(self) -> bool:
        """Whether the microphone is muted."""
        ...

    @property
    def held_neutral(self) -> bool:
        """Whether the face is held at neutral."""
        ...

    @property
    def calibration(self) -> Calibration:
        """Progress or result of the calibration."""
        ...

    def set_mood(self, mood: Mood) -> None:
        """Change the mood."""
        ...

    def set_gain(self, gain_db: float) -> None:
        """Set the microphone's gain, -40 to 40 dB. Raises BridgeError if the voice has no microphone."""
        ...

    def calibrate(self) -> None:
        """Start a calibration. Raises BridgeError if the voice has no microphone or one is running."""
        ...

    def set_muted(self, on: bool) -> None:
        """Mute or unmute. Raises BridgeError if the voice has no microphone."""
        ...

    def hold_neutral(self, on: bool) -> None:
        """Hold the face at neutral, or release it."""
        ...


class Recorder(Protocol):
    """Writes takes; implemented by `livelink_bridge.takes.recorder.Recorder`."""

    slate: str
    take: int
    subject: str

    @property
    def recording(self) -> bool:
        """Whether a take is being recorded."""
        ...

    @property
    def takes(self) -> Sequence[Path]:
        """The takes written so far, oldest first."""
        ...

    @property
    def running(self) -> tuple[str, int] | None:
        """Slate and number of the take being recorded; None between takes."""
        ...

    def start(self, slate: str, take: int) -> str:
        """Start a take and return the timecode of its first frame."""
        ...

    def stop(self) -> FinishedTake:
        """End the take; its files are complete when this returns."""
        ...

    def cancel(self) -> object:
        """End the take and delete its files."""
        ...


class LiveInterface:
    """The `RemoteInterface` of a live session. Actions that the session has no part for raise BridgeError."""

    def __init__(
        self,
        voices: Mapping[str, Voice],
        targets: Mapping[str, LiveTargets],
        recorder: Recorder | None,
        *,
        timecode: Callable[[], str],
        recorders: Mapping[str, Recorder] | None = None,
    ) -> None:
        """
        Parameters
        ----------
        voices, targets : by subject; a subject may have no voice, for instance in a replay
        recorder : records the takes that remote control starts; None without `--record DIR` and with several subjects
        timecode : returns the timecode of the last frame sent
        recorders : by subject, for takes that are started on this machine; None if nothing is recorded
        """
        self._recorders = dict(recorders or {})
        self._on_started: Callable[[str, int], None] = lambda _slate, _take: None
        self._on_ended: Callable[[], None] = lambda: None
        self._voices, self._targets = dict(voices), dict(targets)
        self._recorder, self._timecode = recorder, timecode
        self._slate, self._take = _FIRST_SLATE, _FIRST_TAKE

    def add_target(self, uri: str) -> None:
        """Also send every subject to `livelink://HOST:PORT`."""
        for targets in self._targets.values():
            targets.add(uri)

    def clear_targets(self) -> None:
        """Stop sending to every Live Link target."""
        for targets in self._targets.values():
            targets.clear()

    def rename(self, subject: str) -> None:
        """Rename the only subject. Raises BridgeError if there are several."""
        if len(self._targets) != 1:
            raise BridgeError(
                f"{len(self._targets)} subjects are sent from here, expected one to rename; name performers in the "
                "settings"
            )
        (old,) = self._targets
        self._targets[old].rename(subject)
        # Each is replaced in one assignment: the preview page reads them from another thread.
        self._targets = {subject: self._targets[old]}
        self._voices = {subject if name == old else name: voice for name, voice in self._voices.items()}
        self._recorders = {subject if name == old else name: recorder for name, recorder in self._recorders.items()}
        for recorder in self._recorders.values():
            recorder.subject = subject
        if self._recorder:
            self._recorder.subject = subject
        if subject != old:
            _log.info("remote control: the subject is called %r now", subject)

    def stream(self, on: bool) -> None:
        """Start or stop sending to the Live Link targets."""
        for targets in self._targets.values():
            targets.stream(on)

    def battery(self) -> float:
        """Always 1: the battery is not read."""
        return 1.0

    @property
    def recording(self) -> bool:
        """Whether remote control is recording a take."""
        return self._recorder is not None and self._recorder.recording

    @property
    def slate(self) -> str:
        """The slate of the next take; `MySlate` at the start."""
        return self._recorder.slate if self._recorder else self._slate

    @slate.setter
    def slate(self, name: str) -> None:
        if self._recorder:
            self._recorder.slate = name
        self._slate = name

    @property
    def take(self) -> int:
        """The number of the next take; 1 at the start."""
        return self._recorder.take if self._recorder else self._take

    @take.setter
    def take(self, number: int) -> None:
        if self._recorder:
            self._recorder.take = number
        self._take = number

    def record_start(self, slate: str, take: int) -> str:
        """Start a take and return the timecode of its first frame. Raises BridgeError if nothing can be recorded."""
        return self._require_recorder().start(slate, take)

    def record_stop(self) -> FinishedTake:
        """End the take; its files are complete when this returns. Raises BridgeError if there is none."""
        return self._require_recorder().stop()

    def record_cancel(self) -> str:
        """End the take, delete its files and return the current timecode."""
        self._require_recorder().cancel()
        return self._timecode()

    def mark(self, text: str) -> str:
        """Log a mark with its take and return its timecode."""
        timecode = self._timecode()
        running = self._recorder.running if self._recorder else None
        where = "in take {1} of {0}".format(*running) if running else "while no take is recorded"
        _log.info("remote control: mark %r at %s %s", text, timecode, where)
        return timecode

    def set_mood(self, mood: Mood, subject: str | None) -> None:
        """Change the mood. Here and below, `subject` None means every face; an unknown one raises BridgeError."""
        for voice in self._voices_of(subject):
            voice.set_mood(mood)

    def set_gain(self, gain_db: float, subject: str | None) -> None:
        """Set the microphone's gain, -40 to 40 dB."""
        for voice in self._voices_of(subject):
            voice.set_gain(gain_db)

    def calibrate(self, subject: str | None) -> None:
        """Start a calibration; does not wait for its result."""
        for voice in self._voices_of(subject):
            voice.calibrate()

    def set_muted(self, on: bool, subject: str | None) -> None:
        """Mute or unmute the microphone."""
        for voice in self._voices_of(subject):
            voice.set_muted(on)

    def hold_neutral(self, on: bool, subject: str | None) -> None:
        """Hold the face at neutral, or release it."""
        for voice in self._voices_of(subject):
            voice.hold_neutral(on)

    def on_local_takes(self, on_started: Callable[[str, int], None], on_ended: Callable[[], None]) -> None:
        """Set the callbacks for takes that are started and ended on this machine. They run in the thread that records.

        Parameters
        ----------
        on_started : called with slate and take number
        on_ended : called when the take has ended
        """
        self._on_started, self._on_ended = on_started, on_ended

    @property
    def subjects(self) -> tuple[str, ...]:
        """The current names of the subjects with a voice, in the order of the constructor's argument."""
        return tuple(self._voices)

    @property
    def voices(self) -> Mapping[str, Voice]:
        """Voices by subject."""
        return self._voices

    @property
    def recorders(self) -> Mapping[str, Recorder]:
        """Recorders of takes started on this machine, by subject."""
        return self._recorders

    def recorder_of(self, subject: str) -> Recorder:
        """The recorder of one subject's takes. Raises BridgeError if there is none."""
        recorder = self._recorders.get(subject)
        if recorder is None:
            raise BridgeError(f"takes of {subject} are not recorded here; start with --record DIR")
        return recorder

    def begin_take(self, subject: str) -> str:
        """Start the next take of one subject on this machine and return the timecode of its first frame. May block for
        a second until that frame is sent."""
        recorder = self.recorder_of(subject)
        slate, take = recorder.slate, recorder.take
        timecode = recorder.start(slate, take)
        self._on_started(slate, take)
        return timecode

    def end_take(self, subject: str) -> FinishedTake:
        """End the take of one subject on this machine; its files are complete when this returns. Raises BridgeError if
        there is none."""
        recorded = self.recorder_of(subject).stop()
        self._on_ended()
        return recorded

    def _require_recorder(self) -> Recorder:
        if self._recorder is None:
            if self._recorders:
                raise BridgeError(
                    "takes of several performers run for the whole session, or are started with the key R; remote "
                    "control cannot start them"
                )
            raise BridgeError("takes are not recorded here; start with --record DIR")
        return self._recorder

    def _voices_of(self, subject: str | None) -> list[Voice]:
        """Compared without case, as Unreal compares names."""
        matching = [
            voice for name, voice in self._voices.items() if subject is None or name.casefold() == subject.casefold()
        ]
        if not matching:
            raise BridgeError(f"got subject {subject!r}, expected one of {', '.join(self._voices)}")
        return matching
