"""VOCASET and BIWI, made small: the layouts, their pairs, templates and the lineage's parts."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech_to_face.base import ModelError
from speech_to_face_lab.protocols import biwi, vocaset
from speech_to_face_lab.protocols.clips import Tally
from speech_to_face_lab.protocols.corpora import kind_of, read

VERTICES = 5
FIRST, HELD = "FaceTalk_170728_03272_TA", "FaceTalk_170809_00138_TA"


def sound(path: Path, seconds: float, rate: int = 22_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * rate), 0.25), rate, subtype="PCM_16")


def mesh(path: Path, frames: int, fps: int) -> None:
    """Every coordinate is the time in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.repeat(np.arange(frames)[:, None] / fps, VERTICES * 3, axis=1).astype(np.float32))


def pair(folder: Path, name: str, fps: int, seconds: float = 1.0, sound_s: float | None = None) -> None:
    sound(folder / "wav" / f"{name}.wav", sound_s or seconds)
    mesh(folder / "vertices_npy" / f"{name}.npy", round(seconds * fps), fps)


def templates(folder: Path, *subjects: str) -> None:
    rows = {subject: np.full((VERTICES, 3), at, np.float64) for at, subject in enumerate(subjects)}
    (folder / "templates.pkl").write_bytes(pickle.dumps(rows, 2))


def test_vocaset_as_the_lineage_converts_it(tmp_path: Path) -> None:
    pair(tmp_path, f"{FIRST}_sentence01", 60)
    pair(tmp_path, f"{HELD}_sentence30", 60)
    templates(tmp_path, FIRST, HELD)
    first, held = vocaset.clips(tmp_path)
    assert (first.name, first.subject, first.rate, first.gender) == (f"{FIRST}_sentence01", FIRST, 60, "")
    assert (
        first.mesh is not None and first.mesh.shape == (60, VERTICES, 3) and first.mesh[30, 2, 1] == pytest.approx(0.5)
    )
    assert held.template is not None and (held.template == 1).all()
    assert len(first.samples) == 16_000 and first.samples.dtype == np.float32
    assert first.samples[4000:12_000] == pytest.approx(0.25, abs=0.01)


def test_biwi_tells_genders_by_its_names(tmp_path: Path) -> None:
    for name in ("F2_e01", "M3_e40"):
        pair(tmp_path, name, 25)
    templates(tmp_path, "F2", "M3")
    assert [(clip.subject, clip.gender, clip.rate, clip.frames) for clip in biwi.clips(tmp_path)] == [
        ("F2", "female", 25, 25),
        ("M3", "male", 25, 25),
    ]


def test_templates_may_be_an_npz(tmp_path: Path) -> None:
    pair(tmp_path, "F2_e01", 25)
    np.savez(tmp_path / "templates.npz", F2=np.full(VERTICES * 3, 2.0))
    (clip,) = biwi.clips(tmp_path)
    assert clip.template is not None and clip.template.shape == (VERTICES, 3) and (clip.template == 2).all()


def test_lengths_that_differ_are_trimmed_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pair(tmp_path, "F2_e01", 25, 2.0, 2.4)
    pair(tmp_path, "F2_e02", 25, 2.0, 1.6)
    mesh(tmp_path / "vertices_npy" / "F2_e03.npy", 25, 25)
    templates(tmp_path, "F2")
    clips, tally = read(tmp_path)
    assert [(len(clip.samples), clip.frames) for clip in clips] == [(32_000, 50), (25_600, 40)]
    said = (
        "2 clips trimmed: 0.40 s of audio without a face, 0.40 s of face without audio; 1 files without a partner "
        "passed over"
    )
    assert str(tally) == said
    list(biwi.clips(tmp_path))
    assert said in caplog.text, "who gives no tally is told in the log"


def test_a_folder_without_a_pair_is_refused(tmp_path: Path) -> None:
    sound(tmp_path / "wav" / "F2_e01.wav", 1)
    mesh(tmp_path / "vertices_npy" / "F2_e02.npy", 25, 25)
    templates(tmp_path, "F2")
    with pytest.raises(ModelError, match="got 1 sounds and 1 vertices files and no pair"):
        list(biwi.clips(tmp_path, Tally()))


def test_templates_must_be_there_for_every_subject_and_of_one_mesh(tmp_path: Path) -> None:
    pair(tmp_path, "F2_e01", 25)
    with pytest.raises(ModelError, match=r"no templates.npz or templates.pkl"):
        list(biwi.clips(tmp_path))
    templates(tmp_path, "M3")
    with pytest.raises(ModelError, match="no template of subject 'F2', expected it among M3"):
        list(biwi.clips(tmp_path))
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps({"F2": np.zeros((7, 3))}))
    with pytest.raises(ModelError, match=r"F2_e01.npy: got float32 of shape \(25, 15\), expected \(frames, 7 \* 3\)"):
        list(biwi.clips(tmp_path))
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps({"F2": "face"}))
    with pytest.raises(ModelError, match="subject 'F2' has no array"):
        list(biwi.clips(tmp_path))


def test_vertices_that_are_objects_or_not_finite_are_refused(tmp_path: Path) -> None:
    pair(tmp_path, "F2_e01", 25)
    templates(tmp_path, "F2")
    path = tmp_path / "vertices_npy" / "F2_e01.npy"
    np.save(path, np.full((25, VERTICES * 3), np.nan, np.float32))
    with pytest.raises(ModelError, match="a value is not finite"):
        list(biwi.clips(tmp_path))
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError, match="cannot be read, expected an npy of numbers"):
        list(biwi.clips(tmp_path))


def original(folder: Path) -> None:
    """Two subjects in VOCASET's own files; one sentence has no sound. The first's rows are backwards, and listed last
    frame first."""
    np.save(
        folder / "data_verts.npy",
        np.repeat(np.arange(180, dtype=np.float32)[:, None], VERTICES * 3, 1).reshape(180, VERTICES, 3),
    )
    rows = {
        FIRST: {"sentence01": {number: 59 - number for number in reversed(range(60))}},
        HELD: {
            "sentence02": {number: 60 + number for number in range(60)},
            "sentence21": {number: 120 + number for number in range(60)},
        },
    }
    heard = {"audio": np.full(22_000, 8192, np.int16), "sample_rate": 22_000}
    sounds = {FIRST: {"sentence01": heard}, HELD: {"sentence21": heard}}
    (folder / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(rows, 2))
    (folder / "raw_audio_fixed.pkl").write_bytes(pickle.dumps(sounds, 2))
    templates(folder, FIRST, HELD)


def test_vocaset_as_its_authors_ship_it(tmp_path: Path) -> None:
    original(tmp_path)
    clips, tally = read(tmp_path)
    assert [clip.name for clip in clips] == [f"{FIRST}_sentence01", f"{HELD}_sentence21"]
    assert clips[0].mesh is not None and clips[1].mesh is not None
    assert clips[0].mesh[:, 0, 0].tolist() == list(range(59, -1, -1)), "frame numbers order them, not the file"
    assert clips[1].mesh[:, 0, 0].tolist() == list(range(120, 180))
    assert clips[0].samples[4000:12_000] == pytest.approx(0.25, abs=0.01)
    assert tally.alone == 1


def test_vocaset_with_rows_of_other_vertices_is_refused(tmp_path: Path) -> None:
    original(tmp_path)
    np.save(tmp_path / "data_verts.npy", np.zeros((30, VERTICES, 3), np.float32))
    with pytest.raises(ModelError, match="names frame 59, expected frames of data_verts.npy, which has 30"):
        list(vocaset.clips(tmp_path))


@pytest.mark.parametrize(
    ("row", "said"), [(-2, "names frame -1"), (10**5000, "names frame 9223372036854775808")], ids=["below", "beyond"]
)
def test_vocaset_with_a_row_that_no_file_has_is_refused(tmp_path: Path, row: int, said: str) -> None:
    original(tmp_path)
    (tmp_path / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps({FIRST: {"sentence01": {0: row}}}))
    with pytest.raises(ModelError, match=said):
        list(vocaset.clips(tmp_path))


@pytest.mark.parametrize(
    ("audio", "rate", "said"),
    [
        (np.array(["loud"]), 22_000, "is not samples"),
        (np.zeros(9, np.int16), 10**12, "is not samples"),
        (None, 22_000, "is not samples"),
        (np.array([0.0, np.nan]), 22_000, "not finite"),
    ],
    ids=["text", "rate", "nothing", "nan"],
)
def test_vocaset_with_sound_that_is_none_is_refused(tmp_path: Path, audio: object, rate: int, said: str) -> None:
    original(tmp_path)
    sounds = {FIRST: {"sentence01": {"audio": audio, "sample_rate": rate}}}
    (tmp_path / "raw_audio_fixed.pkl").write_bytes(pickle.dumps(sounds, 2))
    with pytest.raises(ModelError, match=f"the sound of {FIRST}_sentence01 in raw_audio_fixed.pkl .*{said}"):
        list(vocaset.clips(tmp_path))


@pytest.mark.parametrize("rows", [[1], {"a": 1}, {"a": {"s": [1]}}, {"a": {"s": {0: "1"}}}], ids=repr)
def test_vocaset_with_another_table_of_rows_is_refused(tmp_path: Path, rows: object) -> None:
    original(tmp_path)
    (tmp_path / "subj_seq_to_idx.pkl").write_bytes(pickle.dumps(rows))
    with pytest.raises(ModelError, match="is not subject -> sentence -> frame -> row"):
        list(vocaset.clips(tmp_path))


def test_the_lineages_parts_of_vocaset(tmp_path: Path) -> None:
    for name in (
        f"{FIRST}_sentence05",
        f"{HELD}_sentence05",
        f"{HELD}_sentence25",
        "FaceTalk_170811_03275_TA_sentence40",
    ):
        pair(tmp_path, name, 60, 0.1)
    templates(tmp_path, FIRST, HELD, "FaceTalk_170811_03275_TA")
    found = {clip.name: vocaset.lineage_part(clip) for clip in vocaset.clips(tmp_path)}
    assert found == {
        f"{FIRST}_sentence05": "train",
        f"{HELD}_sentence05": "",
        f"{HELD}_sentence25": "test",
        "FaceTalk_170811_03275_TA_sentence40": "validation",
    }


def test_the_lineages_parts_of_biwi(tmp_path: Path) -> None:
    expected = {"F2_e32": "train", "F2_e33": "validation", "F2_e37": "test-a", "M1_e36": "", "M1_e37": "test-b"}
    for name in expected:
        pair(tmp_path, name, 25, 0.2)
    templates(tmp_path, "F2", "M1")
    assert {clip.name: biwi.lineage_part(clip) for clip in biwi.clips(tmp_path)} == expected


def test_a_folder_shows_its_kind(tmp_path: Path) -> None:
    for kind, name in {
        "vocaset": "a/vertices_npy/X_sentence01.npy",
        "biwi": "b/vertices_npy/F2_e01.npy",
        "tts": "c/flite-awb.flac",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
        assert kind_of(tmp_path / name.split("/")[0]) == kind
    with pytest.raises(ModelError, match="no files of tts, cavfa, blendvoca, vocaset, biwi there"):
        kind_of(tmp_path / "b" / "vertices_npy")


def test_a_corpus_that_is_not_there_or_of_no_known_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not there"):
        read(tmp_path / "none")
    with pytest.raises(ModelError, match="got kind 'grid', expected one of tts"):
        read(tmp_path, "grid")
