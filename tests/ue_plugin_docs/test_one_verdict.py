"""The program and the script that runs in Unreal say the same of a folder: which takes, whose, with which sound, and
what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from import_take_parts import plan as script_plan
from import_take_parts import take as script_take
from import_take_parts.copied import cells as script_cells
from import_take_parts.copied import names as script_names

from arkit_mapping.takes.check import check_take
from arkit_mapping.takes.csv import TakeError, read_take, write_take
from arkit_mapping.takes.rows import HEADER
from livelink_bridge.commands.files import takes
from livelink_bridge.commands.models.adapt import files_in
from livelink_bridge.takes.discovery import find_takes
from livelink_bridge.testing.takes import app_folder, app_take, face

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ue_plugin_docs" / "scripts" / "import_take.py"
CELLS = ",61," + ",".join(["0.25"] * 61)


def _labels(*labels: str) -> str:
    return "\n".join([HEADER, *(label + CELLS for label in labels), ""])


def _counted(frames: int, nominal: int, before: str = ":") -> str:
    return _labels(*(f"10:00:{frame // nominal:02}{before}{frame % nominal:02}" for frame in range(frames)))


WELL = {
    "24": _counted(100, 24),
    "25": _counted(100, 25),
    "29.97df": _counted(100, 30, ";"),
    "30": _counted(100, 30),
    "48": _counted(100, 48),
    "50": _counted(100, 50),
    "60": _counted(100, 60),
    "short": _counted(12, 24),
    "milliseconds": _labels(*(f"00:00:{row * 50 // 3 // 1000:02}:{row * 50 // 3 % 1000:03}" for row in range(100))),
    "semicolons": _counted(100, 60).replace(",", ";"),
    "ends": _counted(100, 60).replace("\n", ",\n"),
    "51": "\n".join(
        line.rsplit(",", 10)[0] + "," + ",".join(line.rsplit(",", 10)[2:]) for line in _counted(100, 60).splitlines()
    ),
}
ILL = {
    "no header": "a,b\n1,2\n",
    "no rows": HEADER + "\n",
    "no jaw": _counted(3, 60).replace("JawOpen", "JawOpn"),
    "empty cell": _labels("10:00:00:00").replace("0.25", "", 1),
    "not finite": _labels("10:00:00:00").replace("0.25", "nan", 1),
    "a word": _labels("10:00:00:00").replace("0.25", "x", 1),
    "too few": _labels("10:00:00:00").replace(",0.25\n", "\n"),
    "back": _labels("10:00:01:00", "10:00:00:00"),
    "60 FF": _labels("10:00:00:60"),
    "15 a second": _counted(100, 15),
    "mixed": _labels("10:00:00:00", "10:00:00;01"),
}


@pytest.mark.parametrize("text", WELL.values(), ids=WELL)
def test_what_is_read_has_the_same_times_and_the_same_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "S_1_Ada.csv"
    path.write_text(text)
    ours, theirs = read_take(path), script_take.read_take(path)
    np.testing.assert_allclose(np.array(theirs.ticks) / 60, ours.times_s, atol=1e-7)
    assert theirs.notes == ours.notes


@pytest.mark.parametrize("text", ILL.values(), ids=ILL)
def test_what_is_refused_is_refused_everywhere_in_the_same_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "S_1_Ada.csv"
    path.write_text(text)
    with pytest.raises(TakeError) as ours:
        read_take(path)
    with pytest.raises(script_cells.TakeError) as theirs:
        script_take.read_take(path)
    assert str(ours.value).removeprefix(f"take {path}").lstrip(": ") == str(theirs.value)
    assert any(finding.level == "error" for finding in check_take(path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app's folder, a batch's tree, takes of monitor, and files that are none."""
    home = app_folder(tmp_path, face(60), take=7)
    (home / "MySlate_7_iPhone.mov").write_bytes(b"film")
    for name in ("a", "scene 1/b", "scene 1/deep/er/still/c"):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_take(path, face(60))
        soundfile.write(path.with_suffix(".wav"), np.zeros(16000), 16000)
    app_take(tmp_path / "LiveLinkBridge_3.csv", face(60))
    app_take(tmp_path / ".hidden" / "S_1_Anna.csv", face(60))
    (tmp_path / "shots.csv").write_text("shot,line\n1,hello\n")
    return tmp_path


def test_a_folder_holds_the_same_takes_on_every_machine(folder: Path) -> None:
    found = find_takes(folder)
    assert [files.csv.relative_to(folder).as_posix() for files in found] == [
        "20241204_MySlate_7/MySlate_7_iPhone_cal.csv",
        "LiveLinkBridge_3.csv",
        "a.csv",
        "scene 1/b.csv",
        "scene 1/deep/er/still/c.csv",
    ]
    assert script_names.takes_at(folder) == [files.csv for files in found]
    assert [file.table for file in files_in(folder)] == [files.csv for files in found]
    for files in found:
        assert script_names.named(files.csv) == (files.slate, files.take, files.subject)
        assert (
            script_names.sound_beside(files.csv)
            == files.sound
            == next(f.sound for f in files_in(folder) if f.table == files.csv)
        )
        plan = script_plan.make_plan(files.csv)
        assert (plan.subject, plan.wav) == (files.subject, files.sound)


def test_check_takes_a_batch_as_a_folder_and_names_the_subject_as_list_does(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = typer.main.get_command(takes.build())
    command.main(args=["check", str(folder / "scene 1"), str(folder / "20241204_MySlate_7")], standalone_mode=False)
    out = capsys.readouterr().out
    assert out.count("imports as meant") == 2 and out.count(": error:") == 0
    assert "its subject is 'iPhone'; imported by hand, Unreal names it 'MySlate_7_iPhone'" in out


def test_a_silent_take_is_told_whose_it_is(folder: Path) -> None:
    (folder / "a.wav").unlink()
    app, own = (
        script_plan.make_plan(folder / "20241204_MySlate_7/MySlate_7_iPhone_cal.csv"),
        script_plan.make_plan(folder / "a.csv"),
    )
    assert any("in its film: ffmpeg -i MySlate_7_iPhone.mov MySlate_7_iPhone.wav" in note for note in app.notes)
    assert any(
        "no sound beside it, expected a.wav" in note and "--with-sound" in note and ".mov" not in note
        for note in own.notes
    )


def test_a_sound_that_the_script_cannot_lay_is_told(folder: Path) -> None:
    soundfile.write(folder / "LiveLinkBridge_3.flac", np.zeros(16000), 16000)
    plan = script_plan.make_plan(folder / "LiveLinkBridge_3.csv")
    assert plan.wav is None and any("LiveLinkBridge_3.flac is no .wav; ffmpeg -i" in note for note in plan.notes)


def test_the_script_holds_the_programs_own_text_of_today() -> None:
    command = [sys.executable, "-c", "import make_import_take as m; print(m.stale())"]
    done = subprocess.run(command, cwd=ROOT / "scripts", capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "[]\n", "run python scripts/make_import_take.py"


def test_the_script_takes_a_rate_that_no_reader_can_know(tmp_path: Path) -> None:
    (tmp_path / "S_1_Ada.csv").write_text(ILL["15 a second"])
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(tmp_path), "--dry-run"]
    silent = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert silent.returncode == 1 and "--take-rate 15" in silent.stderr
    told = subprocess.run([*command, "--take-rate", "15"], capture_output=True, text=True, timeout=20, check=False)
    assert told.returncode == 0 and "100 rows" in told.stdout, told.stderr
