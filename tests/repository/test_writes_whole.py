"""One way to write a file beside its place and rename it, for the whole program."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RENAMES = re.compile(r"\bos\.(?:replace|rename|link)\(|\bshutil\.move\(|\bgetpid\(\)\}")
MAY = {
    "arkit_mapping/whole_file.py",
    "models/speech_to_face/official/hub.py",  # a second name for a file that is there
}


def test_no_other_module_renames_files_into_place() -> None:
    folders = ("livelink_bridge", "arkit_mapping", "models")
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    rename = {path.relative_to(ROOT).as_posix() for path in modules if RENAMES.search(path.read_text(encoding="utf-8"))}
    assert rename - MAY == set()
