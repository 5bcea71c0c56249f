import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livelink_bridge.settings import shared_json
from livelink_bridge.settings.identity import device_id

UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def test_a_subject_keeps_its_id(tmp_path):
    first = device_id("Talker", tmp_path)
    assert UUID.fullmatch(first)
    assert device_id("Talker", tmp_path) == first
    assert device_id("talker", tmp_path) == first


def test_subjects_do_not_share_ids(tmp_path):
    ids = {device_id(subject, tmp_path) for subject in ("Talker", "Listener", "テスト")}
    assert len(ids) == 3
    assert device_id("テスト", tmp_path) in ids


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"talker": 5}', b'{"talker": "not an id"}', b"\xff\xfe"])
def test_a_damaged_memory_means_a_new_id_and_one_warning(tmp_path, caplog, content):
    (tmp_path / "identities.json").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        first = device_id("Talker", tmp_path)
    assert UUID.fullmatch(first)
    assert len(caplog.records) == 1
    assert device_id("Talker", tmp_path) == first


def test_an_unwritable_memory_means_a_new_id_and_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        assert UUID.fullmatch(device_id("Talker", tmp_path / "file" / "folder"))
    assert "every time" in caplog.text


def test_nothing_is_left_half_written(tmp_path):
    device_id("Talker", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - {"identities.json.lock"} == {"identities.json"}


def test_two_programs_that_start_together_keep_both_ids(tmp_path: Path) -> None:
    """Each reads before the other writes: what one has read is out of date when it writes."""
    subjects = [f"Subject {number}" for number in range(6)]
    code = "import sys; from livelink_bridge.settings.identity import device_id; input(); print(device_id(sys.argv[1]))"
    environ = os.environ | {"LIVELINK_BRIDGE_HOME": str(tmp_path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        )
        for name in subjects
    ]
    for program in started:
        assert program.stdin is not None
        program.stdin.write("\n")
        program.stdin.flush()
    made = [program.communicate(timeout=30)[0].strip() for program in started]
    assert made == [device_id(name, tmp_path) for name in subjects]
    assert len(set(made)) == len(subjects)


def test_an_id_that_another_program_made_in_the_meantime_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = shared_json.change
    theirs: list[str] = []

    def late(path: Path, changed: Callable[[], Any]) -> None:
        monkeypatch.setattr(shared_json, "change", change)
        theirs.append(device_id("Talker", tmp_path))
        change(path, changed)

    monkeypatch.setattr(shared_json, "change", late)
    assert device_id("Talker", tmp_path) == theirs[0]
