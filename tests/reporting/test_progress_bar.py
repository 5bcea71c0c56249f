"""Progress bars: drawn on a terminal, absent in a file."""

from __future__ import annotations

import sys

import pytest

from livelink_bridge.reporting.progress_bar import progress_bar


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Called in a test's body: pytest replaces sys.stderr between set-up and call."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_a_row_shows_its_text_and_how_much_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    with progress_bar() as bar:
        bar.show("take [final].wav", 0.5)
    drawn = capsys.readouterr().err
    assert "take [final].wav" in drawn and "50 %" in drawn


def test_rows_of_several_parts_stand_side_by_side_until_they_are_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    with progress_bar() as bar:
        bar.show("takes 1/2", 0.5, row="takes")
        bar.show("tracks 0/9", 0.0, row="tracks")
    drawn = capsys.readouterr().err
    assert "takes 1/2" in drawn and "tracks 0/9" in drawn
    with progress_bar() as bar:
        bar.show("takes 2/2", 1.0, row="takes")
        bar.show("tracks 1/9", 1 / 9, row="tracks")
    assert "takes 2/2" not in capsys.readouterr().err.rpartition("tracks 1/9")[2]


def test_in_a_file_nothing_is_drawn_and_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as bar:
        bar.show("reading", 0.5)
        bar.say("word " * 60)
    assert capsys.readouterr().err == "word " * 60 + "\n"


def test_the_further_processes_of_a_distributed_run_are_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "1")
    with progress_bar() as bar:
        bar.say("twice")
    assert capsys.readouterr().err == ""
