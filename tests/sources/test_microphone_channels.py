"""The audio channels of a microphone: chosen ones in their order, and those of a sound server's source."""

import re

import numpy as np
import pytest
from microphones import microphone

from livelink_bridge.devices import input_device
from livelink_bridge.devices.pulse import PulseInput
from livelink_bridge.errors import DeviceError
from livelink_bridge.sources import microphone as microphone_module
from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.stand_ins import FakePortAudio, ManualClock, fake_device


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
