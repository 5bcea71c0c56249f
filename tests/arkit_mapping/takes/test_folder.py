"""The app's folder and file names, and numbers that nobody gets twice."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from arkit_mapping.takes.folder import (
    MAX_TAKE,
    next_take,
    reserve,
    slate_part,
    subject_part,
    take_json_faults,
    write_take_json,
)
from arkit_mapping.takes.names import imported_subject
from arkit_mapping.takes.rows import TakeError

DAY = datetime(2024, 12, 4, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
ROOT = Path(__file__).parents[3]


def test_names_are_the_apps(tmp_path):
    folder = reserve(tmp_path, slate="MySlate", subject="iPhone", day=DAY, take=166)
    assert folder.path == tmp_path / "20241204_MySlate_166"
    assert (folder.csv.name, folder.sound.name) == ("MySlate_166_iPhone.csv", "MySlate_166_iPhone.wav")


@pytest.mark.parametrize(
    ("subject", "part", "imported"),
    [
        ("iPhone", "iPhone", "Hall_3_iPhone"),
        ("Ada_L", "Ada_L", "Ada_L"),
        ("Ada Lovelace", "Ada-Lovelace", "Hall_3_Ada-Lovelace"),
        ("Face_cal", "Face-cal", "Hall_3_Face-cal"),
        ("_x__y_", "x_y", "x_y"),
        ("../../etc", "etc", "Hall_3_etc"),
        ("Jörg_テスト", "Jörg_テスト", "Jörg_テスト"),
        ("हिन्दी", "हिन्दी", "Hall_3_हिन्दी"),
        ("???", "face", "Hall_3_face"),
    ],
)
def test_a_subject_is_named_so_that_the_importer_leaves_it_whole(subject, part, imported):
    assert subject_part(subject) == part
    assert imported_subject(f"{slate_part('Hall')}_3_{part}.csv") == imported


@pytest.mark.parametrize("slate", ["Scene_4_b", "Scene 4/b", "__Scene:4:b__"])
def test_a_slate_never_has_an_underscore_which_the_importer_would_count(slate):
    assert slate_part(slate) == "Scene-4-b"


@pytest.mark.parametrize("text", ["x" * 65000, "é" * 300, "a_" * 5000, "\0\n\x1b[2J", "😀" * 100, ""])
def test_whatever_a_peer_calls_its_take_it_is_a_name_inside_the_folder(tmp_path, text):
    folder = reserve(tmp_path, slate=text, subject=text, day=DAY)
    folder.csv.write_text("")
    assert folder.csv.resolve().parent.parent == tmp_path.resolve()
    assert len(folder.csv.name.encode()) < 200


def test_the_number_goes_on_over_days_and_for_each_slate_alone(tmp_path):
    for name in (
        "20240101_Hall_4",
        "20240102_hall_6",
        "20240102_Room_9",
        "20240102_Hall_x",
        "Hall_80",
        "20240102_Hall_99999999",
    ):
        (tmp_path / name).mkdir()
    assert (next_take(tmp_path, "Hall"), next_take(tmp_path, "Other"), next_take(tmp_path / "none", "Hall")) == (
        7,
        1,
        1,
    )


def test_a_number_that_is_taken_is_the_next_free_one(tmp_path):
    numbers = [reserve(tmp_path, slate="Hall", subject="A", day=DAY, take=3).take for _ in range(3)]
    assert numbers == [3, 4, 5]
    (tmp_path / f"20241204_End_{MAX_TAKE}").mkdir()
    with pytest.raises(TakeError, match="no free take number"):
        reserve(tmp_path, slate="End", subject="A", day=DAY)


def test_programs_that_record_into_one_folder_never_share_a_take(tmp_path):
    code = (
        "import sys; from datetime import datetime; from pathlib import Path; from arkit_mapping.takes.folder import "
        "reserve\n"
        "for _ in range(25): print(reserve(Path(sys.argv[1]), slate='Hall', subject='A', day=datetime(2024, 12, "
        "4)).take)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)]
    numbers = [int(line) for program in programs for line in program.communicate(timeout=30)[0].split()]
    assert sorted(numbers) == list(range(1, 51))


def test_take_json_has_every_key_that_the_ingest_requires(tmp_path):
    folder = reserve(tmp_path, slate="Hall", subject="Ada L", day=DAY, take=2)
    write_take_json(
        folder, subject="Ada L", begun=DAY, version="1.2", frames=80, timecode="23:30:00:00.000", complete=True
    )
    assert json.loads((folder.path / "take.json").read_text()) == {
        "frames": 80,
        "appVersion": "1.2",
        "slate": "Hall",
        "calibrated": False,
        "subject": "Ada L",
        "identifier": "20241204_Hall_2",
        "date": "2024-12-05T01:30:00Z",
        "version": 1,
        "take": 2,
        "deviceModel": "LiveLinkBridge",
        "timecode": "23:30:00:00.000",
        "complete": True,
    }
    assert take_json_faults(folder.csv, 80) == []
    assert take_json_faults(folder.csv, 81) == [(False, "frames is 80, the file has 81 rows")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100000, "cannot be read as JSON"),
        ("null", "holds no object"),
        ("{}", "frames is missing, expected a whole number"),
        ('{"frames": true}', "frames is True, expected a whole number"),
    ],
)
def test_a_take_json_that_the_ingest_would_refuse_is_said(tmp_path, text, said):
    (tmp_path / "take.json").write_text(text)
    assert said in take_json_faults(tmp_path / "Hall_1_A.csv", 1)[0][1]


def test_removing_a_take_leaves_the_files_of_others(tmp_path):
    folder = reserve(tmp_path, slate="Hall", subject="A", day=datetime.now(UTC))
    folder.csv.write_text("")
    (folder.path / "notes.txt").write_text("mine")
    folder.remove()
    assert [path.name for path in folder.path.iterdir()] == ["notes.txt"]
