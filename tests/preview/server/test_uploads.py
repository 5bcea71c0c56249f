"""Files dropped on the page, one or several at once, within bounds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="NiceGUI is not installed: pip install livelink-bridge[preview]")

from starlette.requests import ClientDisconnect

from livelink_bridge.preview.server import uploads as uploads_module
from livelink_bridge.preview.server.uploads import Uploads, kept_name


class Upload:
    """A request that brings a file in parts; between two of them others have their turn. An exception among them is
    raised."""

    def __init__(self, name: str, parts: list[Any]) -> None:
        self.query_params = {"name": name}
        self._parts = parts

    async def stream(self) -> Any:
        for part in self._parts:
            await asyncio.sleep(0)
            if isinstance(part, Exception):
                raise part
            yield part


def dropped(drops: Uploads, *uploads: Upload) -> list[tuple[int, dict[str, str]]]:
    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(drops.answer(upload) for upload in uploads))  # type: ignore[arg-type]

    return [(answer.status_code, json.loads(bytes(answer.body))) for answer in asyncio.run(all_at_once())]


def test_of_two_files_dropped_at_once_each_is_answered_with_its_own_place(tmp_path):
    one, two = dropped(Uploads(tmp_path), Upload("one.wav", [b"x" * 1000] * 5), Upload("two.wav", [b"y" * 1000] * 2))
    assert (one[0], two[0]) == (200, 200)
    assert (tmp_path / one[1]["file"]).read_bytes() == b"x" * 5000
    assert (tmp_path / two[1]["file"]).read_bytes() == b"y" * 2000


def test_the_bytes_of_all_files_together_are_bounded_also_when_they_come_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads_module, "LARGEST_FOLDER", 6000)
    answers = dropped(Uploads(tmp_path), *(Upload(f"{name}.wav", [b"x" * 1000] * 4) for name in "abc"))
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) <= 6000
    assert [status for status, _ in answers].count(413) == len(answers) - len(kept) >= 2
    assert "start `livelink-bridge preview` again" in next(said["detail"] for status, said in answers if status == 413)


def test_files_that_were_refused_take_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads_module, "LARGEST_FOLDER", 5000)
    drops = Uploads(tmp_path)
    assert dropped(drops, Upload("torn.wav", [b"x" * 4000, ClientDisconnect()]))[0][0] == 400
    assert list(tmp_path.iterdir()) == []
    assert dropped(drops, Upload("whole.wav", [b"x" * 4000]))[0][0] == 200


def test_a_file_that_is_too_large_for_its_kind_is_refused_and_nothing_is_left(tmp_path):
    status, said = dropped(Uploads(tmp_path), Upload("odd.yaml", [b"x" * 600_000] * 2))[0]
    assert (status, said["detail"]) == (413, "odd.yaml is larger than 1 MB, expected at most that.")
    assert list(tmp_path.iterdir()) == []


def test_the_number_of_files_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads_module, "MAX_FILES", 2)
    answers = dropped(Uploads(tmp_path), *(Upload(f"{name}.wav", [b""]) for name in "abc"))
    assert sorted(status for status, _ in answers) == [200, 200, 413]


@pytest.mark.parametrize("name", ["", "notes.txt", "wav", "../../etc/passwd"])
def test_another_kind_of_file_is_refused_by_its_name(tmp_path, name):
    status, said = dropped(Uploads(tmp_path), Upload(name, [b"x"]))[0]
    assert status == 415 and said["detail"].startswith(Path(name).name)


@pytest.mark.parametrize(
    "name, kept",
    [
        ("l'été – 2 (neu) #1, 100%.wav", "l'été – 2 (neu) #1, 100%.wav"),
        ("a:b|c?.wav", "a_b_c_.wav"),
        ("two\nlines\x7f.csv", "two_lines_.csv"),
        ("con.wav", "_con.wav"),
        ("x" * 300 + ".wav", "x" * 196 + ".wav"),
        ("語" * 300 + ".flac", "語" * 65 + ".flac"),
        ("...wav", "file.wav"),
    ],
)
def test_a_file_keeps_its_name_but_for_what_no_system_takes(name, kept):
    assert kept_name(name) == kept


def test_a_path_is_no_name(tmp_path):
    status, said = dropped(Uploads(tmp_path), Upload("../../up.wav", [b"x"]))[0]
    assert (status, said["file"]) == (200, "1/up.wav")


def test_a_disk_that_is_full_is_said(tmp_path):
    folder = tmp_path / "file"
    folder.write_text("in the way")
    status, said = dropped(Uploads(folder), Upload("a.wav", [b"x"]))[0]
    assert status == 507 and "cannot be kept" in said["detail"]
