"""Names after -o that no such output can have."""

from __future__ import annotations

import os
import re
from pathlib import Path

from livelink_bridge.errors import UsageError

_ENDING = re.compile(r"\.[A-Za-z]{2,4}[0-9]?")
"""An ending that looks like a file format: .mp4, .glb, .fbx. A folder may be called takes.v2."""
_EXPORTS = (".glb", ".json", ".npz")
_FOR_TAKES = "a folder for takes, or .csv for a single one"
_FILMS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif")


def wrong(out: Path, expected: str) -> UsageError:
    """The error for an ending that is not written here."""
    film = (
        "; films are made on the page of livelink-bridge preview, with Export" if out.suffix.lower() in _FILMS else ""
    )
    return UsageError(f"-o {out} ends in {out.suffix or 'nothing'}, expected {expected}{film}")


def check_folder(out: Path, expected: str = _FOR_TAKES) -> None:
    """Raises UsageError for a new folder whose name looks like a file of some format, and for a file in its place."""
    if os.path.lexists(out) and not os.path.isdir(out):
        raise UsageError(f"-o {out} is there and is no folder, expected {expected}")
    if _ENDING.fullmatch(out.suffix) and not os.path.isdir(out):  # Path.is_dir raises where one may not look
        exported = expected == _FOR_TAKES and out.suffix.lower() in _EXPORTS
        export = "; livelink-bridge takes export writes it from a take" if exported else ""
        raise wrong(out, f"{expected} (a folder of that name has to be made first){export}")
