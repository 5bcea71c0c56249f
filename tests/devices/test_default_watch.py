import sys
import threading

import pytest

from livelink_bridge.devices.default_watch import DefaultWatch, needed
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.sources import microphone
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock


def changes(*names: str) -> int:
    """How often a watch calls when a process prints these names and ends."""
    calls: list[None] = []
    watch = DefaultWatch(lambda: calls.append(None), [sys.executable, "-c", f"for name in {names!r}: print(name)"])
    watch._thread.join(20)
    watch.close()
    return len(calls)


def test_another_default_is_noticed_once():
    assert changes("Desk", "Desk", "Headset", "Headset") == 1


def test_a_moment_without_any_input_is_no_change():
    assert changes("Desk", "", "Desk") == 0


@pytest.mark.parametrize(("platform", "is_needed"), [("linux", False), ("win32", True), ("darwin", True)])
def test_only_systems_that_do_not_follow_by_themselves_need_it(platform, is_needed):
    assert needed(platform) is is_needed


class Told(DefaultWatch):
    """A watch that a test calls."""

    def __init__(self, on_change) -> None:
        self.on_change = on_change
        told.append(self)

    def close(self) -> None:
        """Nothing runs."""


told: list[Told] = []


def test_a_microphone_that_was_the_default_gives_way_to_the_new_one(monkeypatch, caplog):
    monkeypatch.setattr(microphone, "needed", lambda: True)
    monkeypatch.setattr(microphone, "DefaultWatch", Told)
    devices, clock = FakePortAudio(), ManualClock()
    source = MicrophoneSource(Input(), clock=clock, system=SoundSystem(devices))
    devices.default.device = (1, 2)
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.append(next(source.blocks(), None)), daemon=True)
    reader.start()
    told[-1].on_change()
    while len(devices.streams) < 2 and reader.is_alive():
        threading.Event().wait(0.001)
    source.close()
    reader.join(10)
    assert source.name == "Studio Interface: Line In"
    assert "the system's default input has changed" in caplog.text


def test_a_microphone_that_was_named_is_not_watched(monkeypatch):
    monkeypatch.setattr(microphone, "needed", lambda: True)
    monkeypatch.setattr(microphone, "DefaultWatch", Told)
    before = len(told)
    MicrophoneSource(Input("desk"), clock=ManualClock(), system=SoundSystem(FakePortAudio())).close()
    assert len(told) == before
