"""A microphone that goes, stalls or comes back otherwise: found again, and every loss counted."""

import threading

import numpy as np
import pytest
from microphones import BLOCK, RATE, microphone, wasapi_twin

from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock, fake_device


def unplugged(devices: FakePortAudio, index: int = 0) -> None:
    del devices.plugged[index]
    devices.streams[-1].unplug()


def test_a_microphone_that_goes_is_found_again_by_its_name_under_another_index(caplog):
    devices, clock = FakePortAudio(), ManualClock()
    source = microphone(devices, clock, Input("desk"))
    devices.streams[0].record(BLOCK)
    blocks = source.blocks()
    assert next(blocks).start == 0
    desk = devices.plugged[0]
    unplugged(devices)
    devices.refuse = "Device unavailable"  # also the inputs that are left, so that nobody's else is taken

    def replug(_clock: ManualClock) -> None:
        devices.refuse = None
        devices.plugged.append(desk)

    clock.at(3.0, replug)
    heard = iter_with_sound(blocks, devices, streams=2)
    assert heard.start == pytest.approx(3.0 * RATE, abs=0.51 * RATE)
    assert devices.streams[1].options["device"] == 2
    assert source.reopened == 1
    assert source.trouble is None
    assert [record.message.split(" ")[0] for record in caplog.records] == ["microphone", "microphone"]
    source.close()


def iter_with_sound(blocks, devices: FakePortAudio, streams: int):
    """The next block, with a thread that speaks into the newest stream as soon as there are so many."""
    found = threading.Event()

    def speak() -> None:
        while len(devices.streams) < streams and not found.wait(0.001):
            pass
        devices.streams[-1].record(np.tile(BLOCK, devices.streams[-1].options["channels"]))

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        return next(blocks)
    finally:
        found.set()
        speaker.join(5)


def test_while_it_is_away_it_says_so_and_the_default_is_not_taken_for_it():
    devices, clock = FakePortAudio(default_input=1), ManualClock()
    source = microphone(devices, clock, Input("desk"))
    unplugged(devices)
    seen = []

    def look(_clock: ManualClock) -> None:
        seen.append((source.trouble, len(devices.streams)))
        source.close()

    clock.at(5.0, look)
    assert list(source.blocks()) == []
    assert seen == [("microphone 'Desk Microphone' stopped; was it unplugged?", 1)]
    assert devices.started == 1 + 9  # twice a second until it was closed


def test_when_the_default_goes_the_next_default_is_followed():
    devices, clock = FakePortAudio(), ManualClock()
    source = microphone(devices, clock)
    unplugged(devices)
    block = iter_with_sound(source.blocks(), devices, streams=2)
    assert source.name == "Studio Interface: Line In"
    assert block.samples.shape[1] == 2
    source.close()


def test_a_driver_that_stalls_is_opened_again():
    devices, clock = FakePortAudio(), ManualClock()
    source = microphone(devices, clock, stall_s=0.01)
    devices.streams[0].record(BLOCK)
    blocks = source.blocks()
    next(blocks)
    clock.advance(2.0)
    block = iter_with_sound(blocks, devices, streams=2)
    assert devices.streams[0].closed
    assert block.start == pytest.approx(2.5 * RATE, abs=RATE // 10)
    source.close()


def test_a_device_that_comes_back_at_another_rate_goes_on_at_its_time():
    devices, clock = FakePortAudio(), ManualClock()
    source = microphone(devices, clock)
    clock.advance(200 / RATE)
    devices.streams[0].record(BLOCK)
    blocks = source.blocks()
    next(blocks)
    devices.plugged[0] = {**devices.plugged[0], "default_samplerate": 16000.0}
    devices.streams[0].unplug()
    block = iter_with_sound(blocks, devices, streams=2)
    assert (block.sample_rate, source.sample_rate) == (16000, 16000)
    assert block.end / 16000 == pytest.approx(0.5 + 200 / RATE, abs=0.02)
    source.close()


def test_losses_are_counted_over_all_openings():
    devices, clock = FakePortAudio(), ManualClock()
    source = microphone(devices, clock)
    devices.streams[0].record(BLOCK, overflow=True)
    blocks = source.blocks()
    next(blocks)
    devices.streams[0].unplug()
    iter_with_sound(blocks, devices, streams=2)
    devices.streams[1].record(BLOCK, overflow=True)
    assert source.overflows == 2
    source.close()


def test_closed_while_it_is_looked_for_it_leaves_no_stream_open():
    devices, clock = FakePortAudio(), ManualClock()
    source = microphone(devices, clock)
    clock.at(0.5, lambda _clock: source.close())
    devices.streams[0].unplug()
    assert list(source.blocks()) == []
    assert all(stream.closed for stream in devices.streams)


def test_a_sound_server_that_restarts_does_not_end_the_microphone():
    devices, clock = FakePortAudio(), ManualClock()
    source = microphone(devices, clock)
    devices.streams[0].record(BLOCK)
    blocks = source.blocks()
    next(blocks)
    devices.silent = True
    clock.at(3.0, lambda _clock: setattr(devices, "silent", False))
    devices.streams[0].unplug()
    assert iter_with_sound(blocks, devices, streams=2).start > 2 * RATE
    source.close()


def test_a_card_that_comes_back_with_another_number_is_the_same_microphone():
    devices, clock = FakePortAudio(), ManualClock()
    devices.plugged.append(fake_device(3, "Yeti: USB Audio (hw:1,0)", inputs=2, outputs=0))
    devices.devices = list(devices.plugged)
    source = microphone(devices, clock, Input("yeti"))
    unplugged(devices, 3)
    clock.at(
        2.0, lambda _clock: devices.plugged.insert(0, fake_device(0, "Yeti: USB Audio (hw:2,0)", inputs=2, outputs=0))
    )
    iter_with_sound(source.blocks(), devices, streams=2)
    assert source.name == "Yeti: USB Audio (hw:2,0)"
    source.close()


def test_a_microphone_chosen_by_number_comes_back_through_its_own_sound_system():
    devices, clock = wasapi_twin(), ManualClock()
    source = microphone(devices, clock, Input("3"))
    devices.streams[0].unplug()
    iter_with_sound(source.blocks(), devices, streams=2)
    assert devices.streams[1].options["device"] == 3
    source.close()
