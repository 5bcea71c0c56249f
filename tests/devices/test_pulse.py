import os
import signal
import sys
import threading

import numpy as np
import pytest

from livelink_bridge.devices import pulse
from livelink_bridge.devices.capture import Capture
from livelink_bridge.devices.pulse import (
    PulseInput,
    PulseWatch,
    default_differs,
    default_pulse_input,
    fitting_pulse_inputs,
    parse_sources,
    pulse_device,
    pulse_inputs,
    removed,
    shown_names,
)
from livelink_bridge.devices.pulse_capture import PulseRecording
from livelink_bridge.errors import DeviceError
from livelink_bridge.testing.stand_ins import ManualClock, fake_device

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
\tSample Specification: s16le 2ch 48000Hz
\tChannel Map: front-left,front-right

Source #14
\tState: SUSPENDED
\tName: alsa_input.usb-Interface.pro-input-0
\tDescription: Interface Pro
\tSample Specification: s32le 4ch 96000Hz
\tChannel Map: aux0,aux1,aux2,aux3
"""
MONITOR, YETI = (
    PulseInput(3, "voice.monitor", "Monitor of Null Output"),
    PulseInput(12, "alsa_input.usb-Blue_Yeti", "Blue Yeti, Analog: Stereo", ("front-left", "front-right"), 48000),
)
INTERFACE = PulseInput(
    14, "alsa_input.usb-Interface.pro-input-0", "Interface Pro", ("aux0", "aux1", "aux2", "aux3"), 96000
)


def test_the_servers_sources_are_read_from_its_listing():
    assert parse_sources(LISTING) == [MONITOR, YETI, INTERFACE]
    assert parse_sources("") == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("yeti", [YETI]),
        ("voice.monitor", [MONITOR]),
        ("Monitor of Null Output", [MONITOR]),
        ("webcam", []),
        ("o", [MONITOR, YETI]),
    ],
)
def test_a_source_is_found_by_its_name_or_a_part_that_only_it_has(wanted, found):
    assert fitting_pulse_inputs(wanted, [MONITOR, YETI]) == found


def test_sources_of_one_description_are_shown_by_their_names():
    twin = PulseInput(4, "music.monitor", MONITOR.description)
    assert shown_names([MONITOR, YETI, twin]) == [MONITOR.name, YETI.description, twin.name]


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
    assert (
        pulse_device([fake_device(0, "hw:0", inputs=1, outputs=0), fake_device(1, "pulse", inputs=32, outputs=32)]) == 1
    )
    assert pulse_device([fake_device(0, "pulse", inputs=0, outputs=2)]) is None


def answering(monkeypatch, default: str) -> None:
    """A `pactl` of this default source."""
    answers = {
        ("list", "sources"): LISTING,
        ("info",): f"Server Name: pulseaudio\nDefault Source: {default}\nCookie: 1:2\n",
    }
    monkeypatch.setattr(pulse, "_pactl", lambda *arguments: answers[arguments])


def test_the_default_source_is_the_servers_or_the_environments(monkeypatch):
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    answering(monkeypatch, YETI.name)
    assert default_pulse_input() == YETI
    monkeypatch.setenv("PULSE_SOURCE", INTERFACE.name)
    assert default_pulse_input() == INTERFACE


def test_another_default_matters_where_it_has_other_channels(monkeypatch):
    monkeypatch.delenv("PULSE_SOURCE", raising=False)
    meant = default_differs(YETI)
    for default, differs in ((YETI, False), (MONITOR, False), (INTERFACE, True)):
        answering(monkeypatch, default.name)
        assert meant("Event 'change' on server #4294967295") == differs
        assert not meant(f"Event 'change' on source #{default.index}")


@pytest.fixture
def stubborn(monkeypatch, tmp_path):
    """A `pactl` that tells of one event and does not heed being asked to end."""
    program = tmp_path / "pactl"
    program.write_text("#!/bin/sh\ntrap '' TERM\necho \"Event 'remove' on source #12\"\nwhile :; do sleep 0.05; done\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(pulse, "_ASK_S", 0.2)


@pytest.mark.skipif(os.name == "nt", reason="the sound server's programs are Linux's")
def test_a_watch_whose_program_does_not_end_is_closed_all_the_same(stubborn):
    gone = threading.Event()
    watch = PulseWatch(removed(YETI), gone.set)
    assert gone.wait(10)
    watch.close()
    assert watch._process.wait(10) == -signal.SIGKILL


@pytest.fixture
def obedient(monkeypatch, tmp_path):
    """A `pactl` that says what PulseAudio's says where it is ended."""
    program = tmp_path / "pactl"
    program.write_text(
        "#!/bin/sh\ntrap 'echo Got SIGINT, exiting. >&2; exit' TERM\necho ready\nwhile :; do sleep 0.05; done\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(os.name == "nt", reason="the sound server's programs are Linux's")
def test_a_terminals_ctrl_c_does_not_reach_the_servers_programs(obedient):
    """It is sent to all of the terminal's programs at once: a recorder that ends by it would be told as a lost
    microphone."""
    watch = PulseWatch(removed(YETI), lambda: None)
    recording = PulseRecording(INTERFACE, Capture(96000, ManualClock(), (0,)), command=("sh", "-c", "exec sleep 30"))
    groups = [os.getpgid(one._process.pid) for one in (watch, recording)]
    recording.close()
    watch.close()
    assert os.getpgrp() not in groups


@pytest.mark.skipif(os.name == "nt", reason="the sound server's programs are Linux's")
def test_what_a_watchs_program_says_where_it_is_ended_reaches_no_terminal(obedient, capfd):
    ready = threading.Event()
    watch = PulseWatch(lambda event: event == "ready", ready.set)
    assert ready.wait(10)
    watch.close()
    assert watch._process.wait(10) == 0
    assert capfd.readouterr().err == ""


SPEAKS = """
import struct, sys
sys.stderr.write(" ".join(sys.argv[1:]))
frames = (struct.pack("<4f", *(frame + column / 10 for column in range(4))) for frame in range(1000))
sys.stdout.buffer.write(b"".join(frames))
"""


def test_a_recording_asks_for_the_channels_as_they_are_and_ends_with_the_server(capfd):
    capture = Capture(96000, ManualClock(), (2, 0))
    recording = PulseRecording(INTERFACE, capture, command=(sys.executable, "-c", SPEAKS))
    blocks = list(capture.channel)
    recording.close()
    recording.close()
    heard = np.concatenate([block.samples for block in blocks])
    np.testing.assert_allclose(heard, np.arange(1000)[:, None] + np.array([0.2, 0.0]), rtol=1e-6)
    assert [block.start for block in blocks] == [
        sum(len(one.samples) for one in blocks[:at]) for at in range(len(blocks))
    ]
    asked = capfd.readouterr().err.split()
    assert {"--no-remix", "--no-remap", "--channels=4", "--channel-map=aux0,aux1,aux2,aux3", "--rate=96000"} <= set(
        asked
    )
    assert f"--device={INTERFACE.name}" in asked


def test_without_the_servers_recorder_one_line_says_what_to_install():
    with pytest.raises(
        DeviceError, match=r"'Interface Pro' has channels that only `parec` records.*apt install pulseaudio-utils"
    ):
        PulseRecording(INTERFACE, Capture(96000, ManualClock(), (0,)), command=("no-such-recorder",))


def test_without_a_server_there_are_no_sources(monkeypatch):
    monkeypatch.setattr(pulse.shutil, "which", lambda _name: None)
    assert pulse_inputs() == []
