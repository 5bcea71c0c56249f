import threading

import pytest

from livelink_bridge.devices import portaudio
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.errors import DeviceError
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock, fake_device


def test_a_device_plugged_in_is_listed_after_renewing():
    devices = FakePortAudio()
    system = SoundSystem(devices)
    devices.plugged.append(fake_device(3, "Webcam", inputs=1, outputs=0))
    assert len(system.devices()) == 3
    system.renew()
    assert system.devices()[3]["name"] == "Webcam"


def test_a_running_stream_is_interrupted_only_when_there_are_other_devices(monkeypatch):
    devices, clock = FakePortAudio(), ManualClock()
    system = SoundSystem(devices, clock=clock, start=lambda work: work())
    stream = system.open("InputStream")
    monkeypatch.setattr(portaudio, "names_in_new_process", lambda: [device["name"] for device in devices.devices])
    system.renew()
    assert (devices.started, stream.closed) == (1, False)
    clock.advance(2.0)
    monkeypatch.setattr(portaudio, "names_in_new_process", lambda: ["Webcam"])
    system.renew()
    assert (devices.started, stream.closed) == (2, True)


def test_where_no_other_process_can_tell_running_streams_are_left_alone(monkeypatch):
    devices = FakePortAudio()
    system = SoundSystem(devices)
    stream = system.open("InputStream")
    monkeypatch.setattr(portaudio, "names_in_new_process", lambda: None)
    system.renew()
    assert not stream.closed


def test_a_stream_that_does_not_start_is_left_closed():
    devices = FakePortAudio(busy="Device unavailable")
    system = SoundSystem(devices)
    with pytest.raises(system.error, match="Device unavailable"):
        system.open("OutputStream")
    assert devices.streams[0].closed
    system.renew()
    assert devices.started == 2


def test_a_stream_may_be_closed_twice():
    devices = FakePortAudio()
    system = SoundSystem(devices)
    stream = system.open("InputStream")
    system.close(stream)
    system.close(stream)
    assert stream.closed


def test_a_sound_server_that_is_away_is_a_device_error_until_it_is_back():
    devices = FakePortAudio()
    system = SoundSystem(devices)
    devices.silent = True
    system.renew()
    with pytest.raises(DeviceError, match="the sound system does not answer"):
        system.devices()
    with pytest.raises(DeviceError, match="does not answer"):
        system.default()
    system.renew()
    devices.silent = False
    system.renew()
    assert len(system.devices()) == 3


def test_a_device_that_never_closes_is_said_once_and_left_behind(caplog):
    devices, never = FakePortAudio(), threading.Event()
    system = SoundSystem(devices, close_s=0.05)
    for _ in range(2):
        stream = system.open("InputStream")
        stream.close = lambda: never.wait(30)
        system.close(stream)
    system.renew()
    never.set()
    assert devices.started == 1, "PortAudio is not ended under a stream that is being closed"
    assert [record.getMessage() for record in caplog.records] == [
        "an audio device did not close within 0.05 s and was abandoned; lost devices cannot be reopened any more"
    ]


def test_looking_for_devices_beside_a_running_stream_holds_up_no_thread_and_asks_seldom(monkeypatch):
    devices, clock, later = FakePortAudio(), ManualClock(), []
    system = SoundSystem(devices, clock=clock, start=later.append)
    stream = system.open("InputStream")
    monkeypatch.setattr(portaudio, "names_in_new_process", lambda: ["Webcam"])
    for _ in range(8):  # as a lost microphone does, twice a second
        system.renew()
        clock.advance(0.5)
    assert len(later) == 1 and not stream.closed, "one process at a time"
    later.pop()()
    system.renew()
    assert devices.started == 2 and stream.closed
