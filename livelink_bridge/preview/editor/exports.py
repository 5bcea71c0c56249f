"""Exports: takes and animated faces of the adjusted frames, and the character file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.character.entries import Poses
from arkit_mapping.takes.csv import Take, TakeError, TakeWriter
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.face.jitter_buffer import tail
from livelink_bridge.preview.clip.clip import Clip, Progress
from livelink_bridge.preview.editor.character_edit import Adjustments
from livelink_bridge.takes.export import export_take, kind_of
from livelink_bridge.takes.export.atomic import check_free, written

LONGEST_GLB_S = 600.0
"""Ten minutes: an animation of 61 tracks is made in memory, and no editor opens more."""


def export(
    clip: Clip,
    adjustments: Adjustments,
    path: Path,
    *,
    face: Path | None = None,
    force: bool = False,
    on_progress: Progress = lambda _part: None,
) -> list[str]:
    """Write the clip with the character applied; returns notes for the user.

    The ending of `path` chooses the format: .csv a take, .glb an animated face, .json or .npz.

    Solo and mute are not in it. Of a sound it is what `convert --character` writes, byte for byte. `face` is the .glb
    that is animated. Raises UsageError for another ending, SinkError for what cannot be written or is there already,
    unless `force`.
    """
    kind = kind_of(path)
    notes = (
        ["Solo and mute are for looking only: the export has every channel."]
        if adjustments.solo or adjustments.muted
        else []
    )
    adjustments = adjustments.unmasked()
    if kind == ".csv" and clip.kind == "sound":
        return notes + _stream_take(clip, adjustments, path, force, on_progress)
    if kind == ".glb" and clip.duration_s > LONGEST_GLB_S:
        most = f"{LONGEST_GLB_S / 60:.0f} for a .glb; cut it first"
        raise UsageError(f"{clip.name} lasts {clip.duration_s / 60:.0f} min, expected at most {most}")
    return notes + export_take(_take(clip, adjustments), path, face=face, force=force, on_progress=on_progress)


def save_character(adjustments: Adjustments, path: Path, *, force: bool = False) -> None:
    """Write the character as a file that `--character` reads, whole or not at all. Raises UsageError, SinkError."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise UsageError(f"{path} ends in {path.suffix or 'nothing'}, expected .yaml")
    with written(path, force=force) as file:
        file.write(adjustments.yaml().encode())


def rows(clip: Clip, adjustments: Adjustments) -> Iterator[Poses]:
    """The clip with the character applied, a minute at a time; after audio also the half second of decay to neutral."""
    last = np.zeros(len(CHANNELS_61), np.float32)
    for piece in adjustments.pieces(clip.predicted):
        last = piece[-1]
        yield piece
    if clip.kind == "sound":
        yield tail(last)


def _stream_take(clip: Clip, adjustments: Adjustments, path: Path, force: bool, on_progress: Progress) -> list[str]:
    """A long take is written as it is made."""
    check_free(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TakeWriter(path, start_s=clip.start_s) as take:
            for piece in rows(clip, adjustments):
                take.append(piece)
                on_progress(min(1.0, take.rows / max(1, len(clip.predicted))))
            check_free(path, force=force)
    except TakeError as error:
        raise SinkError(str(error)) from error
    except OSError as error:
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error
    return []


def _take(clip: Clip, adjustments: Adjustments) -> Take:
    values = np.concatenate([np.zeros((0, len(CHANNELS_61)), np.float32), *rows(clip, adjustments)])
    if not len(values):
        raise UsageError(f"{clip.name} has no poses: nothing can be written")
    return Take(values, clip.start_s + np.arange(len(values)) / FRAME_RATE, FRAME_RATE)
