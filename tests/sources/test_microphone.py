"""None"""

import pytest
from microphones import BLOCK, RATE, microphone, opened, wasapi_twin

from livelink_bridge.devices.portaudio import load_backend
from livelink_bridge.devices.selection import find_input
from livelink_bridge.errors import DeviceError
from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock


@pytest.mark.parametrize(
    ("wanted", "index"), [(None, 0), ("0", 0), ("1", 1), ("desk", 0), ("LINE IN", 1), ("studio interface", 1)]
)
def test_an_input_is_found_by_index_or_part_of_its_name(wanted, index):
    assert find_input(wanted, FakePortAudio().devices, 0) == index


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("7", "there is no device 7"),
        ("2", r"device 2 \(Speakers\) is not an input"),
        ("speakers", r"device 2 \(Speakers\) is not an input"),
        ("webcam", "no input's name contains 'webcam'"),
        ("i", "'i' fits several inputs"),
    ],
)
def test_what_is_not_an_input_is_answered_with_the_inputs(wanted, said):
    with pytest.raises(DeviceError, match=said) as failure:
        find_input(wanted, FakePortAudio().devices, 0)
    assert "0 Desk Microphone, 1 Studio Interface: Line In" in str(failure.value)


def test_a_whole_name_is_meant_even_where_it_is_part_of_another():
    devices = FakePortAudio().devices
    devices.append({**devices[0], "index": 3, "name": "Desk Microphone 2"})
    assert find_input("desk microphone", devices, 0) == 0


def test_of_one_device_in_several_sound_systems_the_defaults_is_taken():
    devices = FakePortAudio().devices
    devices.append({**devices[0], "index": 3, "hostapi": 1})
    assert find_input("desk", devices, 3) == 3


def test_a_machine_without_inputs_says_so():
    with pytest.raises(DeviceError, match="no microphone: .*this machine has no audio input; plug one in"):
        find_input(None, [FakePortAudio().devices[2]], -1)


def test_a_device_that_refuses_is_one_line():
    with pytest.raises(DeviceError, match="'default' cannot be opened: Invalid sample rate"):
        opened(refuse="Invalid sample rate")


def test_a_missing_portaudio_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    with pytest.raises(DeviceError, match="install PortAudio"):
        load_backend()


def test_a_sound_system_that_does_not_start_is_one_line(monkeypatch):
    def fail(_name: str) -> None:
        raise FakePortAudio.PortAudioError("Error initializing PortAudio: Unanticipated host error", -9999)

    monkeypatch.setattr("livelink_bridge.devices.portaudio.import_module", fail)
    with pytest.raises(
        DeviceError, match="^no audio devices: Error initializing PortAudio: Unanticipated host error; is"
    ):
        load_backend()


def test_a_device_that_is_busy_is_one_line_and_left_closed():
    devices = FakePortAudio(busy="Device unavailable")
    with pytest.raises(DeviceError, match="'default' cannot be opened: Device unavailable"):
        microphone(devices, ManualClock())
    assert devices.streams[0].closed


def test_it_runs_at_the_devices_own_rate_with_all_its_channels_and_the_systems_own_blocks():
    devices = FakePortAudio()
    source = microphone(devices, ManualClock(), Input("line in"))
    options = devices.streams[0].options
    assert (options["device"], options["samplerate"], options["channels"], options["blocksize"]) == (1, RATE, 8, 0)
    assert devices.streams[0].started
    source.close()
    assert devices.streams[0].closed


def test_an_overflow_leaves_a_gap_as_long_as_the_clock_says():
    source, devices, clock = opened()
    for _ in range(10):
        clock.advance(200 / RATE)
        devices.streams[0].record(BLOCK)
    clock.advance(5000 / RATE)
    devices.streams[0].record(BLOCK, overflow=True)
    clock.advance(200 / RATE)
    devices.streams[0].record(BLOCK)
    source.close()
    starts = [block.start for block in source.blocks()]
    assert starts[:10] == list(range(0, 2000, 200))
    assert starts[10] == pytest.approx(2000 + 4800, abs=20)
    assert starts[11] == starts[10] + 200
    assert source.overflows == 1


def test_an_overflow_is_never_spliced_over():
    source, devices, _ = opened()
    devices.streams[0].record(BLOCK)
    devices.streams[0].record(BLOCK, overflow=True)
    source.close()
    assert [block.start for block in source.blocks()] == [0, 400]


def test_audio_that_is_not_read_is_dropped_oldest_first_and_counted():
    source, devices, _ = opened()
    for _ in range(135):
        devices.streams[0].record(BLOCK)
    source.close()
    blocks = list(source.blocks())
    assert source.dropped == 10
    assert blocks[0].start == 2000
    assert len(blocks) == 125


def test_the_devices_buffer_is_copied():
    source, devices, _ = opened()
    devices.streams[0].record(BLOCK)
    source.close()
    assert (next(iter(source.blocks())).samples == 1).all()


def test_exclusive_is_asked_of_wasapi_and_refused_elsewhere():
    devices = FakePortAudio()
    with pytest.raises(DeviceError, match="no input supports exclusive mode"):
        microphone(devices, ManualClock(), Input(exclusive=True))
    devices.devices[0]["hostapi"] = 1
    microphone(devices, ManualClock(), Input(exclusive=True))
    assert devices.streams[0].options["extra_settings"].exclusive


@pytest.mark.parametrize("wanted", ["desk", None])
def test_exclusive_looks_among_wasapis_devices_alone(wanted):
    devices = wasapi_twin()
    microphone(devices, ManualClock(), Input(wanted, exclusive=True))
    assert devices.streams[0].options["device"] == 3
