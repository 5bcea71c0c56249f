"""A live session of one performer, for tests of what shows and controls it."""

from __future__ import annotations

from pathlib import Path

from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.audio.mute import Mute
from livelink_bridge.core.clock import Clock
from livelink_bridge.face.face import Face
from livelink_bridge.remote_control.voice import RemoteVoice
from livelink_bridge.reporting.metrics import Device, Status
from livelink_bridge.sinks import Sink
from livelink_bridge.sinks.preview import PreviewSink
from livelink_bridge.takes.recorder import Recorder


class PlayingSession:
    """A session of one performer whose figures are set by hand; face, chain, mute and recorder are the real ones."""

    def __init__(self, subject: str, folder: Path, clock: Clock) -> None:
        self.subject, self.face, self.mute = subject, Face(), Mute()
        self.chain = InputChain(None)
        self.recorder = Recorder(folder, subject=subject, first_pose_s=0.001)
        self.sink = PreviewSink(subject=subject, clock=clock)
        self.sinks: list[Sink] = [self.sink, self.recorder]
        self.voice = RemoteVoice(
            self.face, self.chain, f"{subject}'s mic", mute=self.mute, clock=clock, remember=lambda *_row: None
        )
        self.told = Status(state="live", fps=59.9, wanted_fps=60.0, gate=0.4, device=Device(f"{subject}'s mic", 48000))

    def status(self) -> Status:
        return self.told
