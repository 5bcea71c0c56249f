from __future__ import annotations

import json

import numpy as np
import pytest

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures import Word, load
from speech_to_face_lab.corpus.captures.manifest import language_code

JAW, CLOSE, PUFF = (MOUTH_32.index(name) for name in ("jawOpen", "mouthClose", "cheekPuff"))


def write(folder, *rows, name="manifest.json"):
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")


def test_curves_come_at_60_hz_with_the_sources_lag_taken_out(tmp_path, make_sound, make_npz, ramp):
    make_sound("a.wav", seconds=2.0)
    make_npz("a.npz", ramp(50, 25.0))
    write(tmp_path, {"id": "a", "audio": "a.wav", "curves": "a.npz", "fps": 25.0, "curve_lag_s": 0.04})
    (capture,) = load("manifest", tmp_path)
    assert capture.curves is not None and capture.curves.shape == (120, 32) and capture.curves.dtype == np.float32
    # What the camera shows at 0.54 s was said at 0.5 s.
    assert capture.curves[30, JAW] == pytest.approx(0.4 * 0.54, abs=1e-6)
    # The last source frame is of 1.96 - 0.04 s; it is held to the end.
    assert capture.curves[-1, JAW] == pytest.approx(0.4 * 1.96, abs=1e-6)


def test_frames_without_a_face_are_filled_from_their_neighbours(tmp_path, make_sound, make_npz, ramp):
    values, found = ramp(50, 25.0), np.ones(50, bool)
    values[10:15], found[10:15] = 0.0, False
    make_sound("a.wav", seconds=2.0)
    make_npz("a.npz", values, face_found=found)
    write(tmp_path, {"id": "a", "audio": "a.wav", "curves": "a.npz"})
    (capture,) = load("manifest", tmp_path)
    assert capture.curves is not None
    assert capture.curves[30, JAW] == pytest.approx(0.4 * 0.5, abs=1e-6)


def test_validation_clips_and_clips_with_timed_phones_are_held_out(tmp_path, make_sound):
    make_sound("a.wav")
    grid = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n0 1 <exists> 1 "IntervalTier" "words" 0 1 2 0 0.5 '
        '"hello" 0.5 1 ""'
    )
    (tmp_path / "a.TextGrid").write_text(grid, encoding="utf-8")
    rows = [
        {"id": "t", "split": "train"},
        {"id": "v", "split": "val"},
        {"id": "s"},
        {"id": "p", "phones": "a.TextGrid"},
    ]
    write(tmp_path, *({**row, "audio": "a.wav"} for row in rows))
    read = {capture.name: capture for capture in load("manifest", tmp_path)}
    assert {name: capture.held_out for name, capture in read.items()} == {"t": False, "v": True, "s": False, "p": True}
    assert read["p"].words == (Word("hello", 0.0, 0.5),) and read["p"].transcript == "hello"


def test_the_id_tells_speaker_and_rig_where_the_row_does_not_and_dead_channels_are_not_live(
    tmp_path, make_sound, make_npz, ramp
):
    make_sound("a.wav", seconds=2.0)
    make_npz("a.npz", ramp(50, 25.0, 32), MOUTH_32)
    ids = ["grid_s7_abc", "facegood_1114_2_01", "mystery"]
    write(tmp_path, *({"id": name, "audio": "a.wav", "curves": "a.npz"} for name in ids))
    grid, facegood, other = load("manifest", tmp_path)
    assert (grid.speaker, grid.rig) == ("grid-s7", "mediapipe")
    assert (facegood.speaker, facegood.rig) == ("facegood-1114", "facegood")
    assert (other.speaker, other.rig) == ("mystery", "")
    assert grid.live is not None and facegood.live is not None and other.live is not None
    assert grid.live[[JAW, CLOSE, PUFF]].tolist() == [True, True, False]
    assert facegood.live[[JAW, CLOSE, PUFF]].tolist() == [True, False, False]
    assert other.live.all()


def test_pauses_are_no_words_and_the_language_is_a_code(tmp_path, make_sound):
    make_sound("a.wav")
    words = [[0.0, 0.2, "sil"], [0.2, 0.5, "bin"], [0.5, 1.0, "sp"]]
    row = {
        "id": "a",
        "audio": "a.wav",
        "language": "en-GB",
        "speaker": "me",
        "words": words,
        "transcript": "bin",
        "licence": "CC0",
    }
    write(tmp_path, row)
    (capture,) = load("manifest", tmp_path)
    assert capture.words == (Word("bin", 0.2, 0.5),)
    assert (capture.language, capture.speaker, capture.transcript, capture.licence) == ("en", "me", "bin", "CC0")
    assert (capture.curves, capture.live, capture.rig) == (None, None, "")


@pytest.mark.parametrize(
    ("text", "code"), [("zh (Mandarin)", "zh"), ("en (many accents)", "en"), ("", "und"), ("Klingon", "und")]
)
def test_languages_are_cut_to_their_code(text, code):
    assert language_code(text) == code


def test_all_manifests_of_a_folder_are_read_or_one_alone(tmp_path, make_sound):
    make_sound("a.wav")
    write(tmp_path, {"id": "one", "audio": "a.wav"})
    write(tmp_path, {"id": "two", "audio": "a.wav"}, name="manifest_more.json")
    assert [capture.name for capture in load("manifest", tmp_path)] == ["one", "two"]
    assert [capture.name for capture in load("manifest", tmp_path / "manifest_more.json")] == ["two"]


BROKEN = [
    ({"id": "a"}, "expected id and audio"),
    ({"id": "a", "audio": "gone.wav"}, r"sound .*gone\.wav: no such file"),
    ({"id": "a", "audio": "a.wav", "split": "dev"}, "got split 'dev', expected one of train, val, test"),
    ({"id": "a", "audio": "a.wav", "curves": "a.npz", "fps": 30.0}, "got 25 frames a second, expected 30"),
    ({"id": "a", "audio": "a.wav", "curves": "gone.npz"}, r"curves .*gone\.npz cannot be read"),
    ({"id": "a", "audio": "a.wav", "curves": "long.npz"}, "check the frame rate"),
    ({"id": "a", "audio": "a.wav", "curves": "percent.npz"}, "expected weights from 0 to 1"),
    ({"id": "a", "audio": "a.wav", "curves": "nan.npz"}, "mouthFunnel of frame 3 is not finite"),
    ({"id": "a", "audio": "a.wav", "curves": "eyes.npz"}, "no channel jawOpen"),
    ({"id": "a", "audio": "a.wav", "words": [[0, 1]]}, "row 'a'"),
]


@pytest.mark.parametrize(("row", "message"), BROKEN)
def test_a_broken_row_is_one_line_with_file_got_and_expected(row, message, tmp_path, make_sound, make_npz, ramp):
    make_sound("a.wav", seconds=2.0)
    broken = ramp(50, 25.0)
    broken[3, 1] = np.nan
    make_npz("a.npz", ramp(50, 25.0))
    make_npz("long.npz", ramp(125, 25.0))
    make_npz("percent.npz", 100 * ramp(50, 25.0))
    make_npz("nan.npz", broken)
    make_npz("eyes.npz", ramp(50, 25.0), ("eyeBlinkLeft", "eyeBlinkRight"))
    write(tmp_path, row)
    with pytest.raises(ModelError, match=message) as caught:
        list(load("manifest", tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", '{"clips": []}', "[1]"])
def test_a_manifest_that_is_no_list_of_rows_is_one_line(text, tmp_path):
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest .*manifest\.json"):
        list(load("manifest", tmp_path))


def test_sound_past_the_end_of_the_face_is_cut(tmp_path, make_sound, make_npz, ramp):
    make_sound("a.wav", seconds=2.6)
    make_npz("a.npz", ramp(50, 25.0))
    write(tmp_path, {"id": "a", "audio": "a.wav", "curves": "a.npz"})
    (capture,) = load("manifest", tmp_path)
    assert len(capture.samples) == pytest.approx(2.25 * 16_000, abs=1)
    assert capture.curves is not None and len(capture.curves) == 135
