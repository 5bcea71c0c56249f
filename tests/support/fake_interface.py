"""A fake `RemoteInterface` that records its calls, and takes for it to send."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.errors import SinkError

CSV = b"Timecode,BlendShapeCount\n" + bytes(range(256)) * 1000


@dataclass(frozen=True)
class FakeTake:
    timecode: str
    csv: Path
    sound: Path | None


def recorded_take(folder: Path, slate: str = "MySlate", take: int = 3) -> FakeTake:
    """A take's folder, laid out as the app lays it out."""
    inside = folder / f"20261121_{slate}_{take}"
    inside.mkdir(parents=True)
    csv, sound = inside / f"{slate}_{take}_Ada.csv", inside / f"{slate}_{take}_Ada.wav"
    csv.write_bytes(CSV)
    sound.write_bytes(b"RIFF")
    (inside / "take.json").write_text("{}")
    return FakeTake("10:00:05:00", csv, sound)


@dataclass
class FakeInterface:
    folder: Path | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)
    slate: str = "MySlate"
    take: int = 1
    recording: bool = False
    full: bool = False

    def add_target(self, uri: str) -> None:
        self.calls.append(("add_target", uri))

    def clear_targets(self) -> None:
        self.calls.append(("clear_targets",))

    def rename(self, subject: str) -> None:
        self.calls.append(("rename", subject))

    def stream(self, on: bool) -> None:
        self.calls.append(("stream", on))

    def battery(self) -> float:
        return 0.75

    def record_start(self, slate: str, take: int) -> str:
        assert not self.recording
        if self.full:
            raise SinkError("the disk is full; make room and record again")
        self.slate, self.take, self.recording = slate, take, True
        self.calls.append(("record_start", slate, take))
        return "10:00:00:00"

    def record_stop(self) -> FakeTake:
        if not self.recording:
            raise SinkError("nothing is being recorded; start a take before it is stopped")
        self.recording = False
        self.calls.append(("record_stop",))
        self.take += 1
        return (
            recorded_take(self.folder, self.slate, self.take - 1)
            if self.folder
            else FakeTake("10:00:05:00", Path("a.csv"), None)
        )

    def record_cancel(self) -> str:
        assert self.recording
        self.recording = False
        self.calls.append(("record_cancel",))
        return "10:00:04:00"

    def mark(self, text: str) -> str:
        assert self.recording
        self.calls.append(("mark", text))
        return "10:00:02:00"

    def set_mood(self, mood: Mood, subject: str | None) -> None:
        self.calls.append(("set_mood", str(mood), subject))

    def set_gain(self, gain_db: float, subject: str | None) -> None:
        self.calls.append(("set_gain", gain_db, subject))

    def calibrate(self, subject: str | None) -> None:
        self.calls.append(("calibrate", subject))

    def set_muted(self, on: bool, subject: str | None) -> None:
        self.calls.append(("mute", on, subject))

    def hold_neutral(self, on: bool, subject: str | None) -> None:
        self.calls.append(("neutral", on, subject))
