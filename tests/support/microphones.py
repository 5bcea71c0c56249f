"""Microphones of a sound system that tests make up."""

import numpy as np

from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock

RATE = 48000
BLOCK = np.ones((200, 1), np.float32)
DEFAULT = Input()


def microphone(
    devices: FakePortAudio, clock: ManualClock, wanted: Input = DEFAULT, stall_s: float = 1.0
) -> MicrophoneSource:
    return MicrophoneSource(wanted, clock=clock, system=SoundSystem(devices), stall_s=stall_s)


def opened(**options) -> tuple[MicrophoneSource, FakePortAudio, ManualClock]:
    devices, clock = FakePortAudio(**options), ManualClock()
    return microphone(devices, clock), devices, clock


def wasapi_twin() -> FakePortAudio:
    """The desk's microphone a second time, by Windows WASAPI."""
    devices = FakePortAudio()
    devices.plugged.append({**devices.plugged[0], "index": 3, "hostapi": 1})
    devices.devices = list(devices.plugged)
    return devices
