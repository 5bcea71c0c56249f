"""A home folder with nothing in it, and what a program has left there."""

from __future__ import annotations

import os
from pathlib import Path

ELSEWHERE = ("LIVELINK_BRIDGE_", "XDG_", "ORT_", "HF_", "MPL", "TORCH", "NICEGUI_", "RAY_")
"""Variables that would lead files past the home, or switch off what should be off by itself."""


IDENTITIES = ["identities.json", "identities.json.lock"]
"""What the program itself remembers of a subject, and the empty file that two programs which write it wait for."""


def environment(home: Path) -> dict[str, str]:
    """That of someone who has never run anything: an empty home; what the program itself remembers goes to a folder
    beside it."""
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
    where = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(home))
    return {**kept, **where, "LIVELINK_BRIDGE_HOME": str(remembered(home))}


def remembered(home: Path) -> Path:
    return home.with_name("remembered")


def files(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
