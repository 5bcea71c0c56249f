"""A character file that is saved, broken, removed and replaced while a session runs."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from arkit_mapping.character.character import CharacterError
from livelink_bridge.face.character_watch import LOOK_EVERY_S, CharacterFile
from livelink_bridge.testing.stand_ins import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path / "ada.yaml", "first", at_s=100)


def saved(path: Path, name: str, *, at_s: int) -> Path:
    """The file with a character of this name, as if saved at that time."""
    return written(path, f"name: {name}\n", at_s=at_s)


def written(path: Path, text: str, *, at_s: int) -> Path:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at_s, at_s))
    return path


def name_after(clock: ManualClock, file: CharacterFile, seconds: float = 1.0) -> str:
    clock.advance(seconds)
    return file.current().name


def test_a_saved_change_applies_within_a_second(path: Path, clock: ManualClock) -> None:
    file = CharacterFile(path, clock)
    assert file.current().name == "first"
    saved(path, "other", at_s=101)
    assert name_after(clock, file) == "other"


def test_the_file_is_looked_at_no_more_than_twice_a_second(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = CharacterFile(path, clock)
    looks: list[float] = []
    monkeypatch.setattr(CharacterFile, "_look", lambda self: looks.append(clock.now()))
    for _ in range(300):
        name_after(clock, file, 1 / 60)
    assert 9 <= len(looks) <= 10
    assert min(late - early for late, early in zip(looks[1:], looks, strict=False)) >= LOOK_EVERY_S


def test_a_file_that_does_not_change_is_not_read_again(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = CharacterFile(path, clock)
    worn = file.current()
    monkeypatch.setattr("livelink_bridge.face.character_watch.load_character", lambda path: pytest.fail("read again"))
    clock.advance(1)
    assert file.current() is worn


def test_a_file_saved_as_it_was_keeps_the_same_character(path: Path, clock: ManualClock) -> None:
    file = CharacterFile(path, clock)
    worn = file.current()
    saved(path, "first", at_s=101)
    clock.advance(1)
    assert file.current() is worn


def test_a_broken_file_keeps_the_last_good_character_and_is_warned_of_once(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    file = CharacterFile(path, clock)
    written(path, "gian: {JawOpen: 1}\n", at_s=101)
    assert [name_after(clock, file) for _ in range(5)] == ["first"] * 5
    assert len(caplog.messages) == 1
    assert "unknown key 'gian', did you mean gain?" in caplog.messages[0] and str(path) in caplog.messages[0]
    written(path, "gian: {JawOpen: 2}\n", at_s=102)
    assert name_after(clock, file) == "first"
    assert len(caplog.messages) == 2
    saved(path, "mended", at_s=103)
    assert name_after(clock, file) == "mended"
    assert len(caplog.messages) == 2


def test_a_file_that_could_not_be_read_for_a_moment_is_tried_again(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = CharacterFile(path, clock)
    saved(path, "other", at_s=101)

    def locked(path: Path) -> None:
        raise CharacterError(f"character file {path} cannot be read: Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("livelink_bridge.face.character_watch.load_character", locked)
        assert name_after(clock, file) == "first"
    assert name_after(clock, file) == "other"


def test_a_file_that_an_editor_has_just_emptied_changes_nothing(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    file = CharacterFile(path, clock)
    written(path, "", at_s=101)
    assert name_after(clock, file) == "first"
    assert caplog.messages == []


def test_a_removed_file_keeps_its_character_and_may_come_back(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    file = CharacterFile(path, clock)
    path.unlink()
    assert [name_after(clock, file) for _ in range(3)] == ["first"] * 3
    assert len(caplog.messages) == 1
    saved(path, "back", at_s=101)
    assert name_after(clock, file) == "back"
    path.unlink()
    assert name_after(clock, file) == "back"
    assert len(caplog.messages) == 2


def test_a_file_replaced_by_one_of_the_same_age_and_size_is_applied(path: Path, clock: ManualClock) -> None:
    file = CharacterFile(path, clock)
    os.replace(saved(path.with_name("new.yaml"), "other", at_s=100), path)
    assert name_after(clock, file) == "other"


def test_an_older_file_put_in_its_place_is_applied(path: Path, clock: ManualClock) -> None:
    file = CharacterFile(path, clock)
    os.replace(saved(path.with_name("old.yaml"), "older", at_s=50), path)
    assert name_after(clock, file) == "older"


def test_a_change_is_told_to_those_who_ask_for_more(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    file = CharacterFile(path, clock)
    saved(path, "other", at_s=101)
    with caplog.at_level(logging.INFO):
        name_after(clock, file)
    assert caplog.messages == [f"character file {path} read again"]


def test_a_file_that_cannot_be_used_to_begin_with_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(CharacterError, match="cannot be read"):
        CharacterFile(tmp_path / "none.yaml", clock)
    with pytest.raises(CharacterError, match="unknown key"):
        CharacterFile(written(tmp_path / "bad.yaml", "gian: 1\n", at_s=1), clock)
