"""The manifest: which takes are done."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from batches import RECIPE, loudness, tone

from livelink_bridge.batch import manifest as kept
from livelink_bridge.batch.job import Outcome, Task, convert_one
from livelink_bridge.batch.manifest import FILE, FOLDER, Manifest
from livelink_bridge.errors import SinkError
from livelink_bridge.testing.stand_ins import ManualClock


@pytest.fixture
def done(tmp_path: Path) -> Task:
    """A sound that was converted and noted."""
    task = Task(tone(tmp_path / "in/a.wav", 0.5), tmp_path / "out/a.csv", "a.csv")
    with closing(Manifest(tmp_path / "out", ManualClock())) as manifest:
        assert not manifest.is_done(task, RECIPE)
        manifest.add(task, RECIPE, convert_one(task.sound, task.out, RECIPE, loudness(RECIPE)))
        assert manifest.is_done(task, RECIPE)
    return task


def is_done(task: Task, recipe: object = RECIPE) -> bool:
    with closing(Manifest(task.out.parent, ManualClock())) as manifest:
        return manifest.is_done(task, recipe)  # type: ignore[arg-type]


def test_what_is_done_is_known_to_the_next_run(done: Task) -> None:
    assert is_done(done)
    with closing(Manifest(done.out.parent, ManualClock())) as manifest:
        outcome = manifest.outcome("a.csv")
        assert outcome is not None and outcome.seconds == pytest.approx(0.5) and outcome.curves.jaw
        assert manifest.outcome("b.csv") is None


def test_another_recipe_is_not_done(done: Task) -> None:
    assert not is_done(done, replace(RECIPE, mood="sad"))
    assert not is_done(done, replace(RECIPE, scored=True)), "nobody measured its lips"


def test_a_take_that_is_missing_or_altered_is_not_done(done: Task) -> None:
    text = done.out.read_bytes()
    done.out.write_bytes(text.replace(b"1", b"2"))
    assert not is_done(done)
    done.out.unlink()
    assert not is_done(done)


def test_a_sound_that_was_altered_is_not_done(done: Task) -> None:
    tone(done.sound, 0.5, step=0.3)
    assert not is_done(done)


def test_files_that_only_look_newer_are_done_and_read_once(done: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (done.sound, done.out):
        os.utime(path, (1e9, 1e9))
    assert is_done(done)
    monkeypatch.setattr(kept, "sha256_of", lambda path: pytest.fail("read again"))
    assert is_done(done)


def test_a_run_that_is_killed_keeps_all_but_the_last_moment(tmp_path: Path) -> None:
    clock = ManualClock()
    manifest = Manifest(tmp_path, clock)
    for name in ("a.csv", "b.csv", "c.csv"):
        clock.advance(0.3)
        manifest.add(Task(tmp_path, tmp_path, name), RECIPE, Outcome(seconds=1.0))
    manifest._rows.close()  # as a kill does: without a commit
    with closing(Manifest(tmp_path, clock)) as again:
        assert [name for name in ("a.csv", "b.csv", "c.csv") if again.outcome(name)] == ["a.csv", "b.csv"]


def test_two_runs_at_a_time_are_one_too_many(tmp_path: Path) -> None:
    with (
        closing(Manifest(tmp_path, ManualClock())),
        pytest.raises(SinkError, match="another run is writing takes into"),
    ):
        Manifest(tmp_path, ManualClock())
    Manifest(tmp_path, ManualClock()).close()


def test_failures_are_those_of_the_last_run(tmp_path: Path) -> None:
    with closing(Manifest(tmp_path, ManualClock())) as manifest:
        manifest.add(Task(tmp_path / "a.wav", tmp_path / "a.csv", "a.csv"), RECIPE, Outcome(error="a.wav is no sound"))
    with closing(Manifest(tmp_path, ManualClock())) as manifest:
        assert list(manifest.failures()) == [(str(tmp_path / "a.wav"), "a.wav is no sound")]
        manifest.begin()
        assert list(manifest.failures()) == []


def test_a_manifest_that_cannot_be_used_is_reported_on_one_line(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(SinkError, match="is damaged .* remove it"):
        Manifest(tmp_path, ManualClock())
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match="cannot be written"):
        Manifest(tmp_path / "file", ManualClock())


def test_a_full_disk_of_the_manifest_is_reported_and_committed_records_stay(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path, ManualClock())
    manifest.add(Task(tmp_path, tmp_path, "a.csv"), RECIPE, Outcome())
    manifest._rows.execute("COMMIT")
    manifest._rows.execute("PRAGMA max_page_count = 4")
    manifest._rows.execute("BEGIN")
    with pytest.raises(kept.DiskFull, match="the disk is full"):
        for number in range(100):
            manifest.add(Task(tmp_path, tmp_path, f"{number}.csv"), RECIPE, Outcome(warnings=("x" * 1000,)))
    manifest.close()
    with closing(Manifest(tmp_path, ManualClock())) as again:
        assert again.outcome("a.csv") is not None
    with closing(sqlite3.connect(tmp_path / FOLDER / FILE)) as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
