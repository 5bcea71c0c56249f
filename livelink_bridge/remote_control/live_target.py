"""The stage of a live session: its voices, its Live Link targets and its recorder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.errors import BridgeError
from livelink_bridge.remote_control.interface import Recorded
from livelink_bridge.remote_control.voice import Calibration
from livelink_bridge.sinks.live_targets import LiveTargets

_FIRST_SLATE, _FIRST_TAKE = "MySlate", 1

_log = logging.getLogger(__name__)


class Voice(Protocol):
    """One performer's voice and face, as far as others may direct them. Called from another thread than the one that
    animates."""

    @property
    def muted(self) -> bool: ...

    @property
    def resting(self) -> bool:
        """Whether the face is held at neutral."""
        ...

    @property
    def calibration(self) -> Calibration: ...

    def set_mood(self, mood: Mood) -> None: ...

    def set_gain(self, gain_db: float) -> None:
        """Raises BridgeError where the voice has no microphone."""
        ...

    def calibrate(self) -> None:
        """Raises BridgeError where the voice has no microphone."""
        ...

    def mute(self, on: bool) -> None:
        """Raises BridgeError where the voice has no microphone."""
        ...

    def neutral(self, on: bool) -> None: ...


class Recorder(Protocol):
    """What writes takes; as `livelink_bridge.takes.recorder.Recorder`."""

    slate: str
    take: int
    subject: str

    @property
    def recording(self) -> bool: ...

    @property
    def takes(self) -> Sequence[Path]: ...

    @property
    def running(self) -> tuple[str, int] | None: ...

    def start(self, slate: str, take: int) -> str: ...

    def stop(self) -> Recorded: ...

    def cancel(self) -> object: ...


class LiveStage:
    """Directs what is there; says in one line what is not."""

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
        voices, targets : by subject; a subject may have no voice, as in a replay
        recorder : of the takes that remote control begins; None where no `--record DIR` says where takes go, or with
        several subjects
        timecode : the label of the frame sent last
        recorders : by subject, of takes that are begun on this machine; None where nothing is recorded
        """
        self._recorders = dict(recorders or {})
        self._on_begun: Callable[[str, int], None] = lambda _slate, _take: None
        self._on_ended: Callable[[], None] = lambda: None
        self._voices, self._targets = dict(voices), dict(targets)
        self._recorder, self._timecode = recorder, timecode
        self._slate, self._take = _FIRST_SLATE, _FIRST_TAKE

    def add_target(self, uri: str) -> None:
        for targets in self._targets.values():
            targets.add(uri)

    def clear_targets(self) -> None:
        for targets in self._targets.values():
            targets.clear()

    def rename(self, subject: str) -> None:
        if len(self._targets) != 1:
            raise BridgeError(
                f"{len(self._targets)} subjects are sent from here, expected one to rename; name performers in the "
                "settings"
            )
        (old,) = self._targets
        self._targets[old].rename(subject)
        # Each in one step: a page looks at them meanwhile.
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
        for targets in self._targets.values():
            targets.stream(on)

    def battery(self) -> float:
        """Always full: this machine's battery is not looked at."""
        return 1.0

    @property
    def recording(self) -> bool:
        return self._recorder is not None and self._recorder.recording

    @property
    def slate(self) -> str:
        return self._recorder.slate if self._recorder else self._slate

    @slate.setter
    def slate(self, name: str) -> None:
        if self._recorder:
            self._recorder.slate = name
        self._slate = name

    @property
    def take(self) -> int:
        return self._recorder.take if self._recorder else self._take

    @take.setter
    def take(self, number: int) -> None:
        if self._recorder:
            self._recorder.take = number
        self._take = number

    def record_start(self, slate: str, take: int) -> str:
        return self._needed().start(slate, take)

    def record_stop(self) -> Recorded:
        return self._needed().stop()

    def record_cancel(self) -> str:
        self._needed().cancel()
        return self._timecode()

    def mark(self, text: str) -> str:
        timecode = self._timecode()
        running = self._recorder.running if self._recorder else None
        where = "in take {1} of {0}".format(*running) if running else "while no take is recorded"
        _log.info("remote control: mark %r at %s %s", text, timecode, where)
        return timecode

    def set_mood(self, mood: Mood, subject: str | None) -> None:
        for voice in self._meant(subject):
            voice.set_mood(mood)

    def set_gain(self, gain_db: float, subject: str | None) -> None:
        for voice in self._meant(subject):
            voice.set_gain(gain_db)

    def calibrate(self, subject: str | None) -> None:
        for voice in self._meant(subject):
            voice.calibrate()

    def mute(self, on: bool, subject: str | None) -> None:
        for voice in self._meant(subject):
            voice.mute(on)

    def neutral(self, on: bool, subject: str | None) -> None:
        for voice in self._meant(subject):
            voice.neutral(on)

    def tell_takes(self, on_begun: Callable[[str, int], None], on_ended: Callable[[], None]) -> None:
        """Who hears of takes that are begun and ended on this machine: slate and number, and the end. Called by whoever
        records."""
        self._on_begun, self._on_ended = on_begun, on_ended

    @property
    def subjects(self) -> tuple[str, ...]:
        """Those with a voice, by the names that they have now, in the order they were given."""
        return tuple(self._voices)

    @property
    def voices(self) -> Mapping[str, Voice]:
        return self._voices

    @property
    def recorders(self) -> Mapping[str, Recorder]:
        return self._recorders

    def recorder_of(self, subject: str) -> Recorder:
        """What records one subject's takes. Raises BridgeError where nothing does."""
        recorder = self._recorders.get(subject)
        if recorder is None:
            raise BridgeError(f"takes of {subject} are not recorded here; start with --record DIR")
        return recorder

    def begin_take(self, subject: str) -> str:
        """Begin the next take of one subject on this machine; the timecode of its first pose. May wait a second for
        that."""
        recorder = self.recorder_of(subject)
        slate, take = recorder.slate, recorder.take
        timecode = recorder.start(slate, take)
        self._on_begun(slate, take)
        return timecode

    def end_take(self, subject: str) -> Recorded:
        """End the take of one subject on this machine; its files are complete when this returns. Raises BridgeError
        where there is none."""
        recorded = self.recorder_of(subject).stop()
        self._on_ended()
        return recorded

    def _needed(self) -> Recorder:
        if self._recorder is None:
            if self._recorders:
                raise BridgeError(
                    "takes of several performers run from the start to the end, or as the key R says; not by remote "
                    "control"
                )
            raise BridgeError("takes are not recorded here; start with --record DIR")
        return self._recorder

    def _meant(self, subject: str | None) -> list[Voice]:
        """Unreal's names know no case, nor does this."""
        meant = [
            voice for name, voice in self._voices.items() if subject is None or name.casefold() == subject.casefold()
        ]
        if not meant:
            raise BridgeError(f"got subject {subject!r}, expected one of {', '.join(self._voices)}")
        return meant
