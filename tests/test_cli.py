"""The command line from outside: exit codes, one line for every mistake, what goes over the wire, ending well."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from arkit_mapping.takes import read_take
from livelink_bridge.arrivals import Arrivals
from livelink_bridge.cli import run
from livelink_bridge.commands import session
from livelink_bridge.config import Settings
from livelink_bridge.errors import DeviceError
from livelink_bridge.portaudio import SoundSystem
from livelink_bridge.testing import LoudnessModel
from livelink_bridge.wire.livelink import decode
from models.base import ModelError

ROOT = Path(__file__).parents[1]
RATE_HZ = 16000
WITH_A_SMALL_MODEL = (
    "from livelink_bridge.commands import session; from livelink_bridge.testing import LoudnessModel;"
    "session.model_of = lambda settings: LoudnessModel(); from livelink_bridge.cli import main; main()"
)


@pytest.fixture(autouse=True)
def at_home_in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    for name in list(os.environ):
        if name.startswith("LIVELINK_BRIDGE_") and name != "LIVELINK_BRIDGE_HOME":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "model_of", lambda settings: LoudnessModel())


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """0.4 s of a loud tone."""
    path = tmp_path / "voice.wav"
    soundfile.write(path, 0.5 * np.sin(np.arange(int(0.4 * RATE_HZ)) * 0.2), RATE_HZ)
    return path


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on stderr."""
    err = capsys.readouterr().err
    assert err.startswith("livelink-bridge: ") and err.count("\n") == 1, err
    assert "Traceback" not in err
    return err


WRONG_ON_SIGHT = [
    (["play", "--frobnicate", "VOICE"], "No such option: --frobnicate"),
    (["frobnicate"], "No such command 'frobnicate'"),
    (["play"], "Missing argument"),
    (["--mic", "Yeti", "stray"], "livelink-bridge --mic --help"),
    (["play", "VOICE", "--to", "livelink://127.0.0.1:0"], "port 0"),
    (["play", "VOICE", "--to", "livelink://127.0.0.1:70000"], "1 to 65535"),
    (["play", "VOICE", "--to", "livelink://127.0.0.1"], "names no port"),
    (["play", "VOICE", "--to", "carrier-pigeon://roof:1"], "carrier-pigeon"),
    (["play", "VOICE", "--to", "take:"], "names no folder"),
    (["play", "VOICE", "--config", "UNKNOWN_KEY"], "did you mean subject?"),
    (["play", "VOICE", "--fps", "0"], "1 to 60"),
    (["play", "VOICE", "--device", "tpu"], "auto or cpu or cuda or mps"),
    (["play", "VOICE", "--character", "BAD_CHARACTER"], "gian"),
    (["convert", "VOICE", "VOICE", "-o", "one.csv"], "expected a folder"),
    (["convert", "VOICE", "VOICE", "-o", "folder"], "several files would become"),
    (["monitor", "--port", "0"], "got port 0, expected 1 to 65535"),
    (["monitor", "--port", "70000"], "got port 70000, expected 1 to 65535"),
]

OUT_OF_REACH = "x" * 300
"""A path that the system refuses to look at, as it does one in a folder that is somebody else's."""

THE_WORLD_SAYS_NO = [
    (["play", "none.wav", "--no-audio"], "none.wav: no such file"),
    (["play", "EMPTY", "--no-audio"], "is empty"),
    (["play", "TEXT", "--no-audio"], "is not sound that can be read"),
    (["convert", "TEXT", "-o", "out.csv"], "is not sound that can be read"),
    (["convert", "none.wav", "-o", "out.csv"], "none.wav: no such file"),
    (["play", "VOICE", "--no-audio", "--to", "livelink://no.such.host.invalid:11111"], "unknown host 'no.such.host.invalid'"),
    (["play", "VOICE", "--config", "none.yaml"], "none.yaml: no such file"),
    (["play", "VOICE", "--character", "none.yaml"], "none.yaml: no such file"),
    (["play", "VOICE", "--character", OUT_OF_REACH], "cannot be read"),
    (["play", OUT_OF_REACH, "--no-audio"], "cannot be opened"),
    (["convert", "VOICE", "-o", OUT_OF_REACH + ".csv"], "cannot be written"),
]


def placed(arguments: list[str], voice: Path) -> list[str]:
    """The arguments with the files they speak of put where `voice` is."""
    folder = voice.parent
    files = {
        "EMPTY": ("empty.wav", ""),
        "TEXT": ("text.wav", "not a sound\n" * 100),
        "UNKNOWN_KEY": ("typo.yaml", "subjct: Ada\n"),
        "BAD_CHARACTER": ("ada.yaml", "gian: {JawOpen: 2}\n"),
    }
    for name, content in files.values():
        (folder / name).write_text(content, encoding="utf-8")
    known = {key: str(folder / name) for key, (name, _) in files.items()}
    return [known.get(argument, str(voice) if argument == "VOICE" else argument) for argument in arguments]


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize(("arguments", "says"), WRONG_ON_SIGHT, ids=lambda part: part if isinstance(part, str) else "")
def test_what_is_wrong_on_sight_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, voice: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(voice.parent)
    assert run(placed(arguments, voice)) == 2
    assert says in one_line(capsys)


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize(("arguments", "says"), THE_WORLD_SAYS_NO, ids=lambda part: part if isinstance(part, str) else "")
def test_what_the_world_refuses_is_one_line_and_exit_code_1(
    arguments: list[str], says: str, voice: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(voice.parent)
    assert run(placed(arguments, voice)) == 1
    assert says in one_line(capsys)
    assert not (voice.parent / "out.csv").exists()


@pytest.mark.parametrize(
    "option", [["--model", "no-such-model"], ["--model", OUT_OF_REACH], ["--model", "pmmtalk-live-33", "--lookahead", "67"]]
)
def test_a_model_that_is_not_there_is_one_line_and_exit_code_1(option: list[str], voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", str(voice), "-o", str(voice.with_suffix(".csv")), *option]) == 1
    assert option[1] in one_line(capsys)


def test_a_models_own_complaint_is_the_worlds(voice: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(settings: Settings) -> None:
        raise ModelError("weights are damaged")

    monkeypatch.setattr(session, "model_of", refuse)
    assert run(["play", str(voice)]) == 1
    assert "weights are damaged" in one_line(capsys)


class NoSound(SimpleNamespace):
    """A sound system as sounddevice shows it, with the devices it was made with."""

    def __init__(self, devices: list[dict[str, Any]]) -> None:
        super().__init__(query_devices=lambda: devices, query_hostapis=lambda: [{"name": "ALSA"}], PortAudioError=OSError)
        self.default = SimpleNamespace(device=[-1, -1])


SPEAKERS = {"name": "Speakers", "hostapi": 0, "max_input_channels": 0, "max_output_channels": 2, "default_samplerate": 48000.0}


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize(
    ("arguments", "devices", "says"),
    [
        (["--mic"], [], "no microphone"),
        (["--mic", "0"], [SPEAKERS], "device 0 (Speakers) is not an input"),
        (["--mic", "speak"], [SPEAKERS], "device 0 (Speakers) is not an input"),
        (["--mic", "Yeti"], [SPEAKERS], "no input's name contains 'Yeti'"),
        (["--mic", "7", "--to", "osc://127.0.0.1:9"], [SPEAKERS], "there is no device 7"),
    ],
)
def test_a_microphone_that_is_not_there_is_one_line_and_exit_code_1(
    arguments: list[str], devices: list[dict[str, Any]], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livelink_bridge.sources.microphone.sound_system", lambda: SoundSystem(NoSound(devices)))
    assert run(arguments) == 1
    assert says in one_line(capsys)


def test_devices_lists_what_the_sound_system_has(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livelink_bridge.portaudio.sound_system", lambda: SoundSystem(NoSound([SPEAKERS])))
    assert run(["devices"]) == 0
    assert "Speakers, ALSA" in capsys.readouterr().out
    monkeypatch.setattr("livelink_bridge.portaudio.sound_system", lambda: SoundSystem(NoSound([])))
    assert run(["devices"]) == 0
    assert "no sound devices" in capsys.readouterr().out


def test_debug_shows_the_traceback_above_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", "x", "--config", "none.yaml"], debug=True) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("livelink-bridge: settings file none.yaml")


@pytest.mark.usefixtures("small_model")
def test_play_sends_the_file_to_every_target_and_records_it(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    takes = voice.parent / "takes"
    with Arrivals(0, "127.0.0.1") as arrivals:
        target = f"livelink://127.0.0.1:{arrivals.port}"
        assert run(["play", str(voice), "--no-audio", "--to", target, "--record", str(takes), "--subject", "Ada"]) == 0
        packets = [decode(datagram) for datagram in received(arrivals)]
    assert len(packets) >= 24
    assert {packet.subject for packet in packets} == {"Ada"}
    jaws = [float(packet.values[17]) for packet in packets if packet.values is not None]
    assert max(jaws) > 0.5 and jaws[-1] == 0
    (take,) = takes.glob("*/*.csv")
    assert str(take) in capsys.readouterr().out


@pytest.mark.usefixtures("small_model")
def test_play_says_that_a_later_file_is_missing_before_it_plays_the_first(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Arrivals(0, "127.0.0.1") as arrivals:
        assert run(["play", str(voice), "none.wav", "--no-audio", "--to", f"livelink://127.0.0.1:{arrivals.port}"]) == 1
        assert list(received(arrivals)) == []
    assert "none.wav: no such file" in one_line(capsys)


def received(arrivals: Arrivals) -> Iterator[bytes]:
    """What waits at a port."""
    while (found := arrivals.receive(0.05)) is not None:
        yield found[0]


@pytest.mark.usefixtures("small_model")
def test_convert_writes_one_take_for_one_file(voice: Path) -> None:
    out = voice.parent / "deeper" / "take.csv"
    assert run(["convert", str(voice), "-o", str(out)]) == 0
    take = read_take(out)
    assert take.times_s[0] == 0
    assert take.values[:, 17].max() > 0.5


@pytest.mark.usefixtures("small_model")
def test_convert_goes_on_past_a_bad_file_and_says_so_at_the_end(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = voice.with_name("other.wav")
    other.write_bytes(voice.read_bytes())
    out = voice.parent / "takes"
    assert run(["convert", str(voice), "none.wav", str(other), "-o", str(out)]) == 1
    assert sorted(take.name for take in out.iterdir()) == ["other.csv", "voice.csv"]
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2 and "none.wav: no such file" in err[0] and "1 of 3 files could not be converted" in err[1]


def test_monitor_prints_one_json_object_a_second_and_one_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with Arrivals(0, "127.0.0.1") as free:
        port = free.port
    assert run(["monitor", "--port", str(port), "--seconds", "1.2", "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [summary["port"] for summary in said] == [port, port]
    assert said[1]["listened_s"] >= 1.2


@pytest.mark.usefixtures("small_model")
def test_the_demo_says_what_arrived_and_draws_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--no-audio", "--seconds", "0.8", "--to", "osc://127.0.0.1:9", "--subject", "Ada"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"arrived: \d+ packets as 'Ada', [\d.]+ fps, \d+ lost\n", out), "a machine that stalls leaves some out"
    pictures = [line.split("|") for line in out.splitlines() if line.endswith("|")]
    assert [label.partition(",")[0].strip() for label, _, _ in pictures] == ["jaw open", "lips closed", "lips round"]
    assert float(pictures[0][0].split()[-1]) > 0.3 and len(pictures[0][1].strip()) > 8


@pytest.mark.usefixtures("small_model")
def test_without_portaudio_the_demo_says_so_in_one_line_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise DeviceError("no sound devices: PortAudio library not found")

    monkeypatch.setattr("livelink_bridge.playback.sound_system", missing)
    with caplog.at_level(logging.WARNING):
        assert run(["demo", "--seconds", "0.5", "--to", "osc://127.0.0.1:9"]) == 0
    assert [record.message for record in caplog.records if "PortAudio" in record.message] == [
        "no sound devices: PortAudio library not found; going on without sound"
    ]


def test_config_prints_what_config_reads_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--subject", "Ada", "--to", "osc://a:1"]) == 0
    first = capsys.readouterr().out
    file = tmp_path / "again.yaml"
    file.write_text(first, encoding="utf-8")
    assert run(["config", "--config", str(file)]) == 0
    assert capsys.readouterr().out == first
    assert "subject: Ada" in first


def test_version_and_bare_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("livelink-bridge 0.")
    assert run([]) == 0
    assert "--mic [DEVICE]" in capsys.readouterr().out


def test_help_names_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", "--help"]) == 0
    text = "".join(capsys.readouterr().out.split())  # help breaks lines anywhere, even at a name's dash
    for key in ("subject", "fps", "model", "device"):
        assert f"Default{getattr(Settings(), key)}." in text, key
    assert "Default67." in text  # the default model's own look-ahead
    assert f"Default{Settings().to[0]}." in text


@pytest.mark.parametrize("arguments", [["--help"], ["monitor", "--help"], ["monitor", "--port", "0"]])
def test_help_and_monitor_answer_without_loading_what_is_slow(arguments: list[str]) -> None:
    """The fastest of a few. They take half of this or less; a network's libraries would take several times as long.

    The bar itself, half a second, is measured in docs/benchmarks.md: on a busy machine processor time doubles.
    """
    took_s = []
    for _ in range(8):
        took_s.append(busy_s([sys.executable, "-m", "livelink_bridge", *arguments]))
        if took_s[-1] < 1.0:
            return
    pytest.fail(f"the fastest took {min(took_s):.2f} s")


def busy_s(command: list[str]) -> float:
    """Processor time that a command needs; the time it takes where the system does not tell (Windows)."""
    before, begun_s = os.times(), time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=15, check=False)
    after, took_s = os.times(), time.perf_counter() - begun_s
    used_s = after.children_user + after.children_system - before.children_user - before.children_system
    return used_s or took_s


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_play_with_a_neutral_face_and_130(number: signal.Signals, tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    soundfile.write(long, 0.5 * np.sin(np.arange(30 * RATE_HZ) * 0.2), RATE_HZ)
    with Arrivals(0, "127.0.0.1") as arrivals:
        command = [sys.executable, "-c", WITH_A_SMALL_MODEL, "play", str(long), "--no-audio"]
        target = ["--to", f"livelink://127.0.0.1:{arrivals.port}"]
        with subprocess.Popen([*command, *target], cwd=ROOT, stdout=subprocess.PIPE, text=True) as playing:
            try:
                moving(arrivals)
                playing.send_signal(number)
                out, _ = playing.communicate(timeout=10)
            finally:
                playing.kill()
        last = [decode(datagram) for datagram in received(arrivals)][-1]
    assert playing.returncode == 130
    assert last.values is not None and not last.values.any()
    assert "poses for" in out.splitlines()[-1]


def moving(arrivals: Arrivals) -> None:
    """Wait until a face with an open jaw arrives."""
    for _ in range(100):
        found = arrivals.receive(10)
        assert found is not None, "nothing arrived"
        values = decode(found[0]).values
        if values is not None and values[17] > 0.3:
            return
    pytest.fail("the jaw never opened")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_ends_the_monitor_with_its_last_summary_and_130() -> None:
    with Arrivals(0, "127.0.0.1") as free:
        port = free.port
    command = [sys.executable, "-m", "livelink_bridge", "monitor", "--port", str(port), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as listening:
        try:
            assert listening.stdout is not None
            first = json.loads(listening.stdout.readline())
            listening.send_signal(signal.SIGINT)
            rest, _ = listening.communicate(timeout=10)
        finally:
            listening.kill()
    assert listening.returncode == 130
    assert first["port"] == port and len(rest.splitlines()) == 1


def test_a_bug_is_one_line_too() -> None:
    code = WITH_A_SMALL_MODEL.replace("LoudnessModel();", "1 / 0;")
    done = subprocess.run([sys.executable, "-c", code, "doctor"], cwd=ROOT, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("livelink-bridge: this is a bug: ZeroDivisionError") and done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe breaks otherwise on Windows")
def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = [sys.executable, "-m", "livelink_bridge", "config"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as printing:
        assert printing.stdout is not None and printing.stderr is not None
        printing.stdout.close()
        assert (printing.stderr.read(), printing.wait(10)) == ("", 1)
