"""`evaluate`: a folder of recordings in, a table and a file of figures out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from livelink_bridge.cli import run


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """One clip with captured curves and one with words: hiss in syllables."""
    times = np.arange(32_000) / 16_000
    swell = np.clip(np.sin(2 * np.pi * 2.3 * times), 0, 1)
    sound = 0.2 * swell * np.random.default_rng(0).standard_normal(len(times))
    soundfile.write(tmp_path / "a.wav", sound, 16_000, subtype="PCM_16")
    jaw = 0.3 * np.clip(np.sin(2 * np.pi * 2.3 * np.arange(60) / 30), 0, 1)
    np.savez(tmp_path / "a.npz", coeffs=np.stack([jaw, jaw / 2], 1), names=["jawOpen", "mouthFunnel"], fps=30.0)
    rows = [
        {"id": "a", "group": "made", "wav": "a.wav", "curves": "a.npz", "lag_s": 0.0},
        {"id": "a", "group": "words", "wav": "a.wav", "words": [[0.4, 0.8, "bin"], [0.9, 1.4, "two"]]},
    ]
    (tmp_path / "val.json").write_text(json.dumps(rows))
    return tmp_path


def test_the_shipped_model_is_judged_beside_loudness_in_one_table(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = recordings / "figures.json"
    assert run(["evaluate", "--data", str(recordings), "--json", str(figures), "--device", "cpu", "--channels"]) == 0
    out = capsys.readouterr().out
    for part in (
        "pmmtalk-live",
        "loudness alone",
        "constant face",
        "made: 1 clips",
        "aperture r",
        "closure AUC",
        "moving in music",
    ):
        assert part in out
    assert "mouthFunnel r, lag" in out
    assert "no timed phones" in out
    report = json.loads(figures.read_text())
    assert (report["model"], report["device"]) == ("pmmtalk-live", "cpu")
    assert report["stream_difference"] <= 1e-5
    assert report["loudness"]["curves"]["made"]["signals"]["jaw"]["r"] > 0.7
    assert report["ours"]["moving"]["silence"] == 0


@pytest.mark.usefixtures("small_model")
def test_a_figure_that_cannot_be_had_is_a_dash(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--data", str(recordings)]) == 0
    lines = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["phone", "accuracy", "–", "–"] in lines
    assert [line[3] for line in lines if line[:2] == ["rounding", "r"] and len(line) == 4] == [
        "–"
    ]  # loudness has no round lips
    assert [line[-1] for line in lines if line[:3] == ["rounding", "lag,", "ms"]] == ["–"]


@pytest.mark.usefixtures("small_model")
def test_pictures_are_drawn_where_they_are_wanted(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run(["evaluate", "--data", str(recordings), "--clips", "1", "--plots", str(recordings / "pictures")]) == 0
    assert len(list((recordings / "pictures").glob("*.png"))) == 2
    assert "2 pictures" in capsys.readouterr().out


@pytest.mark.usefixtures("small_model")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "--data"),
        (["--data", "nowhere"], 1, "expects a folder with val.json"),
        (["--data", "RECORDINGS", "--json", "nowhere/figures.json"], 1, "cannot be written"),
        (["--data", "RECORDINGS", "--clips", "0"], 2, "--clips"),
    ],
)
def test_what_goes_wrong_is_one_line(
    arguments: list[str],
    code: int,
    says: str,
    recordings: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(recordings)
    assert run(["evaluate", *(str(recordings) if part == "RECORDINGS" else part for part in arguments)]) == code
    err = capsys.readouterr().err
    assert says in err and len(err.splitlines()) == 1
