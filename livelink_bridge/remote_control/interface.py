"""The actions of a session that remote control can call."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from arkit_mapping.liveliness.moods import Mood


class FinishedTake(Protocol):
    """A finished take."""

    @property
    def timecode(self) -> str:
        """When it ended, HH:MM:SS:FF.mmm."""
        ...

    @property
    def csv(self) -> Path:
        """The file with the frames."""
        ...

    @property
    def sound(self) -> Path | None:
        """The .wav file; None for a take without audio."""
        ...


class RemoteInterface(Protocol):
    """The part of a running session that remote control may change.

    All methods are called from one thread, which is not the sender's, and may block briefly: sockets are opened and
    files are written here. An action that fails raises BridgeError; its message is logged.
    """

    def add_target(self, uri: str) -> None:
        """Also send frames to `livelink://HOST:PORT`. Adding a target twice has no further effect."""
        ...

    def clear_targets(self) -> None:
        """Stop sending to every Live Link target, those of `--to` included. Targets of other wires stay."""
        ...

    def rename(self, subject: str) -> None:
        """Change the name in Unreal's Live Link window. It is checked like the setting `subject`."""
        ...

    def stream(self, on: bool) -> None:
        """Start or stop sending frames to the Live Link targets. The face decays to neutral before sending stops."""
        ...

    def battery(self) -> float:
        """Charge of the machine's battery, 0 to 1; 1 if it has none or the level is unknown."""
        ...

    @property
    def recording(self) -> bool:
        """Whether a take is being recorded."""
        ...

    @property
    def slate(self) -> str:
        """The slate of the next take."""
        ...

    @slate.setter
    def slate(self, name: str) -> None:
        """1 to 100 bytes of printable text. The implementation makes a valid file name of it."""
        ...

    @property
    def take(self) -> int:
        """The number of the next take."""
        ...

    @take.setter
    def take(self, number: int) -> None:
        """1 to `MAX_TAKE`."""
        ...

    def record_start(self, slate: str, take: int) -> str:
        """Start a take and return the timecode of its first frame. Not called while one is being recorded."""
        ...

    def record_stop(self) -> FinishedTake:
        """End the take, or return the one that ended by itself (a full disk). Its files are complete when this returns.
        Raises BridgeError if there is no take."""
        ...

    def record_cancel(self) -> str:
        """End the take, delete its files and return the current timecode. Called only while one is being recorded."""
        ...

    def mark(self, text: str) -> str:
        """Set a mark in the take and return its timecode. Called only while one is being recorded."""
        ...

    def set_mood(self, mood: Mood, subject: str | None) -> None:
        """Change the mood. Here and below, `subject` None means every face; an unknown subject raises BridgeError."""
        ...

    def set_gain(self, gain_db: float, subject: str | None) -> None:
        """Set the microphone's gain: -40 to 40 dB."""
        ...

    def calibrate(self, subject: str | None) -> None:
        """Start measuring room noise and voice. Returns at once, before the result."""
        ...

    def set_muted(self, on: bool, subject: str | None) -> None:
        """Mute the microphone, also in takes, or unmute it."""
        ...

    def hold_neutral(self, on: bool, subject: str | None) -> None:
        """Hold the face at neutral, or release it."""
        ...
