"""A batch on processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile
from batches import RATE_HZ, RECIPE, deadly, dying_at_once, full, loudness, never_ending, refusing, tone

from livelink_bridge.batch import local
from livelink_bridge.batch.job import Outcome, Task, convert_one
from livelink_bridge.batch.local import LocalEngine
from livelink_bridge.errors import BridgeError

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills in another way")


@pytest.fixture(autouse=True)
def nobody_left_at_work():
    yield
    for child in multiprocessing.active_children():
        child.join(5)
    assert multiprocessing.active_children() == []


def tasks(root: Path, *sounds: Path) -> list[Task]:
    return [Task(sound, root / "out" / f"{sound.stem}.csv", f"{sound.stem}.csv") for sound in sounds]


def ignore(_work: Task, _part: float) -> None:
    pass


def test_a_sound_that_kills_its_process_costs_nothing_else_and_the_others_are_as_one_process_makes_them(
    tmp_path: Path,
) -> None:
    sounds = [tone(tmp_path / f"{number}.wav", 0.3 + number / 5) for number in range(3)]
    soundfile.write(tmp_path / "deadly.wav", np.full(RATE_HZ, 0.25), RATE_HZ)
    todo = tasks(tmp_path, sounds[0], tmp_path / "deadly.wav", *sounds[1:])
    became = {task.name: outcome for task, outcome in LocalEngine(1, deadly)(todo, RECIPE, ignore)}
    assert "died 2 times (exit code -9)" in str(became["deadly.csv"].error)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.csv", "1.csv", "2.csv"]
    for sound in sounds:
        convert_one(sound, tmp_path / "here.csv", RECIPE, loudness(RECIPE))
        assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "out" / f"{sound.stem}.csv").read_bytes()


def test_a_process_that_has_done_its_work_and_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "END_S", 0.3)
    [(_, outcome)] = LocalEngine(1, never_ending)(tasks(tmp_path, tone(tmp_path / "a.wav", 0.2)), RECIPE, ignore)
    assert outcome.error is None and multiprocessing.active_children() == []


def test_a_model_that_cannot_be_loaded_is_reported_once(tmp_path: Path) -> None:
    todo = tasks(tmp_path, tone(tmp_path / "a.wav", 0.2), tone(tmp_path / "b.wav", 0.2))
    with pytest.raises(BridgeError, match="there is no such model"):
        list(LocalEngine(2, refusing)(todo, RECIPE, ignore))


def test_processes_that_die_before_they_begin_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "MAX_FALSE_STARTS", 2)
    with pytest.raises(BridgeError, match="die while they start"):
        list(LocalEngine(1, dying_at_once)(tasks(tmp_path, tone(tmp_path / "a.wav", 0.2)), RECIPE, ignore))


def test_closing_it_ends_every_process_and_leaves_no_half_take(tmp_path: Path) -> None:
    todo = tasks(tmp_path, tone(tmp_path / "a.wav", 0.2), tone(tmp_path / "long.wav", 120))
    parts: list[float] = []
    outcomes = LocalEngine(2, loudness)(todo, RECIPE, lambda task, part: parts.append(part))
    first, outcome = next(outcomes)
    assert first.name == "a.csv" and outcome.error is None
    outcomes.close()  # type: ignore[attr-defined]
    assert os.listdir(tmp_path / "out") == ["a.csv"]


def test_after_a_full_disk_nothing_is_begun(tmp_path: Path) -> None:
    begun: list[str] = []

    def todo():
        for task in tasks(tmp_path, *(tone(tmp_path / f"{number}.wav", 0.2) for number in range(4))):
            begun.append(task.name)
            yield task

    became = list(LocalEngine(1, full)(todo(), RECIPE, ignore))
    assert len(became) == 1 and became[0][1].no_room and begun == ["0.csv"]


def test_nothing_to_do_starts_no_process() -> None:
    assert list[tuple[Task, Outcome]](LocalEngine(2, dying_at_once)([], RECIPE, ignore)) == []
