"""Stand-ins for time, audio, network and receivers, for the tests of this project and of programs built on it."""

from __future__ import annotations

from livelink_bridge.testing.shared_clock import SharedClock
from livelink_bridge.testing.stand_ins import (
    CollectSink,
    FakePortAudio,
    FakeStream,
    ListSource,
    LoudnessModel,
    ManualClock,
    fake_device,
)

__all__ = [
    "CollectSink",
    "FakePortAudio",
    "FakeStream",
    "ListSource",
    "LoudnessModel",
    "ManualClock",
    "SharedClock",
    "fake_device",
]
