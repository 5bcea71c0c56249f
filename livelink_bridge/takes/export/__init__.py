"""Exports takes to other file formats. `export_take(take, path)` selects the format by the file name's suffix; a new
format is a file here and a line in the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from arkit_mapping.takes.csv import Take
from livelink_bridge.errors import UsageError
from livelink_bridge.takes.export.atomic import Progress, ignored, written
from livelink_bridge.takes.export.csv import write_csv
from livelink_bridge.takes.export.json import write_json
from livelink_bridge.takes.export.npz import write_npz

KINDS: dict[str, Callable[[Take, BinaryIO, Progress], None]] = {
    ".csv": write_csv,
    ".json": write_json,
    ".npz": write_npz,
}
GLB = ".glb"
"""Written by `gltf`, which is loaded only on demand."""


def kind_of(path: Path) -> str:
    """The suffix, which selects the format. Raises UsageError for an unknown one."""
    kind = path.suffix.lower()
    if kind not in (*KINDS, GLB):
        raise UsageError(
            f"{path} ends in {kind or 'nothing'}, expected {', '.join([*KINDS, GLB])}: the ending selects the format"
        )
    return kind


def export_take(
    take: Take, path: Path, *, face: Path | None = None, force: bool = False, on_progress: Progress = ignored
) -> list[str]:
    """Write a take to a file, atomically.

    Parameters
    ----------
    take : the take
    path : file to write; its suffix selects the format
    face : a .glb, .vrm or .gltf whose morph targets are animated instead of the built-in mask's; only for .glb
    force : overwrite an existing file
    on_progress : receives the part done, 0 to 1

    Returns
    -------
    Notes for the user, one line each

    Raises
    ------
    UsageError : unknown suffix
    SinkError : the file exists, without `force`, or cannot be written
    BridgeError : the face cannot be animated or preserved completely
    """
    kind = kind_of(path)
    if face is not None and kind != GLB:
        raise UsageError(f"got a face for {path}, expected one only for a .glb")
    if kind != GLB:
        with written(path, force=force) as file:
            KINDS[kind](take, file, on_progress)
        return []
    from livelink_bridge.takes.export.gltf import animated_face

    with written(path, force=force) as file:  # before the face is read: reports an existing file at once
        content, notes = animated_face(take, face, name=path.stem, on_progress=on_progress)
        file.write(content)
    return notes
