"""A whole batch, from folders to takes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from batches import RECIPE, InlineEngine, Silent, tone

from arkit_mapping.whole_file import partial_path
from livelink_bridge.batch.job import Recipe
from livelink_bridge.batch.manifest import FOLDER
from livelink_bridge.batch.run import Batch, BatchCounts
from livelink_bridge.errors import UsageError
from livelink_bridge.testing.stand_ins import ManualClock


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A folder with three sounds."""
    for at, name in enumerate(("a.wav", "x/b.wav", "x/y/c.wav")):
        tone(tmp_path / "in" / name, 0.3, step=0.2 + at / 50)
    return tmp_path / "in"


def run(
    lines: Path, recipe: Recipe = RECIPE, engine: InlineEngine | None = None
) -> tuple[BatchCounts, list[str], list[str]]:
    """How it went, whose conversion was begun, and what was said."""
    engine, said = engine or InlineEngine(), Silent()
    counts = batch(lines, recipe, said).run(engine)
    return counts, sorted(engine.began), said.said


def batch(lines: Path, recipe: Recipe = RECIPE, said: Silent | None = None, paths: Sequence[Path] = ()) -> Batch:
    return Batch(paths or [lines], lines.parent / "out", recipe, clock=ManualClock(), observer=said or Silent())


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and FOLDER not in path.parts
    }


def test_the_tree_is_kept_and_there_is_one_take_for_each_sound_and_nothing_else(lines: Path) -> None:
    counts, _, said = run(lines)
    assert (counts.converted, counts.skipped, counts.failed, said) == (3, 0, 0, [])
    assert counts.seconds == pytest.approx(0.9)
    assert sorted(files(lines.parent / "out")) == ["a.csv", "x/b.csv", "x/y/c.csv"]


def test_what_is_done_is_skipped_and_what_is_missing_altered_or_newer_is_done_again(lines: Path) -> None:
    out = lines.parent / "out"
    run(lines)
    before = files(out)
    assert run(lines)[:2] == (BatchCounts(skipped=3), [])
    (out / "a.csv").unlink()
    (out / "x/b.csv").write_text("altered")
    assert run(lines)[1] == ["a.csv", "x/b.csv"]
    assert files(out) == before
    tone(lines / "a.wav", 0.4)
    assert run(lines)[1] == ["a.csv"]
    assert len(run(lines, replace(RECIPE, mood="happy"))[1]) == 3


def test_a_bad_file_stops_no_other_and_is_tried_again_when_it_was_mended(lines: Path) -> None:
    (lines / "bad.wav").write_text("no sound")
    (lines / "A.flac").write_text("a namesake")
    counts, _, said = run(lines)
    assert (counts.converted, counts.failed) == (2, 3)
    assert len(said) == 3 and sum("would have one take" in line for line in said) == 2
    tone(lines / "bad.wav", 0.2)
    (lines / "A.flac").unlink()
    assert run(lines)[1] == ["a.csv", "bad.csv"]


def test_a_namesakes_older_take_is_left_alone(lines: Path) -> None:
    run(lines)
    before = files(lines.parent / "out")
    (lines / "a.flac").write_text("a namesake")
    assert run(lines)[0].failed == 2
    assert files(lines.parent / "out") == before


def test_a_full_disk_stops_it_and_the_next_run_goes_on(lines: Path) -> None:
    counts, began, _ = run(lines, engine=InlineEngine(full_after=1))
    assert counts.converted == 1 and counts.no_room is not None and "No space left" in counts.no_room
    later = run(lines)
    assert (later[0].skipped, later[0].converted) == (1, 2) and not set(later[1]) & set(began)


def test_an_interrupt_keeps_what_is_done(lines: Path) -> None:
    class Interrupted(Silent):
        def done(self, task: object, outcome: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch(lines, said=Interrupted()).run(InlineEngine())
    assert run(lines)[0].skipped == 1


def test_leftovers_of_a_kill_are_cleared_and_others_files_are_not(lines: Path) -> None:
    out = lines.parent / "out"
    run(lines)
    for name in (
        "x/.b.csv.4711-0123abcd.partial",
        ".a.csv.12-0123abcd.partial",
        ".another.csv.12-0123abcd.partial",
        ".notes.partial",
    ):
        (out / name).write_text("half")
    run(lines)
    assert sorted(path.name for path in out.rglob(".*.partial")) == [
        ".another.csv.12-0123abcd.partial",
        ".notes.partial",
    ]


def test_a_plan_says_what_would_be_done_and_writes_nothing(lines: Path) -> None:
    plan = batch(lines)
    assert len(list(plan.plan())) == 3 and not (lines.parent / "out").exists()
    run(lines)
    (lines.parent / "out/a.csv").unlink()
    plan = batch(lines)
    assert [task.name for task in plan.plan()] == ["a.csv"] and plan.counts.skipped == 2
    assert not (lines.parent / "out/a.csv").exists()


def test_the_report_is_of_these_sounds_and_of_those_done_before(lines: Path) -> None:
    run(lines)
    (lines / "a.wav").unlink()
    again = batch(lines)
    again.run(InlineEngine())
    manifest = again.manifest()
    assert [(name, outcome.poses > 0) for name, outcome in again.takes(manifest)] == [
        ("x/b.csv", True),
        ("x/y/c.csv", True),
    ]
    manifest.close()


def test_takes_may_lie_beside_their_sounds(lines: Path) -> None:
    for expected in (3, 0):
        counts = Batch([lines], lines, RECIPE, clock=ManualClock(), observer=Silent()).run(InlineEngine())
        assert counts.converted == expected
    assert os.path.exists(lines / "x/y/c.csv")


def test_a_folder_of_takes_that_is_a_file_is_a_usage_error(lines: Path) -> None:
    with pytest.raises(UsageError, match="is a file, expected a folder"):
        Batch([lines], lines / "a.wav", RECIPE, clock=ManualClock(), observer=Silent())


SOUND = replace(RECIPE, with_sound=True)


def test_each_sound_is_put_beside_its_take_and_a_second_run_does_nothing(lines: Path) -> None:
    counts, _, said = run(lines, SOUND)
    out = lines.parent / "out"
    assert (counts.converted, said) == (3, [])
    assert sorted(files(out)) == ["a.csv", "a.wav", "x/b.csv", "x/b.wav", "x/y/c.csv", "x/y/c.wav"]
    assert (out / "x/b.wav").samefile(lines / "x/b.wav")
    assert run(lines, SOUND)[:2] == (BatchCounts(skipped=3), [])


def test_takes_from_before_get_their_sounds_without_being_made_again(lines: Path) -> None:
    run(lines)
    assert run(lines, SOUND)[:2] == (BatchCounts(skipped=3), [])
    assert (lines.parent / "out/x/y/c.wav").samefile(lines / "x/y/c.wav")


def test_a_sound_that_changed_takes_the_place_of_the_one_that_was_put_there(lines: Path) -> None:
    run(lines, SOUND)
    (lines / "a.wav").unlink()
    tone(lines / "a.wav", 0.4)
    counts, began, said = run(lines, SOUND)
    assert (began, said, counts.failed) == (["a.csv"], [], 0)
    assert (lines.parent / "out/a.wav").samefile(lines / "a.wav")


def test_an_audio_file_of_the_users_own_at_that_path_is_kept_and_reported(lines: Path) -> None:
    (lines.parent / "out").mkdir()
    (lines.parent / "out/a.wav").write_bytes(b"mine")
    counts, _, said = run(lines, SOUND)
    assert (counts.converted, counts.failed) == (2, 1) and "exists and is not the take's audio" in said[0]
    assert (lines.parent / "out/a.wav").read_bytes() == b"mine" and not (lines.parent / "out/a.csv").exists()


@pytest.mark.parametrize("below", [".", "takes"])
def test_takes_in_a_folder_of_sounds_get_none_that_would_be_converted_the_next_time(lines: Path, below: str) -> None:
    out, said = lines / below, Silent()
    batch_here = Batch([lines], out, SOUND, clock=ManualClock(), observer=said)
    assert batch_here.run(InlineEngine()).converted == 3
    assert [note for note in batch_here.found.notes if "no sound is put beside them" in note] == batch_here.found.notes
    assert len(batch_here.found.notes) == (below != ".")
    assert Batch([lines], out, SOUND, clock=ManualClock(), observer=said).run(InlineEngine()) == BatchCounts(skipped=3)


def test_looking_what_would_be_done_puts_no_sound_anywhere(lines: Path) -> None:
    run(lines)
    assert list(batch(lines, SOUND).plan()) == []
    assert not list((lines.parent / "out").rglob("*.wav"))


def test_what_a_killed_run_left_of_a_sound_goes(lines: Path) -> None:
    left = partial_path(lines.parent / "out/a.wav")
    left.parent.mkdir()
    left.write_bytes(b"half")
    run(lines, SOUND)
    assert not left.exists()
