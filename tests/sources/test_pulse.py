import os

import pytest

from livelink_bridge.sources import pulse
from livelink_bridge.sources.pulse import PulseInput, find_pulse_input, parse_sources, pulse_device, pulse_inputs
from livelink_bridge.testing import fake_device

LISTING = """Source #3
\tState: IDLE
\tName: voice.monitor
\tDescription: Monitor of Null Output
\tProperties:
\t\tdevice.description = "Monitor of Null Output"

Source #12
\tState: RUNNING
\tName: alsa_input.usb-Blue_Yeti
\tDescription: Blue Yeti, Analog: Stereo
"""
MONITOR, YETI = (
    PulseInput(3, "voice.monitor", "Monitor of Null Output"),
    PulseInput(12, "alsa_input.usb-Blue_Yeti", "Blue Yeti, Analog: Stereo"),
)


def test_the_servers_sources_are_read_from_its_listing():
    assert parse_sources(LISTING) == [MONITOR, YETI]
    assert parse_sources("") == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("yeti", YETI), ("voice.monitor", MONITOR), ("Monitor of Null Output", MONITOR), ("webcam", None), ("o", None)],
)
def test_a_source_is_found_by_its_name_or_a_part_that_only_it_has(wanted, found):
    assert find_pulse_input(wanted, [MONITOR, YETI]) == found


def test_what_is_opened_as_chosen_records_from_that_source_and_nothing_later_does(monkeypatch):
    monkeypatch.setenv("PULSE_SOURCE", "before")
    with YETI.chosen():
        assert os.environ["PULSE_SOURCE"] == YETI.name
    assert os.environ["PULSE_SOURCE"] == "before"
    monkeypatch.delenv("PULSE_SOURCE")
    with YETI.chosen():
        pass
    assert "PULSE_SOURCE" not in os.environ


def test_the_server_is_reached_through_the_input_called_pulse():
    assert pulse_device([fake_device(0, "hw:0", inputs=1, outputs=0), fake_device(1, "pulse", inputs=32, outputs=32)]) == 1
    assert pulse_device([fake_device(0, "pulse", inputs=0, outputs=2)]) is None


def test_without_a_server_there_are_no_sources(monkeypatch):
    monkeypatch.setattr(pulse.shutil, "which", lambda _name: None)
    assert pulse_inputs() == []
