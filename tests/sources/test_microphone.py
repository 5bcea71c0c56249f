import re
import threading

import numpy as np
import pytest

from livelink_bridge.devices import input_device
from livelink_bridge.devices.portaudio import SoundSystem, load_backend
from livelink_bridge.devices.pulse import PulseInput
from livelink_bridge.devices.selection import find_input
from livelink_bridge.errors import DeviceError
from livelink_bridge.sources import microphone as microphone_module
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock, fake_device

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
    with pytest.raises(DeviceError, match="no microphone: .*this machine has no sound input; plug one in"):
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
        DeviceError, match="^no sound devices: Error initializing PortAudio: Unanticipated host error; is"
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


def test_sound_that_nobody_reads_is_dropped_oldest_first_and_counted():
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


@pytest.mark.parametrize(("channels", "kept"), [((), [1, 2]), ((3,), [3]), ((8, 2), [8, 2])])
def test_the_chosen_channels_are_kept_in_their_order(channels, kept):
    devices = FakePortAudio(default_input=1)
    source = microphone(devices, ManualClock(), Input(channels=channels))
    wide = devices.streams[0].options["channels"]
    assert wide == 8, "with fewer, most sound systems mix"
    devices.streams[0].record(np.tile(np.arange(1, wide + 1, dtype=np.float32), (200, 1)))
    source.close()
    np.testing.assert_array_equal(next(iter(source.blocks())).samples[0], kept)


@pytest.mark.parametrize("channels", [(2,), (0,), (1, 9)])
def test_a_channel_that_the_device_lacks_is_one_line(channels):
    with pytest.raises(DeviceError, match=r"'Desk Microphone': got channel .*, expected channels from 1 to 1"):
        microphone(FakePortAudio(), ManualClock(), Input(channels=channels))


def with_alsa(*names_and_inputs: tuple[str, int]) -> FakePortAudio:
    """Devices of ALSA, the last of which is the default."""
    devices = FakePortAudio(default_input=len(names_and_inputs) - 1)
    devices.devices = [
        fake_device(at, name, inputs=inputs, outputs=0) for at, (name, inputs) in enumerate(names_and_inputs)
    ]
    devices.plugged = list(devices.devices)
    return devices


@pytest.mark.parametrize(
    ("listed", "opened_with"),
    [
        ([("Yeti (hw:1,0)", 2), ("studio", 128)], 2),  # a plug-in leads to the only card there is
        ([("Yeti (hw:1,0)", 2), ("Studio (hw:2,0)", 8), ("studio", 128)], 3),
        ([("Yeti (hw:1,0)", 2), ("dsnooped", 6)], 6),  # what says a number that a card may have is believed
        ([("studio", 128)], 3),
    ],
)
def test_alsas_plug_ins_are_opened_with_their_cards_channels_where_these_are_known(listed, opened_with, caplog):
    devices = with_alsa(*listed)
    source = microphone(devices, ManualClock(), Input(channels=(min(3, opened_with),)))
    assert devices.streams[0].options["channels"] == opened_with
    unknown = opened_with == 3
    assert ("does not report how many channels it has and may mix them" in caplog.text) == unknown
    if unknown and len(listed) == 3:
        assert "0 Yeti (hw:1,0) (channels 1 to 2), 1 Studio (hw:2,0) (channels 1 to 8)" in caplog.text
    source.close()


def test_one_channel_is_never_asked_of_a_device_that_does_not_say_how_many_it_has():
    """ALSA's plug-ins and PulseAudio would give the mean of both of a stereo device."""
    devices = with_alsa(("studio", 128))
    source = microphone(devices, ManualClock(), Input(channels=(1,)))
    assert devices.streams[0].options["channels"] == 2
    source.close()


def test_a_driver_that_has_fewer_channels_than_it_says_is_opened_with_those_that_are_used_and_doubted(caplog):
    class Boasting(FakePortAudio):
        def InputStream(self, **options):  # noqa: N802 - sounddevice's name
            if options["channels"] > 3:
                raise self.PortAudioError("Invalid number of channels")
            return super().InputStream(**options)

    devices = Boasting(default_input=1)
    source = microphone(devices, ManualClock(), Input(channels=(3,)))
    assert devices.streams[0].options["channels"] == 3
    assert "cannot be opened with all its 8 channels: the channels used may contain other voices" in caplog.text
    source.close()


@pytest.fixture
def server(monkeypatch):
    """A sound server of six-channel and stereo sources, reached as ALSA's "default" and "pulse"; its default is the
    first."""
    inputs = [
        PulseInput(
            3,
            "studio.monitor",
            "Studio",
            ("front-left", "front-right", "rear-left", "rear-right", "front-center", "lfe"),
            48000,
        ),
        PulseInput(4, "yeti", "Yeti", ("front-left", "front-right"), 48000),
        PulseInput(5, "interface", "Interface", ("aux0", "aux1"), 96000),
    ]
    recorded: list[tuple[str, bool]] = []

    class Recording:
        latency = 0.01

        def __init__(self, source, capture, *, follow):
            recorded.append((source.name, follow))

        def close(self) -> None:
            """Nothing was started."""

    class Watch:
        def __init__(self, meant, on_event):
            """Nothing is watched."""

        def close(self) -> None:
            """Nothing was started."""

    monkeypatch.setattr(input_device, "pulse_inputs", lambda: inputs)
    monkeypatch.setattr(input_device, "default_pulse_input", lambda: inputs[0])
    monkeypatch.setattr(microphone_module, "PulseRecording", Recording)
    monkeypatch.setattr(microphone_module, "PulseWatch", Watch)
    return recorded


@pytest.mark.parametrize(
    ("wanted", "recorded", "opened_with"),
    [
        (Input(channels=(5,)), [("studio.monitor", True)], []),
        (Input(), [("studio.monitor", True)], []),
        (Input("Studio", (5,)), [("studio.monitor", False)], []),
        (Input("interface", (2,)), [("interface", False)], []),
        (Input("yeti", (1,)), [], [2]),
        (Input("pulse", (6,)), [("studio.monitor", True)], []),
    ],
)
def test_a_sound_servers_source_keeps_its_channels_apart(wanted, recorded, opened_with, server):
    """PortAudio is asked for stereo and mono alone; other channels the server's own recorder hands over as they are."""
    devices = with_alsa(("pulse", 32), ("default", 32))
    source = microphone(devices, ManualClock(), wanted)
    assert server == recorded
    assert [stream.options["channels"] for stream in devices.streams] == opened_with
    source.close()


@pytest.mark.parametrize(("wanted", "has"), [(Input(channels=(7,)), 6), (Input("yeti", (3,)), 2)])
def test_a_channel_that_the_servers_source_lacks_is_one_line_with_those_it_has(wanted, has, server):
    with pytest.raises(DeviceError, match=f"got channel {wanted.channels[0]}, expected channels from 1 to {has}"):
        microphone(with_alsa(("pulse", 32), ("default", 32)), ManualClock(), wanted)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("T", "'T' fits several inputs of the sound server; expected one of Studio, Yeti, Interface"),
        ("Elgato", "no input's name contains 'Elgato'; inputs: 0 pulse; of the sound server: Studio, Yeti, Interface"),
    ],
)
def test_a_name_that_no_source_or_several_have_is_one_line_with_the_sources_to_choose_from(wanted, says, server):
    with pytest.raises(DeviceError, match=f"^{re.escape(says)}$"):
        microphone(with_alsa(("pulse", 32)), ManualClock(), Input(wanted))


def test_one_of_two_sources_of_one_description_is_called_by_its_name(server, monkeypatch):
    twins = [
        PulseInput(7, "left.input", "Interface"),
        PulseInput(8, "right.input", "Interface"),
        PulseInput(9, "yeti", "Yeti"),
    ]
    monkeypatch.setattr(input_device, "pulse_inputs", lambda: twins)
    for wanted, name in (("right.input", "right.input"), ("yeti", "Yeti")):
        source = microphone(with_alsa(("pulse", 32), ("default", 32)), ManualClock(), Input(wanted))
        assert source.name == name
        source.close()


def test_exclusive_is_asked_of_wasapi_and_refused_elsewhere():
    devices = FakePortAudio()
    with pytest.raises(DeviceError, match="no input can be had exclusively"):
        microphone(devices, ManualClock(), Input(exclusive=True))
    devices.devices[0]["hostapi"] = 1
    microphone(devices, ManualClock(), Input(exclusive=True))
    assert devices.streams[0].options["extra_settings"].exclusive


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


def wasapi_twin() -> FakePortAudio:
    """The desk's microphone a second time, by Windows WASAPI."""
    devices = FakePortAudio()
    devices.plugged.append({**devices.plugged[0], "index": 3, "hostapi": 1})
    devices.devices = list(devices.plugged)
    return devices


@pytest.mark.parametrize("wanted", ["desk", None])
def test_exclusive_looks_among_wasapis_devices_alone(wanted):
    devices = wasapi_twin()
    microphone(devices, ManualClock(), Input(wanted, exclusive=True))
    assert devices.streams[0].options["device"] == 3


def test_a_microphone_chosen_by_number_comes_back_through_its_own_sound_system():
    devices, clock = wasapi_twin(), ManualClock()
    source = microphone(devices, clock, Input("3"))
    devices.streams[0].unplug()
    iter_with_sound(source.blocks(), devices, streams=2)
    assert devices.streams[1].options["device"] == 3
    source.close()
