"""What remote control acts on."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from arkit_mapping.liveliness.moods import Mood


class Recorded(Protocol):
    """A finished take."""

    @property
    def timecode(self) -> str:
        """When it ended, HH:MM:SS:FF.mmm."""
        ...

    @property
    def csv(self) -> Path: ...

    @property
    def sound(self) -> Path | None:
        """None for a take without sound."""
        ...


class RemoteInterface(Protocol):
    """The running session, as far as others may direct it.

    All of it is called from one thread, which is not the one that sends poses, and may take a moment: whatever opens
    sockets or writes files does it here. What cannot be done raises BridgeError, whose line is logged.
    """

    def add_target(self, uri: str) -> None:
        """Send poses to `livelink://HOST:PORT` as well. A target that is there already stays one."""
        ...

    def clear_targets(self) -> None:
        """Send to no Live Link target any more, those of `--to` included. Other wires stay."""
        ...

    def rename(self, subject: str) -> None:
        """Another name in Unreal's Live Link window, checked as the setting `subject` is."""
        ...

    def stream(self, on: bool) -> None:
        """Whether poses go to the Live Link targets. A face that is no longer sent comes to rest first."""
        ...

    def battery(self) -> float:
        """How full the machine's battery is, 0 to 1; 1 for one that has none or does not tell."""
        ...

    @property
    def recording(self) -> bool: ...

    @property
    def slate(self) -> str: ...

    @slate.setter
    def slate(self, name: str) -> None:
        """1 to 100 bytes of printable text. Making a file name of it is the stage's own care."""
        ...

    @property
    def take(self) -> int:
        """The number of the next take."""
        ...

    @take.setter
    def take(self, number: int) -> None:
        """1 to `MOST_TAKE`."""
        ...

    def record_start(self, slate: str, take: int) -> str:
        """Begin a take; the timecode of its first pose. Not called while one is being recorded."""
        ...

    def record_stop(self) -> Recorded:
        """End the take, or give the one that ended by itself; its files are complete when this returns. Raises where
        there is none."""
        ...

    def record_cancel(self) -> str:
        """End the take and keep nothing of it; the timecode now. Called only while one is being recorded."""
        ...

    def mark(self, text: str) -> str:
        """Note a moment of the take; its timecode. Called only while one is being recorded."""
        ...

    def set_mood(self, mood: Mood, subject: str | None) -> None:
        """`subject` None means every face, here and below; one that nobody has raises BridgeError."""
        ...

    def set_gain(self, gain_db: float, subject: str | None) -> None:
        """-40 to 40 dB, added to the microphone from now on."""
        ...

    def calibrate(self, subject: str | None) -> None:
        """Begin to measure the room and the voice; does not wait for the result."""
        ...

    def mute(self, on: bool, subject: str | None) -> None:
        """Silence in place of the microphone, also in takes, or its sound again."""
        ...

    def neutral(self, on: bool, subject: str | None) -> None:
        """Hold the face at rest, or let it go on."""
        ...
