"""Finding the audio files below folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from livelink_bridge.batch.job import Task
from livelink_bridge.batch.walk import take_name, walk


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"sound")


def takes(root: Path) -> list[str]:
    return sorted(take_name(sound.name) for sound in walk([root]).sounds)


def test_every_sound_at_any_depth_has_a_take_at_the_same_place(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "x/b.FLAC", "x/y z/c.d.mp3", "x/notes.txt")
    assert takes(tmp_path) == ["a.csv", "x/b.csv", "x/y z/c.d.csv"]
    assert walk([tmp_path]).others == 1


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "._a.wav", ".trash/b.wav")
    assert takes(tmp_path) == ["a.csv"]


def test_the_largest_sounds_come_first_so_that_none_is_left_alone_at_the_end(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "b.wav", "c.wav")
    (tmp_path / "b.wav").write_bytes(b"a longer sound")
    assert [sound.name for sound in walk([tmp_path]).sounds] == ["b.wav", "a.wav", "c.wav"]


@pytest.mark.parametrize(
    "names", [("a.wav", "A.wav"), ("a.wav", "a.flac"), ("x/a.wav", "X/a.wav"), ("caf\u00e9.wav", "cafe\u0301.wav")]
)
def test_sounds_whose_takes_would_have_one_name_are_all_refused_and_the_others_are_not(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    put(tmp_path, *names, "b.wav")
    if len(list(tmp_path.rglob("*.*"))) < 3:
        pytest.skip("this system has no two such names")
    found = walk([tmp_path])
    assert [sound.name for sound in found.sounds] == ["b.wav"]
    assert sorted(path for path, _ in found.refused) == sorted(str(tmp_path / name) for name in names)
    assert all("would have one take" in why and "rename" in why for _, why in found.refused)


def test_a_file_that_is_given_twice_is_reported(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    found = walk([tmp_path, tmp_path / "a.wav"])
    assert not found.sounds and all("given twice" in why for _, why in found.refused)


def test_a_link_to_a_folder_above_ends_and_any_other_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "in/x/a.wav", "elsewhere/b.wav")
    os.symlink(tmp_path / "in", tmp_path / "in/x/loop")
    os.symlink(tmp_path / "elsewhere", tmp_path / "in/more")
    found = walk([tmp_path / "in"])
    assert sorted(sound.name for sound in found.sounds) == ["more/b.wav", "x/a.wav"]
    assert len(found.notes) == 1 and "loop is a link" in found.notes[0] and not found.refused


def test_a_link_to_itself_hides_nothing_beside_it_and_called_like_a_sound_it_fails_alone(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "x/b.wav")
    os.symlink("loop", tmp_path / "loop")
    os.symlink("turn.wav", tmp_path / "x/turn.wav")
    found = walk([tmp_path])
    assert sorted(sound.name for sound in found.sounds) == ["a.wav", "x/b.wav", "x/turn.wav"]
    assert (found.refused, found.notes, found.others) == ([], [], 1)


def test_a_folder_that_cannot_be_read_is_reported_and_the_rest_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a.wav", "closed/b.wav")
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = walk([tmp_path])
    assert [sound.name for sound in found.sounds] == ["a.wav"]
    assert found.refused == [(str(tmp_path / "closed"), "cannot be read: Permission denied")]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    found = walk([tmp_path / "line.dat"])
    assert [sound.task(tmp_path / "out") for sound in found.sounds] == [
        Task(tmp_path / "line.dat", tmp_path / "out/line.csv", "line.csv")
    ]
