"""Which files make up a take, in the app's folders, in ours, and alone."""

from __future__ import annotations

import json

import pytest

from arkit_mapping.takes.csv import TakeError
from livelink_bridge.takes.discovery import find_take, find_takes
from livelink_bridge.testing.takes import app_folder, app_take, face


def test_of_a_calibrated_take_the_calibrated_file_is_meant_and_the_frame_log_is_no_take(tmp_path):
    home = app_folder(tmp_path, face(3))
    found = find_take(home)
    assert found.csv == home / "MySlate_167_iPhone_cal.csv"
    assert (found.slate, found.take, found.subject, found.sound) == ("MySlate", 167, "iPhone", None)


def test_the_sound_is_the_wav_of_the_takes_name_with_or_without_cal(tmp_path):
    home = app_folder(tmp_path, face(3))
    (home / "MySlate_167_iPhone.wav").write_bytes(b"")
    assert find_take(home).sound == home / "MySlate_167_iPhone.wav"
    app_take(tmp_path / "S_1_Anna.csv", face(3))
    (tmp_path / "S_1_Anna.wav").write_bytes(b"")
    assert find_take(tmp_path / "S_1_Anna.csv").sound == tmp_path / "S_1_Anna.wav"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MySlate_167_iPhone.csv", ("MySlate", 167, "iPhone")),
        ("My_Slate_3_Anna_Left.csv", ("My_Slate", 3, "Anna_Left")),
        ("LiveLinkBridge_12.csv", ("", 12, "LiveLinkBridge")),
        ("face.csv", ("", None, "face")),
    ],
)
def test_slate_take_and_subject_are_read_off_the_name(tmp_path, name, expected):
    app_take(tmp_path / name, face(2))
    found = find_take(tmp_path / name)
    assert (found.slate, found.take, found.subject) == expected


def test_take_json_says_it_where_the_name_could_mean_two_things(tmp_path):
    app_take(tmp_path / "A_1_2_B.csv", face(2))
    (tmp_path / "take.json").write_text(json.dumps({"slate": "A_1", "take": 2, "subject": "B"}))
    found = find_take(tmp_path)
    assert (found.slate, found.take, found.subject) == ("A_1", 2, "B")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"slate": 1}', '{"slate": "S", "take": "x", "subject": "s"}', "\x00", "[" * 100_000]
)
def test_a_damaged_take_json_does_not_matter(tmp_path, text):
    app_take(tmp_path / "S_1_Anna.csv", face(2))
    (tmp_path / "take.json").write_text(text)
    assert find_take(tmp_path).slate == "S"


def test_a_folder_with_two_takes_is_one_clear_line(tmp_path):
    for name in ("S_1_Anna.csv", "S_2_Anna.csv"):
        app_take(tmp_path / name, face(2))
    with pytest.raises(
        TakeError, match=r"holds 2 takes \(S_1_Anna.csv, S_2_Anna.csv\), expected one; give the path of one .csv"
    ):
        find_take(tmp_path)


def test_a_folder_without_a_take_and_no_folder_are_one_clear_line(tmp_path):
    (tmp_path / "frame_log.csv").write_text("")
    with pytest.raises(TakeError, match="holds no take"):
        find_take(tmp_path)
    with pytest.raises(TakeError, match="no such file or folder"):
        find_take(tmp_path / "none")
    with pytest.raises(TakeError, match="no such file or folder"):
        find_takes(tmp_path / "none")


def test_listing_finds_takes_in_folders_of_days_but_not_in_hidden_ones(tmp_path):
    app_folder(tmp_path / "monday", face(2), take=1)
    app_folder(tmp_path / "monday", face(2), take=2)
    app_take(tmp_path / "LiveLinkBridge_1.csv", face(2))
    app_take(tmp_path / ".trash" / "S_9_Anna.csv", face(2))
    app_take(tmp_path / ".LiveLinkBridge_2.csv.77.partial", face(2))
    found = [take.csv.name for take in find_takes(tmp_path)]
    assert found == ["LiveLinkBridge_1.csv", "MySlate_1_iPhone_cal.csv", "MySlate_2_iPhone_cal.csv"]
