import threading

import numpy as np
import pytest

from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.errors import DeviceError
from livelink_bridge.sources.demux import ChannelDemux, open_microphones
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.testing.stand_ins import FakePortAudio, ListSource, ManualClock

BLOCKS = [
    AudioBlock(np.tile(np.arange(1, 5, dtype=np.float32), (100, 1)), 48000, start, start / 48000)
    for start in range(0, 1000, 100)
]


def heard(split: ChannelDemux) -> list[list[AudioBlock]]:
    runner = threading.Thread(target=split.run)
    runner.start()
    found = [list(voice.blocks()) for voice in split.outputs]
    runner.join(5)
    return found


def test_each_voice_gets_its_own_channels_of_every_block():
    first, second = heard(ChannelDemux(ListSource(BLOCKS, live=True), [(0,), (3, 1)]))
    assert {tuple(block.samples[0]) for block in first} == {(1,)}
    assert {tuple(block.samples[0]) for block in second} == {(4, 2)}
    assert [block.start for block in second] == [block.start for block in BLOCKS]
    assert [block.arrived_s for block in first] == [block.arrived_s for block in BLOCKS]


def test_a_device_that_fails_fails_every_voice():
    split = ChannelDemux(ListSource(BLOCKS, live=True, failure=DeviceError("gone")), [(0,), (1,)])
    split.run()
    for voice in split.outputs:
        with pytest.raises(DeviceError, match="gone"):
            list(voice.blocks())


def test_a_voice_that_is_closed_leaves_the_others_their_sound():
    split = ChannelDemux(ListSource(BLOCKS, live=True), [(0,), (1,)])
    split.outputs[0].close()
    split.run()
    assert list(split.outputs[0].blocks()) == []
    assert len(list(split.outputs[1].blocks())) == len(BLOCKS)


def test_a_voice_says_of_its_device_what_the_device_says():
    source = ListSource(BLOCKS, live=True)
    source.trouble, source.overflows = "unplugged", 3
    voice = ChannelDemux(source, [(0,)]).outputs[0]
    assert (voice.name, voice.sample_rate, voice.trouble, voice.overflows) == ("list:", 48000, "unplugged", 3)


def test_a_devices_losses_are_counted_once_whatever_the_number_of_voices():
    source = ListSource(BLOCKS, live=True)
    source.overflows, source.dropped = 3, 5
    voices = ChannelDemux(source, [(0,), (0,), (0,)]).outputs
    assert [(voice.overflows, voice.dropped) for voice in voices] == [(3, 5), (0, 0), (0, 0)]


def opened(*wanted: Input):
    devices = FakePortAudio()
    system = SoundSystem(devices)
    sources, splits = open_microphones(
        wanted, ManualClock(), open_one=lambda one, clock: MicrophoneSource(one, clock=clock, system=system)
    )
    return sources, splits, devices


def test_each_device_is_opened_once_and_each_voice_gets_its_channels_of_it():
    sources, splits, devices = opened(Input("line in", (3,)), Input("desk"), Input("line in", (5, 2)))
    assert [stream.options["channels"] for stream in devices.streams] == [8, 1]
    assert [source.name for source in sources] == [
        "Studio Interface: Line In",
        "Desk Microphone",
        "Studio Interface: Line In",
    ]
    devices.streams[0].record(np.tile(np.arange(1, 9, dtype=np.float32), (100, 1)))
    splits[0].close()
    splits[0].run()
    assert next(sources[0].blocks()).samples[0].tolist() == [3]
    assert next(sources[2].blocks()).samples[0].tolist() == [5, 2]


def test_when_one_cannot_be_opened_none_stays_open():
    with pytest.raises(DeviceError, match="no input's name contains 'webcam'"):
        opened(Input("desk"), Input("webcam"))


def test_voices_without_a_channel_share_the_first():
    sources, splits, devices = opened(Input("desk"), Input("desk"))
    devices.streams[0].record(np.ones((100, 1), np.float32))
    splits[0].close()
    splits[0].run()
    assert [len(list(source.blocks())) for source in sources] == [1, 1]
