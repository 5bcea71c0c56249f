"""The fit finds what made-up faces were made with, and leaves alone what they do not show."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import soundfile
import torch
import yaml

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.phones import CLASSES, INDEX, Phone
from speech_to_face_lab.corpus import fit
from speech_to_face_lab.corpus.captures import Capture
from speech_to_face_lab.corpus.fit import (
    PRIOR,
    ROUNDED,
    Reach,
    Speech,
    correlation,
    excerpts,
    fitted,
    joined,
    predict,
    report,
    written,
)
from speech_to_face_lab.corpus.store import as_float
from speech_to_face_lab.corpus.visemes import curves, loudness_db

TABLE = files("speech_to_face_lab.corpus").joinpath("visemes.yaml").read_text(encoding="utf-8")
PRIOR_CLASSES = yaml.safe_load(files("speech_to_face_lab.corpus").joinpath(PRIOR).read_text(encoding="utf-8"))[
    "classes"
]
NOW, START, REACH = (
    Speech.of(yaml.safe_load(TABLE)["classes"]),
    Speech.of(PRIOR_CLASSES),
    Reach.of(yaml.safe_load(TABLE)["groups"]),
)
SPOKEN = ("AA", "IY", "UW", "OW", "N", "L", "IH")
"""What the made-up speakers say: nothing that a hold would change."""


def said(rng: np.random.Generator, count: int = 24, spoken: tuple[str, ...] = SPOKEN) -> list[Phone]:
    phones, at = [], 0.0
    for name in ("SIL", *rng.choice(spoken, count), "SIL"):
        length = float(rng.uniform(0.06, 0.2))
        phones.append(Phone(str(name), at, at + length))
        at += length
    return phones


def capture(phones: list[Phone], rng: np.random.Generator) -> Capture:
    """Sound whose loudness wanders, and no curves yet."""
    count = int(phones[-1].end_s * 60) * 800 // 3
    level = np.interp(np.arange(count), np.linspace(0, count, 6), rng.uniform(0.05, 0.4, 6))
    samples = (32767 * level * rng.uniform(-1, 1, count)).astype(np.int16)
    return Capture("c", "s", "en", samples, None, None, (), "", "made", False, "")


def shown(speech: Speech, rng: np.random.Generator) -> list[fit.Excerpt]:
    """Excerpts of a clip whose face is exactly what `speech` makes of its phones."""
    phones = said(rng)
    sound = capture(phones, rng)
    blank = np.zeros((len(sound.samples) * 60 // 16_000, 32), np.float32)
    (excerpt,) = excerpts(sound, phones, blank)
    jaw, rounding = predict(excerpt, speech, REACH)
    return [replace(excerpt, jaw=jaw, rounding=rounding)]


def faces(speech: Speech, clips: int, seed: int = 0) -> list[fit.Excerpt]:
    rng = np.random.default_rng(seed)
    return [excerpt for _ in range(clips) for excerpt in shown(speech, rng)]


def changed(**targets: float) -> Speech:
    """The prior with another jaw for some classes."""
    jaw = START.jaw.clone()
    for name, value in targets.items():
        jaw[INDEX[name]] = torch.logit(torch.tensor(value))
    return replace(START, jaw=jaw)


def test_it_predicts_what_the_rules_make():
    rng = np.random.default_rng(0)
    phones = said(rng)
    sound = capture(phones, rng)
    frames = len(sound.samples) * 60 // 16_000
    ruled = curves(phones, frames, loudness_db(as_float(sound.samples), frames))
    (excerpt,) = excerpts(sound, phones, ruled)
    jaw, rounding = predict(excerpt, NOW, REACH)
    np.testing.assert_allclose(jaw, excerpt.jaw, atol=5e-3)
    np.testing.assert_allclose(rounding, excerpt.rounding, atol=0.02)
    assert excerpt.jaw.std() > 0.05 and excerpt.rounding.std() > 0.05


def test_the_lips_of_a_stop_part_for_the_fit_when_they_do_for_the_rules():
    """Rounding only: the jaw of a stop is held, which the fit leaves out."""
    rng = np.random.default_rng(0)
    phones = said(rng, spoken=("PB", "UW", "OW", "IY"))
    sound = capture(phones, rng)
    ruled = curves(phones, len(sound.samples) * 60 // 16_000)
    (excerpt,) = excerpts(sound, phones, ruled)
    _, rounding = predict(excerpt, NOW, REACH)
    np.testing.assert_allclose(rounding, excerpt.rounding, atol=0.02)


def test_the_fit_moves_towards_the_faces_and_keeps_what_nobody_said():
    truth = changed(IY=0.45, AA=0.12)
    train, check = faces(truth, 12), faces(truth, 4, seed=9)
    found = fitted(START, REACH, {"made": train}, iterations=40)
    jaw = torch.sigmoid(found.jaw)
    assert jaw[INDEX["IY"]] > torch.sigmoid(START.jaw)[INDEX["IY"]] + 0.08
    assert jaw[INDEX["AA"]] < torch.sigmoid(START.jaw)[INDEX["AA"]] - 0.08
    for name in set(CLASSES) - set(SPOKEN) - {"SIL"}:
        for now, then in zip(found.tensors(), START.tensors(), strict=True):
            assert now[INDEX[name]] == pytest.approx(float(then[INDEX[name]]), abs=1e-5), name
    before, after = (correlation(*joined(check, speech, REACH)[::2]) for speech in (START, found))
    assert after > before + 0.2 and after > 0.8


def test_the_same_faces_give_the_same_fit_and_right_numbers_stay():
    train = faces(START, 5)
    once, again = (fitted(START, REACH, {"made": train}, iterations=5) for _ in range(2))
    for a, b, then in zip(once.tensors(), again.tensors(), START.tensors(), strict=True):
        torch.testing.assert_close(a, b)
        assert (a - then).abs().max() < 0.15


def test_a_report_names_correlation_and_amplitude():
    some = faces(START, 3)
    louder = [replace(excerpt, jaw=2 * excerpt.jaw) for excerpt in some]
    assert report("made", louder, START, REACH) == "made: jaw r 1.000 amplitude 0.50, rounding r 1.000 amplitude 1.00"


def test_long_clips_are_cut_and_clips_without_speech_left_out():
    phones = [Phone("AA", k * 0.5, (k + 1) * 0.5) for k in range(8)]
    sound = Capture("c", "s", "en", np.zeros(20 * 16_000, np.int16), None, None, (), "", "made", False, "")
    found = excerpts(sound, phones, np.zeros((1200, 32), np.float32))
    assert [float(e.times_s[0]) for e in found] == [0.0, 4.0], "nothing is said from 8 s on"
    assert all(len(e.times_s) == fit.EXCERPT for e in found)


def test_only_the_fitted_numbers_of_the_table_change():
    speech = replace(changed(AA=0.333), round_weight=torch.full((30,), 2.0).log())
    text = written(TABLE, PRIOR_CLASSES, speech)
    old, new = yaml.safe_load(TABLE), yaml.safe_load(text)
    assert new["classes"]["AA"]["jawOpen"] == 0.333 and new["classes"]["W"]["weight"]["round"] == 2.0
    for table in (old, new):
        for row in table["classes"].values():
            row["weight"] = {key: value for key, value in row["weight"].items() if key not in ("jaw", "round")}
            for name in ("jawOpen", *ROUNDED):
                row.pop(name, None)
    assert old == new
    kept = [(a, b) for a, b in zip(TABLE.split("\n"), text.split("\n"), strict=True) if ": {weight: {" not in a]
    assert all(a == b for a, b in kept), "comments, holds, styles"


def test_the_parts_of_the_rounding_keep_their_proportion_and_stay_possible():
    rounding = START.rounding.clone()
    rounding[INDEX["OW"]] += torch.tensor(0.9).log()
    rounding[INDEX["W"]] += torch.tensor(3.0).log()
    rows = yaml.safe_load(written(TABLE, PRIOR_CLASSES, replace(START, rounding=rounding)))["classes"]
    for name in ROUNDED:
        assert rows["OW"][name] == pytest.approx(0.9 * PRIOR_CLASSES["OW"][name], abs=0.006)
    assert rows["W"]["mouthPucker"] == fit.MOST and "mouthFunnel" not in rows["IY"]


def test_a_table_it_cannot_write_or_read_is_one_clear_line():
    with pytest.raises(ModelError, match="got 0 lines for class AA"):
        written(TABLE.replace("  AA: {weight: {", "  AA:  {weight: {"), PRIOR_CLASSES, START)
    with pytest.raises(ModelError, match="every class needs jawOpen"):
        Speech.of({name: {"jawOpen": 0.1} for name in CLASSES})


@pytest.fixture
def recorded(tmp_path):
    """A folder of two made-up faces, one held out, with their alignments."""
    rng, rows, clips = np.random.default_rng(3), [], {}
    for name, split in (("a", "train"), ("b", "val")):
        phones = said(rng)
        sound = capture(phones, rng)
        frames = len(sound.samples) * 60 // 16_000
        mouth = curves(phones, frames)
        columns = ("jawOpen", *ROUNDED)
        np.savez(
            tmp_path / f"{name}.npz",
            coeffs=mouth[:, [MOUTH_32.index(c) for c in columns]],
            names=np.array(columns),
            fps=60.0,
        )
        soundfile.write(tmp_path / f"{name}.wav", sound.samples, 16_000)
        rows.append({"id": name, "audio": f"{name}.wav", "curves": f"{name}.npz", "rig": "mediapipe", "split": split})
        clips[name] = {"kept": True, "kind": "aligned", "phones": [[p.name, p.start_s, p.end_s] for p in phones]}
    (tmp_path / "manifest.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "alignments.json").write_text(json.dumps({"clips": clips}), encoding="utf-8")
    return tmp_path


def arguments(folder, out, **more) -> list[str]:
    given = {"captures": folder, "alignments": folder / "alignments.json", "out": out} | more
    return ["fit", *(part for name, value in given.items() for part in (f"--{name}", str(value)))]


def test_the_command_prints_before_and_after_and_writes_a_table(recorded, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fit, "ITERATIONS", 3)
    monkeypatch.setattr("sys.argv", arguments(recorded, tmp_path / "new.yaml"))
    fit.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "training mediapipe before",
        "training mediapipe after",
        "validation mediapipe before",
        "validation mediapipe after",
    ]
    new = yaml.safe_load((tmp_path / "new.yaml").read_text())
    assert (
        new["holds"] == yaml.safe_load(TABLE)["holds"]
        and new["classes"]["AA"]["jawOpen"] != PRIOR_CLASSES["AA"]["jawOpen"]
    )


def test_a_whole_table_can_be_the_start(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "fitted", lambda start, *_: start)
    table = files("speech_to_face_lab.corpus").joinpath("visemes.yaml")
    monkeypatch.setattr("sys.argv", arguments(recorded, tmp_path / "new.yaml", start=table))
    fit.main()
    assert yaml.safe_load((tmp_path / "new.yaml").read_text())["classes"] == yaml.safe_load(TABLE)["classes"]


def test_faces_without_phones_are_refused(recorded, tmp_path, monkeypatch, capsys):
    (recorded / "alignments.json").write_text('{"clips": {}}', encoding="utf-8")
    monkeypatch.setattr("sys.argv", arguments(recorded, tmp_path / "new.yaml"))
    with pytest.raises(SystemExit):
        fit.main()
    assert "no face for training has phones in" in capsys.readouterr().err and not (tmp_path / "new.yaml").exists()
