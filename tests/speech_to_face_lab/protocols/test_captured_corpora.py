"""Live Link Face takes and BlendVOCA as subjects' clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from arkit_mapping.channels import CHANNELS_61, MOUTH_32
from arkit_mapping.takes.csv import write_take
from speech_to_face.base import ModelError
from speech_to_face_lab.protocols import blendvoca, cavfa
from speech_to_face_lab.protocols.clips import Tally, genders
from speech_to_face_lab.protocols.corpora import kind_of, read

JAW, WIRE_JAW = MOUTH_32.index("jawOpen"), CHANNELS_61.index("JawOpen")


def sound(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * 48_000), 0.25), 48_000, subtype="PCM_16")


def take(path: Path, seconds: float = 1.0, sound_s: float | None = None) -> None:
    """The jaw is 0.4 * time, the eyes are shut: only one of the two belongs to a mouth."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros((round(seconds * 60), 61), np.float32)
    values[:, WIRE_JAW] = 0.4 * np.arange(len(values)) / 60
    values[:, 0] = 1
    write_take(path, values, start_s=36_000.25)
    sound(path.with_suffix(".wav"), sound_s or seconds)


def test_takes_come_at_thirty_frames_and_sixteen_kilohertz_with_the_mouths_channels_by_name(tmp_path: Path) -> None:
    take(tmp_path / "anna" / "Slate_1_iPhone.csv", 2.0)
    (clip,) = cavfa.clips(tmp_path)
    assert (clip.subject, clip.rate, clip.frames, len(clip.samples)) == ("anna", 30, 60, 32_000)
    assert clip.curves is not None
    assert clip.curves[:, JAW] == pytest.approx(0.4 * np.arange(60) / 30, abs=1e-5)
    assert not np.delete(clip.curves, JAW, axis=1).any()
    assert clip.samples[8000:16_000] == pytest.approx(0.25, abs=0.01)


def test_a_take_is_at_sixty_frames_for_who_asks(tmp_path: Path) -> None:
    take(tmp_path / "anna" / "Slate_1_iPhone.csv")
    (clip,) = cavfa.clips(tmp_path, rate=60)
    assert clip.curves is not None
    assert clip.curves[:, JAW] == pytest.approx(0.4 * np.arange(60) / 60, abs=1e-5)


def test_rows_that_the_app_left_out_are_filled_by_their_timecode(tmp_path: Path) -> None:
    path = tmp_path / "anna" / "Slate_1_iPhone.csv"
    take(path, 2.0)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:31] + lines[61:]))
    (clip,) = cavfa.clips(tmp_path)
    assert clip.curves is not None
    assert clip.curves[:, JAW] == pytest.approx(0.4 * np.arange(60) / 30, abs=1e-4)


def test_identities_are_folders_and_takes_at_the_top_name_their_own(tmp_path: Path) -> None:
    for name in (
        "anna/day1/Slate_1_iPhone.csv",
        "anna/day2/Slate_1_iPhone.csv",
        "ben/Slate_1_iPhone.csv",
        "Slate_2_Carl.csv",
    ):
        take(tmp_path / name)
    (tmp_path / "genders.yaml").write_text("anna: female\nben: male\n")
    clips = list(cavfa.clips(tmp_path))
    assert sorted(clip.subject for clip in clips) == ["Carl", "anna", "anna", "ben"]
    assert genders(clips) == {"Carl": "", "anna": "female", "ben": "male"}
    assert len({clip.name for clip in clips}) == 4


def test_what_a_take_lacks_is_trimmed_and_counted(tmp_path: Path) -> None:
    take(tmp_path / "anna" / "Slate_1_iPhone.csv", 2.0, 2.5)
    take(tmp_path / "anna" / "Slate_2_iPhone.csv", 2.0, 1.5)
    take(tmp_path / "anna" / "Slate_3_iPhone.csv", 2.0)
    clips, tally = read(tmp_path)
    assert (tally.clips, tally.alone) == (2, 0)
    assert (tally.sound_s, tally.face_s) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.5, abs=0.02)), (
        "a quarter of a second is held"
    )
    assert [round(clip.seconds, 2) for clip in clips] == [2.27, 1.5, 2.0]


def test_takes_without_sound_and_folders_without_takes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="got no take"):
        list(cavfa.clips(tmp_path))
    take(tmp_path / "Slate_1_iPhone.csv")
    (tmp_path / "Slate_1_iPhone.wav").unlink()
    with pytest.raises(ModelError, match="no sound beside it"):
        list(cavfa.clips(tmp_path))


def test_genders_are_female_or_male(tmp_path: Path) -> None:
    take(tmp_path / "anna" / "Slate_1_iPhone.csv")
    (tmp_path / "genders.yaml").write_text("anna: f\n")
    with pytest.raises(ModelError, match="expected a line `subject: female`"):
        list(cavfa.clips(tmp_path))


def test_blendvoca_comes_with_its_subjects_and_what_was_cut(tmp_path: Path) -> None:
    values = np.zeros((60, 32), np.float32)
    values[:, JAW] = 0.5
    sound(tmp_path / "audio" / "FaceTalk_A" / "sentence01.wav", 1.5)
    (tmp_path / "bs" / "FaceTalk_A").mkdir(parents=True)
    np.save(tmp_path / "bs" / "FaceTalk_A" / "sentence01-0.npy", values)
    assert kind_of(tmp_path) == "blendvoca"
    tally = Tally()
    (clip,) = blendvoca.clips(tmp_path, tally)
    assert (clip.subject, clip.gender, clip.rate) == ("FaceTalk_A", "", 60)
    assert clip.curves is not None and (clip.curves[:, JAW] == 0.5).all()
    assert tally.clips == 1 and tally.sound_s == pytest.approx(0.25, abs=0.02)
    (tmp_path / "genders.yaml").write_text("FaceTalk_A: male\n")
    assert next(iter(blendvoca.clips(tmp_path))).gender == "male"


def test_channels_that_a_table_lacks_are_unknown_and_not_zero(tmp_path: Path) -> None:
    sound(tmp_path / "FaceTalk_A" / "sentence01.wav", 1.0)
    (tmp_path / "FaceTalk_A" / "sentence01.csv").write_text("jawOpen,mouthFunnel\n" + "0.5,0\n" * 60)
    (clip,) = blendvoca.clips(tmp_path)
    assert clip.curves is not None
    known = [MOUTH_32[channel] for channel in np.flatnonzero(np.isfinite(clip.curves).all(0))]
    assert known == ["jawOpen", "mouthFunnel"]
