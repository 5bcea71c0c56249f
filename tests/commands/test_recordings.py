"""Recordings that are not what they should be, from the command line and from a program."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from outside import loud_tone, one_line

from arkit_mapping.takes.csv import read_take
from livelink_bridge import animate
from livelink_bridge.cli import run
from livelink_bridge.errors import SourceError
from livelink_bridge.testing.stand_ins import LoudnessModel

pytestmark = pytest.mark.usefixtures("own_home", "nothing_left_running", "small_model", "shared_clock")


@pytest.fixture
def cut_voice(tmp_path: Path) -> Path:
    """The first 60 % of a recording, whose header is the whole's."""
    path = loud_tone(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: round(0.6 * len(whole))])
    return path


def test_convert_of_a_cut_recording_is_an_error_and_writes_nothing(
    cut_voice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = cut_voice.parent / "out.csv"
    assert run(["convert", str(cut_voice), "-o", str(out)]) == 1
    assert "ends early: " in one_line(capsys) and not out.exists()


def test_convert_takes_what_there_is_when_that_is_allowed_and_says_so_once(
    cut_voice: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = cut_voice.parent / "out.csv"
    assert run(["convert", str(cut_voice), "-o", str(out), "--allow-cut"]) == 0
    assert len(read_take(out).values) > 10
    assert [record.message for record in caplog.records if "what there is is taken" in record.message] != []
    assert len(caplog.records) == 1


def test_the_settings_may_allow_it(cut_voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_ALLOW_CUT", "true")
    assert run(["convert", str(cut_voice), "-o", str(cut_voice.parent / "out.csv")]) == 0
    assert run(["convert", str(cut_voice), "-o", str(cut_voice.parent / "out.csv"), "--whole"]) == 1


def test_play_says_it_before_anything_is_played(cut_voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cut_voice.parent / "whole").mkdir()
    whole = loud_tone(cut_voice.parent / "whole")
    assert run(["play", str(whole), str(cut_voice), "--no-audio", "--to", "livelink://127.0.0.1:9"]) == 1
    assert "ends early: " in one_line(capsys)


def test_play_of_a_cut_recording_may_be_allowed_and_says_it_once(
    cut_voice: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(["play", str(cut_voice), "--no-audio", "--to", "livelink://127.0.0.1:9", "--allow-cut"]) == 0
    assert len([record for record in caplog.records if "ends early" in record.message]) == 1


def test_animate_raises_unless_it_is_allowed(cut_voice: Path) -> None:
    with pytest.raises(SourceError, match="ends early"):
        animate(cut_voice, model=LoudnessModel())
    assert len(animate(cut_voice, model=LoudnessModel(), allow_cut=True).poses) > 10


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_recording_from_a_stream_is_converted_whole(tmp_path: Path, size: int) -> None:
    path = loud_tone(tmp_path)
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", size)
    whole = animate(path, model=LoudnessModel()).poses
    path.write_bytes(bytes(data))
    np.testing.assert_array_equal(animate(path, model=LoudnessModel()).poses, whole)


def test_samples_that_are_no_numbers_are_counted_once_and_no_library_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sound = 0.3 * np.sin(np.arange(16000) / 12)
    sound[[100, 5000, 9000]] = np.nan, np.inf, 1e30
    soundfile.write(tmp_path / "a.wav", np.stack([sound, -sound / 2], 1), 16000, subtype="FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        poses = animate(tmp_path / "a.wav", model=LoudnessModel()).poses
    assert np.isfinite(poses).all()
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'a.wav'}: 6 samples are not finite or absurdly loud, taken as silence"
    ]


def test_stereo_of_opposite_polarity_moves_the_face_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sound = 0.3 * np.sin(np.arange(16000) / 12)
    soundfile.write(tmp_path / "one.wav", sound, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "both.wav", np.stack([sound, -sound], 1), 16000, subtype="FLOAT")
    one, both = (animate(tmp_path / name, model=LoudnessModel()).poses for name in ("one.wav", "both.wav"))
    np.testing.assert_array_equal(both, one)
    assert [record.message.partition(": ")[2] for record in caplog.records] == [
        "its channels cancel each other, having opposite polarity; channel 1, the louder, is taken alone"
    ]
