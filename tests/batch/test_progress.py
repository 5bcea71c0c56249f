"""How far a batch is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from livelink_bridge.batch.job import Outcome, Task
from livelink_bridge.batch.progress import PLAIN_EVERY_S, Pace, time_text, watching
from livelink_bridge.batch.walk import Found, Sound
from livelink_bridge.testing.stand_ins import ManualClock

FOUND = Found([Sound("in", f"{name}.wav", 1000) for name in "abcd"])


def work(name: str) -> Task:
    return Task(Path("in", f"{name}.wav"), Path("out", f"{name}.csv"), f"{name}.csv")


def test_rate_and_time_left_go_by_what_was_converted_and_not_by_what_was_skipped() -> None:
    clock = ManualClock()
    pace = Pace(clock)
    pace.begin(FOUND)
    assert pace.left_s() is None and pace.text() == "0 of 4 files"
    pace.kept(FOUND.sounds[0])
    clock.advance(2.0)
    pace.done(work("b"), Outcome(seconds=100.0), 1000)
    assert pace.text() == "2 of 4 files, 50 x real time, 0:04 left"
    pace.part(work("c"), 0.5, 1000)
    clock.advance(1.0)
    assert pace.left_s() == pytest.approx(3.0)
    pace.done(work("c"), Outcome(error="no sound"), 1000)
    assert pace.text() == "3 of 4 files, 1 failed, 33 x real time, 0:02 left"


def test_a_program_reads_a_line_now_and_then_and_failures_at_once() -> None:
    clock, said = ManualClock(), list[str]()
    with watching(clock, said.append) as watch:
        watch.begin(Found(FOUND.sounds, notes=["a link"]))
        watch.refused("in/e.wav", "is refused")
        watch.done(work("a"), Outcome(error="in/a.wav is no sound"))
        for _ in range(3):
            clock.advance(PLAIN_EVERY_S / 2)
            watch.part(work("b"), 0.5)
    assert said[:3] == ["a link", "in/e.wav is refused", "in/a.wav is no sound"]
    assert len(said) == 4 and said[3].startswith("1 of 4 files, 1 failed")


def test_a_person_sees_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    clock = ManualClock()
    with watching(clock, lambda line: None) as watch:
        watch.begin(FOUND)
        clock.advance(1.0)
        watch.done(work("[a]"), Outcome(seconds=60.0))
    assert "1 of 4 files, 60 x real time" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (65, "1:05"), (3723.2, "1:02:03")])
def test_a_time_is_as_on_a_clock(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
