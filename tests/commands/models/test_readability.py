"""`evaluate --readability`: takes and sounds in, a line for each and a file of figures out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import write_take
from livelink_bridge.cli import run
from livelink_bridge.session import build
from livelink_bridge.testing.stand_ins import LoudnessModel


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny reader that takes every mouth for p with a certainty that it was given by hand."""
    import torch
    from safetensors.torch import save_file

    from speech_to_face import checkpoint
    from speech_to_face.config_file import save_config
    from speech_to_face.networks.dualtalker.config import Config
    from speech_to_face.networks.dualtalker.network import DualTalker
    from speech_to_face.phones import INDEX

    config = Config(
        width=8, dilations=(1,), motion_width=8, motion_dilations=(1,), decoder_width=8, style_width=4, shared_width=4
    )
    network, folder = DualTalker(config), tmp_path_factory.mktemp("models") / "tiny-reader"
    with torch.no_grad():
        network.reader.phones.weight.zero_()
        network.reader.phones.bias.zero_()[INDEX["PB"]] = float(np.log(29))
    folder.mkdir()
    save_file(network.state_dict(), folder / checkpoint.WEIGHTS)
    save_config(config, folder / checkpoint.CONFIG)
    checkpoint.write_sums(folder)
    return folder


@pytest.fixture
def take(tmp_path: Path) -> Path:
    values = np.zeros((120, 61), np.float32)
    values[:, CHANNELS_61.index("JawOpen")] = 0.3
    write_take(tmp_path / "mary.csv", values)
    grid = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0 2 <exists> 1\n"IntervalTier" "phones" 0 2 2\n0 '
        '0.5 "b"\n0.5 2 "s"\n'
    )
    (tmp_path / "mary.TextGrid").write_text(grid)
    return tmp_path / "mary.csv"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    soundfile.write(tmp_path / "hiss.wav", noise, 16_000, subtype="PCM_16")
    return tmp_path / "hiss.wav"


def test_takes_and_sounds_are_read_and_their_whole_is_the_last_line(
    reader: Path, take: Path, sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = take.parent / "figures.json"
    given = ["--readability", str(take), "--readability", str(sound), "--reader", str(reader)]
    assert run(["evaluate", *given, "--json", str(figures), "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "lips as tiny-reader reads them" in out and "constant: what a guess" in out and "left out" not in out
    rows = {
        line.replace("│", " ").split()[0]: line.replace("│", " ").split()[1:]
        for line in out.splitlines()
        if line.count("│") > 5
    }
    assert rows["mary.csv"] == ["2.0", "1.00", "0.50", "3.43", "0.25", "0.25", "–", "0.75"]
    assert rows["hiss.wav"][:4] == ["1.0", "1.00", "0.50", "3.43"] and rows["all"][0] == "3.0"
    content = json.loads(figures.read_text())
    assert [face["name"] for face in content["faces"]] == ["mary.csv", "hiss.wav", "all"]
    assert content["faces"][0]["phones_right"] == pytest.approx(0.25) and content["faces"][0]["heard"] is None


def test_a_take_alone_needs_no_model_and_one_face_has_no_whole(
    reader: Path, take: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "model_of", lambda settings: pytest.fail("a take was given to a model"))
    assert run(["evaluate", "--readability", str(take), "--reader", str(reader)]) == 0
    assert "│ all" not in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--data", "FOLDER"], ["--readability", "SOUND"]])
def test_a_model_that_hears_no_phones_is_judged_all_the_same_and_that_is_said(
    reader: Path, sound: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "model_of", lambda settings: LoudnessModel())
    (sound.parent / "val.json").write_text(
        json.dumps([{"id": "a", "group": "g", "wav": sound.name, "words": [[0.1, 0.4, "bin"]]}])
    )
    places = {"FOLDER": str(sound.parent), "SOUND": str(sound)}
    given = [places.get(part, part) for part in arguments]
    assert run(["evaluate", *given, "--reader", str(reader), "--model", str(reader)]) == 0
    assert "left out: tiny-reader has no phone posteriors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "got neither of --data and --readability"),
        (["--data", ".", "--readability", "TAKE"], 2, "got both of --data and --readability"),
        (["--readability", "TAKE", "--clips", "2"], 2, "go with --data"),
        (["--readability", "gone.csv", "--reader", "READER"], 1, "gone.csv"),
        (["--readability", "gone.wav", "--reader", "READER"], 1, "gone.wav"),
        (["--readability", "TAKE", "--reader", "pmmtalk-live"], 1, "does not read lips"),
        (["--readability", "TAKE", "--reader", "nobody"], 1, "unknown model 'nobody'"),
        (["--readability", "TAKE", "--reader", "READER", "--json", "nowhere/figures.json"], 1, "cannot be written"),
    ],
)
def test_what_cannot_be_is_one_line(
    reader: Path, take: Path, arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"TAKE": str(take), "READER": str(reader)}
    assert run(["evaluate", *(places.get(part, part) for part in arguments)]) == code
    said = " ".join(capsys.readouterr().err.split())
    assert says in said
