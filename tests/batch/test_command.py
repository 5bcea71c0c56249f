"""`convert` of folders from the command line: exit codes and messages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from batches import InlineEngine, tone

from livelink_bridge.batch.job import Recipe
from livelink_bridge.batch.manifest import FOLDER
from livelink_bridge.cli import run
from livelink_bridge.commands.files import batch
from livelink_bridge.commands.files.batch import recipe_settings
from livelink_bridge.settings.table import settings_of_verb

QUICKLY = (
    "from livelink_bridge.batch import job; import batches; job.load_context = batches.loudness;"
    "from livelink_bridge.cli import main; main()"
)
"""The program with a model that loads at once, in every one of its processes."""


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> InlineEngine:
    for name in list(os.environ):
        if name.startswith("LIVELINK_BRIDGE_"):
            monkeypatch.delenv(name)
    engine = InlineEngine()
    monkeypatch.setattr(batch, "_engine", lambda options: engine)
    return engine


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    tone(tmp_path / "in/a.wav", 0.3)
    tone(tmp_path / "in/x/b.wav", 0.3)
    return tmp_path / "in"


def test_a_folder_becomes_a_folder_and_a_report_beside(
    lines: Path, inline: InlineEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = lines.parent / "out", lines.parent / "report.html"
    assert run(["convert", str(lines), "-o", str(out), "--report", str(page)]) == 0
    assert "2 converted" in capsys.readouterr().out
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.csv")) == ["a.csv", "x/b.csv"]
    assert "x/b.csv" in page.read_text(encoding="utf-8")
    assert len(inline.began) == 2


def test_a_bad_file_is_a_line_and_exit_code_1_and_the_others_are_there(
    lines: Path, inline: InlineEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    (lines / "bad.wav").write_text("no sound")
    assert run(["convert", str(lines), "-o", str(lines.parent / "out")]) == 1
    err = capsys.readouterr().err.splitlines()
    assert (
        len(err) == 2
        and "bad.wav is not audio" in err[0]
        and "1 of 3 could not be converted; the others were" in err[1]
    )
    assert len(list(lines.parent.rglob("*.csv"))) == 2


def test_a_dry_run_says_what_it_would_do(lines: Path, inline: InlineEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", str(lines), "-o", str(lines.parent / "out"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"{lines / 'x/b.wav'} -> {lines.parent / 'out/x/b.csv'}" in said and "2 to convert, 0 done before" in said
    assert inline.began == [] and not (lines.parent / "out").exists()


def test_settings_are_part_of_what_is_done(lines: Path, inline: InlineEngine) -> None:
    line = ["convert", str(lines), "-o", str(lines.parent / "out")]
    character = lines.parent / "ada.yaml"
    character.write_text("gain: {JawOpen: 0.5}\n")
    for options, begun in [
        ([], 2),
        ([], 0),
        (["--mood", "sad"], 2),
        (["--character", str(character)], 2),
        (["--no-liveliness"], 2),
    ]:
        inline.began.clear()
        assert run([*line, *options]) == 0
        assert len(inline.began) == begun, options
    character.write_text("gain: {JawOpen: 0.6}\n")
    assert run([*line, "--character", str(character)]) == 0 and len(inline.began) == 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "one.csv"], "expected a folder"),
        (["-o", "out", "--jobs", "0"], "--jobs: got 0"),
        (["-o", "out", "--engine", "spark"], "expected local or ray"),
        (["-o", "out", "--ray-address", "auto"], "goes with --engine ray"),
        (["-o", "out", "--report", "report.csv"], "expected the name of a page"),
    ],
)
def test_what_is_a_usage_error_is_one_line_and_exit_code_2(
    lines: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lines.parent)
    assert run(["convert", str(lines), *options]) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1 and not (lines.parent / "out").exists()


def test_a_folder_without_sound_is_exit_code_1(
    tmp_path: Path, inline: InlineEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert run(["convert", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "1 files, none of them audio by its name" in capsys.readouterr().err


def test_a_full_disk_is_reported_at_the_end(
    lines: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_engine", lambda options: InlineEngine(full_after=1))
    assert run(["convert", str(lines), "-o", str(lines.parent / "out")]) == 1
    assert "No space left on device; what was converted is kept: make room and run again" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to whole consoles")
def test_an_interrupt_ends_it_with_130_leaves_no_half_take_and_the_next_run_goes_on(tmp_path: Path) -> None:
    tone(tmp_path / "in/short.wav", 0.3)
    tone(tmp_path / "in/long.wav", 900)
    out = tmp_path / "out"
    command = [sys.executable, "-c", QUICKLY, "convert", str(tmp_path / "in"), "-o", str(out), "--jobs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not (out / "short.csv").exists():
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert [path.name for path in out.iterdir() if path.name != FOLDER and path.suffix != ".wav"] == ["short.csv"]
    assert not (out / "long.wav").exists()


def test_every_setting_that_a_take_depends_on_is_in_the_recipe() -> None:
    """One that is missing would let a batch keep takes that were made with another value."""
    taken = {row.name for row in settings_of_verb("convert")}
    recipe = {part.name for part in fields(Recipe)}
    assert taken - recipe == {"lookahead", "models_dir"}, "both are settled in the folder of the model"
    assert recipe_settings() == {"tongue", "style", "mood", "liveliness", "head_motion", "seed", "allow_cut"}
