"""The command line from outside: one line and an exit code for every mistake and every refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from outside import SPEAKERS, NoSound, loud_tone, one_line

from livelink_bridge.cli import run
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.session import build
from livelink_bridge.settings.table import Settings
from speech_to_face.base import ModelError

pytestmark = pytest.mark.usefixtures("own_home", "nothing_left_running")

WRONG_ON_SIGHT = [
    (["play", "--frobnicate", "VOICE"], "No such option: --frobnicate"),
    (["frobnicate"], "No such command 'frobnicate'"),
    (["convert", "-", "-o", "a.csv"], "play - takes what another program writes"),
    (["convert", "VOICE", "-o", "VOICE"], "is there and is no folder"),
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
    (["preview", "--face", "face.fbx"], "got --face face.fbx, expected a .glb or .vrm"),
    (
        ["convert", "VOICE", "-o", "x.mp4"],
        "-o x.mp4 ends in .mp4, expected a folder for takes, or .csv for a single one",
    ),
    (["convert", "VOICE", "-o", "x.mp4"], "films are made on the page of livelink-bridge preview"),
    (["convert", ".", "-o", "x.glb"], "-o x.glb ends in .glb"),
    (["convert", "VOICE", "-o", "x.glb"], "livelink-bridge takes export writes it from a take"),
    (["convert", "VOICE", "-o"], "see livelink-bridge convert --help"),
    (["takes", "export", "VOICE", "-o"], "see livelink-bridge takes export --help"),
    (["takes", "export", "VOICE", "-o", "x.mp4"], "expected .csv, .json, .npz, .glb"),
    (["adapt", "--takes", ".", "-o", "x.onnx"], "-o x.onnx ends in .onnx, expected a folder for the model"),
    (["models", "convert", "VOICE", "-o", "x.onnx"], "-o x.onnx ends in .onnx, expected a folder for the checkpoint"),
    (["replay", "VOICE", "--take-rate", "fast"], "--take-rate: got 'fast'"),
    (["preview", "VOICE", "--take-rate", "fast"], "--take-rate: got 'fast'"),
    (["evaluate", "--readability", "VOICE", "--take-rate", "fast"], "--take-rate: got 'fast'"),
    (["adapt", "--takes", ".", "-o", "x", "--take-rate", "fast"], "--take-rate: got 'fast'"),
    (["monitor", "--port", "0"], "got port 0, expected 1 to 65535"),
    (["monitor", "--port", "70000"], "got port 70000, expected 1 to 65535"),
]
OUT_OF_REACH = "x" * 300
"""A path that the system refuses to look at, as it does one in a folder that is somebody else's."""
THE_WORLD_SAYS_NO = [
    (["play", "none.wav", "--no-audio"], "none.wav: no such file"),
    (["play", "EMPTY", "--no-audio"], "is empty"),
    (["play", "TEXT", "--no-audio"], "is not audio that can be read"),
    (["convert", "TEXT", "-o", "out.csv"], "is not audio that can be read"),
    (["convert", "none.wav", "-o", "out.csv"], "none.wav: no such file"),
    (
        ["play", "VOICE", "--no-audio", "--to", "livelink://no.such.host.invalid:11111"],
        "unknown host 'no.such.host.invalid'",
    ),
    (["play", "VOICE", "--config", "none.yaml"], "none.yaml: no such file"),
    (["play", "VOICE", "--character", "none.yaml"], "none.yaml: no such file"),
    (["play", "VOICE", "--character", OUT_OF_REACH], "cannot be read"),
    (["play", OUT_OF_REACH, "--no-audio"], "cannot be opened"),
    (["preview", "--face", "none.glb"], "none.glb: no such file"),
    (["convert", "VOICE", "-o", OUT_OF_REACH + ".csv"], "cannot be written"),
]


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return loud_tone(tmp_path)


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
def test_what_is_a_usage_error_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, voice: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(voice.parent)
    assert run(placed(arguments, voice)) == 2
    assert says in one_line(capsys)


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize(
    ("arguments", "says"), THE_WORLD_SAYS_NO, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_runtime_error_is_one_line_and_exit_code_1(
    arguments: list[str], says: str, voice: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(voice.parent)
    assert run(placed(arguments, voice)) == 1
    assert says in one_line(capsys)
    assert not (voice.parent / "out.csv").exists()


@pytest.mark.parametrize(
    "option",
    [["--model", "no-such-model"], ["--model", OUT_OF_REACH], ["--model", "pmmtalk-live-33", "--lookahead", "67"]],
)
def test_a_model_that_is_not_there_is_one_line_and_exit_code_1(
    option: list[str], voice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["convert", str(voice), "-o", str(voice.with_suffix(".csv")), *option]) == 1
    assert option[1] in one_line(capsys)


def test_a_models_own_complaint_is_a_runtime_error(
    voice: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(settings: Settings) -> None:
        raise ModelError("weights are damaged")

    monkeypatch.setattr(build, "model_of", refuse)
    assert run(["play", str(voice)]) == 1
    assert "weights are damaged" in one_line(capsys)


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
    arguments: list[str],
    devices: list[dict[str, Any]],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("livelink_bridge.sources.microphone.sound_system", lambda: SoundSystem(NoSound(devices)))
    assert run(arguments) == 1
    assert says in one_line(capsys)


def test_debug_shows_the_traceback_above_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", "x", "--config", "none.yaml"], debug=True) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("livelink-bridge: settings file none.yaml")
