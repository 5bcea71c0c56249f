"""A corpus of captured faces becomes takes with sound."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.takes.csv import read_take
from speech_to_face_lab.adapt import from_captures


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for name, split in (("one", "train"), ("two", "val")):
        soundfile.write(tmp_path / f"{name}.wav", rng.uniform(-0.5, 0.5, 16_000), 16_000, subtype="PCM_16")
        coeffs = np.full((60, 3), (0.25, 0.5, 0.75), np.float32)
        np.savez(tmp_path / f"{name}.npz", coeffs=coeffs, names=["jawOpen", "mouthSmileLeft", "mouthFunnel"], fps=60.0)
        rows.append({"id": name, "audio": f"{name}.wav", "curves": f"{name}.npz", "split": split, "rig": "mediapipe"})
    (tmp_path / "manifest.json").write_text(json.dumps(rows))
    return tmp_path


def main(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["from_captures", *map(str, arguments)])
    from_captures.main()


def test_clips_to_learn_from_become_takes_and_held_out_ones_do_not(corpus, monkeypatch, capsys):
    out = corpus / "takes"
    main(monkeypatch, "--captures", corpus, "--out", out)
    assert {path.name for path in out.iterdir()} == {"one.csv", "one.wav"}
    values = read_take(out / "one.csv").values
    assert values.shape == (60, 61)
    of = {name: float(values[30, CHANNELS_61.index(name)]) for name in ("JawOpen", "MouthFunnel", "MouthSmileLeft")}
    assert of == {"JawOpen": 0.25, "MouthFunnel": 0.75, "MouthSmileLeft": 0.0}, (
        "MediaPipe's smile is not worth learning"
    )
    assert "1 takes" in capsys.readouterr().out


def test_a_rig_that_is_not_there_is_said(corpus, monkeypatch):
    with pytest.raises(SystemExit, match="facegood"):
        main(monkeypatch, "--captures", corpus, "--rig", "facegood", "--out", corpus / "takes")
