"""Files that are there whole or not at all, whoever else writes them at the same time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from arkit_mapping import whole_file as module
from arkit_mapping.whole_file import Partial, parse_partial, partial_path, replace_folder, whole_file


def test_the_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("old")
    with whole_file(out) as partial:
        partial.write_text("new")
        assert out.read_text() == "old"
    assert out.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (out := tmp_path / "a.csv").write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(out) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "old")]


def test_two_writers_of_one_name_in_one_process_each_write_their_own_file(tmp_path: Path) -> None:
    out = tmp_path / "a.glb"
    with whole_file(out) as first, whole_file(out) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
        assert first.read_text() == "first"


@pytest.mark.parametrize("links", [True, False])
def test_of_two_writers_of_a_new_name_one_gets_it_and_the_other_is_told(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(module.os, "link", no_links)
    out = tmp_path / "a.glb"
    with pytest.raises(FileExistsError), whole_file(out, new=True) as slow:
        slow.write_text("slow")
        with whole_file(out, new=True) as quick:
            quick.write_text("quick")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.glb", "quick")]


def no_links(_from: object, _to: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_the_name_of_a_half_written_file_tells_what_it_was_to_become(tmp_path: Path) -> None:
    assert parse_partial(partial_path(tmp_path / "line 1.csv").name) == Partial("line 1.csv", os.getpid())
    assert parse_partial(partial_path(tmp_path / "film.mp4", ".mp4").name) == Partial("film.mp4", os.getpid())
    assert parse_partial("line 1.csv") is None
    assert parse_partial(".line.csv.partial") is None


def test_a_folder_is_replaced_by_a_finished_one(tmp_path: Path) -> None:
    for name in ("made", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    replace_folder(tmp_path / "made", tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["out", "out/made"]


def test_a_folder_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model").touch()
    with pytest.raises(FileNotFoundError):
        replace_folder(tmp_path / "absent", tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["out", "out/model"]
