"""Takes as files of other kinds. `export_take(take, path)` goes by the ending; a new kind is a file here and a line in
the table."""

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
"""Made by `gltf`, which is loaded only when asked for."""


def kind_of(path: Path) -> str:
    """The ending, which says what is written. Raises UsageError for any other."""
    kind = path.suffix.lower()
    if kind not in (*KINDS, GLB):
        raise UsageError(
            f"{path} ends in {kind or 'nothing'}, expected {', '.join([*KINDS, GLB])}: the ending says what is written"
        )
    return kind


def export_take(
    take: Take, path: Path, *, face: Path | None = None, force: bool = False, on_progress: Progress = ignored
) -> list[str]:
    """Write a take to `path`, whole or not at all; what the user should know about it, a line each.

    `face` is a .glb, .vrm or .gltf whose morph targets are animated instead of the built-in placeholder's; only for
    .glb. `on_progress` gets the part done, 0 to 1. Raises UsageError for an ending that is unknown, SinkError for a
    file that exists, unless `force`, or cannot be written, BridgeError for a face that cannot be animated or kept
    whole.
    """
    kind = kind_of(path)
    if face is not None and kind != GLB:
        raise UsageError(f"got a face for {path}, expected one only for a .glb")
    if kind != GLB:
        with written(path, force=force) as file:
            KINDS[kind](take, file, on_progress)
        return []
    from livelink_bridge.takes.export.gltf import animated_face

    with written(path, force=force) as file:  # before the face is read: a name that is taken is said at once
        content, notes = animated_face(take, face, name=path.stem, on_progress=on_progress)
        file.write(content)
    return notes
