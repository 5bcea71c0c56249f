"""Progress of a batch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from livelink_bridge.batch.job import Outcome, Task
from livelink_bridge.batch.progress import PLAIN_INTERVAL_S, Progress, show_progress, time_text
from livelink_bridge.batch.walk import AudioFile, Found
from livelink_bridge.testing.stand_ins import ManualClock

FOUND = Found([AudioFile("in", f"{name}.wav", 1000) for name in "abcd"])


def task(name: str) -> Task:
    return Task(Path("in", f"{name}.wav"), Path("out", f"{name}.csv"), f"{name}.csv")


def test_rate_and_time_left_go_by_what_was_converted_and_not_by_what_was_skipped() -> None:
    clock = ManualClock()
    progress = Progress(clock)
    progress.begin(FOUND)
    assert progress.remaining_s() is None and progress.text() == "0 of 4 files"
    progress.skipped(FOUND.sounds[0])
    clock.advance(2.0)
    progress.done(task("b"), Outcome(seconds=100.0), 1000)
    assert progress.text() == "2 of 4 files, 50 x real time, 0:04 left"
    progress.part(task("c"), 0.5, 1000)
    clock.advance(1.0)
    assert progress.remaining_s() == pytest.approx(3.0)
    progress.done(task("c"), Outcome(error="no sound"), 1000)
    assert progress.text() == "3 of 4 files, 1 failed, 33 x real time, 0:02 left"


def test_a_program_reads_a_line_now_and_then_and_failures_at_once() -> None:
    clock, said = ManualClock(), list[str]()
    with show_progress(clock, said.append) as display:
        display.begin(Found(FOUND.sounds, notes=["a link"]))
        display.refused("in/e.wav", "is refused")
        display.done(task("a"), Outcome(error="in/a.wav is no sound"))
        for _ in range(3):
            clock.advance(PLAIN_INTERVAL_S / 2)
            display.part(task("b"), 0.5)
    assert said[:3] == ["a link", "in/e.wav is refused", "in/a.wav is no sound"]
    assert len(said) == 4 and said[3].startswith("1 of 4 files, 1 failed")


def test_a_person_sees_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    clock = ManualClock()
    with show_progress(clock, lambda line: None) as display:
        display.begin(FOUND)
        clock.advance(1.0)
        display.done(task("[a]"), Outcome(seconds=60.0))
    assert "1 of 4 files, 60 x real time" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (65, "1:05"), (3723.2, "1:02:03")])
def test_a_time_is_as_on_a_clock(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
