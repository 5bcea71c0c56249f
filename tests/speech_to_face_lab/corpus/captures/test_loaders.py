from __future__ import annotations

import json

import numpy as np
import pytest

from arkit_mapping.channels import CHANNELS_61, MOUTH_32, TAKE_COLUMNS
from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures import Word, load

JAW, LEFT, SMILE = (MOUTH_32.index(name) for name in ("jawOpen", "jawLeft", "mouthSmileLeft"))


def write_take(path, frames, *, fps=60, without=()):
    """A take from 10:59:59 on, in which JawOpen is 0.3 * time and JawLeft 0.1; rows in `without` are left out."""
    lines = [",".join(("Timecode", "BlendshapeCount", *TAKE_COLUMNS))]
    for k in range(frames):
        if k in without:
            continue
        row = dict.fromkeys(CHANNELS_61, 0.0) | {"JawOpen": 0.3 * k / fps, "JawLeft": 0.1}
        seconds, tick = divmod(k * 60 / fps, 60)
        clock = "10:59:59" if seconds == 0 else f"11:00:{int(seconds) - 1:02d}"
        lines.append(f"{clock}:{tick:06.3f},61," + ",".join(f"{row[name]:.10f}" for name in TAKE_COLUMNS))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("fps", [60, 30])
def test_a_take_of_any_rate_beside_its_sound_is_a_capture_and_lost_rows_are_interpolated(fps, tmp_path, make_sound):
    make_sound("Hall_3_Anna.wav", seconds=3.0, rate=48_000)
    write_take(tmp_path / "Hall_3_Anna.csv", 3 * fps, fps=fps, without=range(fps, fps + 12))
    (tmp_path / "Hall_3_Anna.txt").write_text("good\nmorning\n", encoding="utf-8")
    (capture,) = load("livelink", tmp_path)
    assert (capture.name, capture.speaker, capture.transcript, capture.rig) == (
        "Hall_3_Anna",
        "Anna",
        "good morning",
        "livelink",
    )
    assert capture.curves is not None and capture.curves.shape == (180, 32)
    assert capture.curves[:170, JAW] == pytest.approx(0.3 * np.arange(170) / 60, abs=2e-5)
    assert capture.curves[:, LEFT] == pytest.approx(0.1)
    assert capture.live is not None and capture.live.all() and len(capture.samples) == 48_000


def test_of_a_calibrated_take_the_calibrated_table_counts_and_the_apps_other_tables_do_not(tmp_path, make_sound):
    make_sound("Hall_3_Anna.wav", seconds=2.0)
    for ending, frames in (("", 120), ("_raw", 120), ("_neutral", 60), ("_cal", 90)):
        write_take(tmp_path / f"Hall_3_Anna{ending}.csv", frames)
    (tmp_path / "frame_log.csv").write_text("frame,time\n1,2\n", encoding="utf-8")
    (capture,) = load("livelink", tmp_path)
    assert len(capture.samples) == pytest.approx(
        1.75 * 16_000, abs=1
    )  # the calibrated one's 1.5 s, and what may be held


def test_a_take_without_sound_or_with_a_damaged_row_is_one_line(tmp_path, make_sound):
    write_take(tmp_path / "Hall_3_Anna.csv", 60)
    with pytest.raises(ModelError, match=r"Hall_3_Anna\.csv: no sound beside it, expected Hall_3_Anna\.wav"):
        list(load("livelink", tmp_path))
    make_sound("Hall_3_Anna.wav")
    with open(tmp_path / "Hall_3_Anna.csv", "a", encoding="utf-8") as take:
        take.write("11:00:05:00.000,61,zero\n")
    with pytest.raises(ModelError, match=r"Hall_3_Anna\.csv: line 62: got 3 cells"):
        list(load("livelink", tmp_path))


def test_takes_of_one_name_in_two_folders_are_two_captures(tmp_path, make_sound):
    for day in ("friday", "monday"):
        make_sound(f"{day}/Hall_3_Anna.wav")
        write_take(tmp_path / day / "Hall_3_Anna.csv", 60)
    named = [(capture.name, capture.speaker) for capture in load("livelink", tmp_path)]
    assert named == [("friday/Hall_3_Anna", "Anna"), ("monday/Hall_3_Anna", "Anna")]


ALIGN = "0 5000 sil\n5000 11250 bin\n11250 13750 sp\n13750 20000 blue\n20000 25000 sil\n"


@pytest.mark.parametrize(("align", "sound"), [("s1/bbaf2n", "s1/bbaf2n"), ("s1/align/bbaf2n", "s1/audio/bbaf2n")])
def test_grid_words_count_in_25000ths_of_a_second(align, sound, tmp_path, make_sound):
    make_sound(f"{sound}.wav", rate=25_000)
    (tmp_path / align).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / f"{align}.align").write_text(ALIGN, encoding="utf-8")
    (capture,) = load("grid", tmp_path)
    assert capture.words == (Word("bin", 0.2, 0.45), Word("blue", 0.55, 0.8))
    assert (capture.name, capture.speaker, capture.transcript) == ("s1_bbaf2n", "s1", "bin blue")
    assert capture.curves is None and len(capture.samples) == 16_000


def test_grid_curves_are_read_where_there_are_some(tmp_path, make_sound, make_npz, ramp):
    make_sound("s2/a.wav")
    make_npz("s2/a.npz", ramp(25, 25.0), lag_s=0.04)
    (tmp_path / "s2/a.align").write_text(ALIGN, encoding="utf-8")
    (capture,) = load("grid", tmp_path)
    assert capture.curves is not None and capture.live is not None
    assert capture.curves[30, JAW] == pytest.approx(0.4 * 0.54, abs=1e-6)
    assert capture.live.sum() == 2


BROKEN_ALIGN = [("0 10 a\n5 20 b", "line 2: got 5 to 20 after 10"), ("0.0 1.0 a", "line 1: got '0.0 1.0 a'")]


@pytest.mark.parametrize(("text", "message"), BROKEN_ALIGN)
def test_a_broken_alignment_names_its_line(text, message, tmp_path, make_sound):
    make_sound("a.wav")
    (tmp_path / "a.align").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        list(load("grid", tmp_path))


def table(frames):
    values = np.zeros((frames, 32))
    values[:, JAW], values[:, LEFT] = 0.4 * np.arange(frames) / 60, 0.1
    return values


def test_blendvoca_coefficients_find_their_sentence_and_its_test_subjects_are_held_out(tmp_path, make_sound):
    for subject in ("FaceTalk_170725_00137_TA", "FaceTalk_170731_00024_TA"):
        make_sound(f"audio/{subject}/sentence01.wav", rate=22_050)
        folder = tmp_path / "blendshape_coeffs" / subject
        folder.mkdir(parents=True)
        np.save(folder / "sentence01.npy", table(60))
    order = np.argsort(MOUTH_32)
    header = "," + ",".join(MOUTH_32[i] for i in order)
    rows = [",".join([str(k), *(f"{x:.6f}" for x in row[order])]) for k, row in enumerate(table(60))]
    (tmp_path / "blendshape_coeffs/FaceTalk_170725_00137_TA/sentence01-1.csv").write_text(
        "\n".join([header, *rows]), encoding="utf-8"
    )
    named, plain, test = load("vocaset", tmp_path)
    assert [capture.held_out for capture in (named, plain, test)] == [False, False, True]
    assert named.speaker == plain.speaker == "FaceTalk_170725_00137_TA" and named.name != plain.name
    for capture in (named, plain, test):
        assert capture.curves is not None and capture.curves.shape == (60, 32) and len(capture.samples) == 16_000
        assert capture.curves[30, JAW] == pytest.approx(0.2, abs=1e-5) and capture.curves[30, LEFT] == pytest.approx(
            0.1, abs=1e-5
        )


def test_a_csv_of_blendvoca_without_names_is_in_said_order_and_a_short_row_is_an_error(tmp_path, make_sound):
    make_sound("S/sentence02.wav")
    rows = [",".join(f"{x:.6f}" for x in row) for row in table(60)]
    path = tmp_path / "S/sentence02.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    (capture,) = load("vocaset", tmp_path)
    assert capture.curves is not None and capture.curves[30, JAW] == pytest.approx(0.2, abs=1e-5)
    path.write_text("\n".join([*rows, "0.1,0.2"]), encoding="utf-8")
    with pytest.raises(ModelError, match=r"sentence02\.csv, row 61: got 2 cells, expected 32"):
        list(load("vocaset", tmp_path))


def test_blendvoca_coefficients_without_their_sentence_say_which_is_missing(tmp_path):
    (tmp_path / "S").mkdir()
    np.save(tmp_path / "S/sentence03.npy", table(60))
    with pytest.raises(ModelError, match=r"expected S/sentence03\.wav"):
        list(load("vocaset", tmp_path))


def test_blendvoca_coefficients_of_one_sentence_in_both_forms_have_two_names(tmp_path, make_sound):
    make_sound("S/sentence02.wav")
    np.save(tmp_path / "S/sentence02.npy", table(60))
    rows = [",".join(f"{x:.6f}" for x in row) for row in table(60)]
    (tmp_path / "S/sentence02.csv").write_text("\n".join(rows), encoding="utf-8")
    assert [capture.name for capture in load("vocaset", tmp_path)] == ["S/sentence02.csv", "S/sentence02.npy"]


def arkit(tmp_path, make_sound, about):
    make_sound("anna/a.wav")
    (tmp_path / "anna/a.json").write_text(json.dumps(about), encoding="utf-8")
    return list(load("arkit", tmp_path))


def test_arkit_json_of_names_and_frames_is_read_in_any_spelling(tmp_path, make_sound):
    frames = [[0.4 * k / 30, 0.25] for k in range(30)]
    (capture,) = arkit(
        tmp_path, make_sound, {"fps": 30, "names": ["JawOpen", "mouthSmile_L"], "frames": frames, "language": "de"}
    )
    assert capture.curves is not None and capture.live is not None
    assert capture.curves[30, JAW] == pytest.approx(0.2, abs=1e-5) and capture.curves[30, SMILE] == pytest.approx(0.25)
    assert [name for name, live in zip(MOUTH_32, capture.live, strict=True) if live] == ["jawOpen", "mouthSmileLeft"]
    assert (capture.speaker, capture.language, capture.name) == ("anna", "de", "anna/a")


def test_arkit_json_of_one_object_per_frame_fills_what_a_frame_leaves_out_with_zero(tmp_path, make_sound):
    frames = [{"jawOpen": 0.4 * k / 60} | ({"mouthSmileLeft": 0.5} if k >= 30 else {}) for k in range(60)]
    (capture,) = arkit(tmp_path, make_sound, {"blendShapes": frames})
    assert capture.curves is not None
    assert capture.curves[30, JAW] == pytest.approx(0.2, abs=1e-5)
    assert (capture.curves[29, SMILE], capture.curves[30, SMILE]) == (0.0, 0.5)


def test_arkit_npz_is_read_too(tmp_path, make_sound, make_npz, ramp):
    make_sound("a.wav")
    make_npz("a.npz", ramp(25, 25.0))
    (capture,) = load("arkit", tmp_path)
    assert capture.curves is not None and capture.curves[30, JAW] == pytest.approx(0.2, abs=1e-6)


BROKEN = [
    ([], "got list, expected an object"),
    ({}, "expected fps with names and frames, or blendShapes"),
    ({"names": ["jawOpen"], "frames": [[0.1], [0.1, 0.2]]}, "expected fps with names and frames"),
    ({"names": ["jawOpen"], "frames": []}, "expected one row per frame"),
    ({"fps": 0, "names": ["jawOpen"], "frames": [[0.1]]}, "got 0 frames a second"),
    ({"names": ["jawopne"], "frames": [[0.1]] * 60}, "no channel jawOpen among 1 names, did you mean jawopne"),
]


@pytest.mark.parametrize(("about", "message"), BROKEN)
def test_a_json_of_another_kind_is_one_line(about, message, tmp_path, make_sound):
    with pytest.raises(ModelError, match=message) as caught:
        arkit(tmp_path, make_sound, about)
    assert "\n" not in str(caught.value) and "a.json" in str(caught.value)


def test_an_npz_that_needs_pickle_is_refused(tmp_path, make_sound):
    make_sound("a.wav")
    np.savez(tmp_path / "a.npz", coeffs=np.array([{}], dtype=object), names=np.array(["jawOpen"]), fps=25.0)
    with pytest.raises(ModelError, match=r"a\.npz cannot be read"):
        list(load("arkit", tmp_path))
