"""Training tracks on disk: features of audio and the mouth's curves, a voice's clips end to end.

Features are made once, several times over with other speeds, rooms and codecs, and read by every run as memory maps
that runs share. Levels, equalisers and noise are mixed in while training, where they cost a product and a sum
(`speech_to_face_lab.training.data.mixing`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech_to_face.phones import INDEX
from speech_to_face.streaming.features import LogMel
from speech_to_face_lab.corpus.engines import SAMPLE_RATE

UNKNOWN = 255
"""Label of a frame whose phone is not known."""
GRAIN = 800
"""Samples of three frames: clips are cut to a multiple, so that frames and audio stay aligned however many follow each
other."""
PARTS = ("mel", "curves", "labels", "sealed")


@dataclass(frozen=True, slots=True)
class Piece:
    """A clip for a track: audio and its mouth, frame k at time k / 60."""

    samples: NDArray[np.float32]
    """(n,) with n a multiple of GRAIN."""
    curves: NDArray[np.float32]
    """(n * 60 / 16000, 32)"""
    labels: NDArray[np.uint8]
    sealed: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class About:
    """What a track contains."""

    group: str
    """Key of `SHARES` in `speech_to_face_lab.training.data.examples`: how often it is drawn depends on it."""
    rig: str = "rules"
    """"rules", or the name of the style that its captured faces belong to."""
    held: bool = False
    """Held out of training, for validation."""
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """A track as memory maps, frame k at time k / 60."""

    name: str
    about: About
    mel: NDArray[np.float16]
    """(frames, 160) as `speech_to_face.streaming.features.LogMel` gives it."""
    curves: NDArray[np.float16]
    """(frames, 32); NaN in the channels the source does not carry."""
    labels: NDArray[np.uint8]
    sealed: NDArray[np.float16]


def whole_grains(
    samples: NDArray[np.float32], curves: NDArray[np.float32], labels: NDArray[np.integer], sealed: NDArray[np.float32]
) -> Piece:
    """Cut a clip and its frames to whole grains."""
    grains = len(samples) // GRAIN
    frames = 3 * grains
    return Piece(samples[: grains * GRAIN], curves[:frames], labels[:frames].astype(np.uint8), sealed[:frames])


def pause(seconds: float, rest: NDArray[np.float32]) -> Piece:
    """Silence; rest: (32,) the neutral mouth."""
    grains = max(1, round(seconds * SAMPLE_RATE / GRAIN))
    frames = 3 * grains
    silent = np.full(frames, INDEX["SIL"], np.uint8)
    return Piece(np.zeros(grains * GRAIN, np.float32), np.tile(rest, (frames, 1)), silent, np.zeros(frames, np.float32))


def write_track(folder: Path, name: str, about: About, pieces: Iterable[Piece]) -> int:
    """Write pieces end to end; returns frames. The JSON is written last: its presence marks a complete track."""
    mel, columns = LogMel(), []
    for piece in pieces:
        heard = mel.push(piece.samples).astype(np.float16)
        columns.append((heard, piece.curves.astype(np.float16), piece.labels, piece.sealed.astype(np.float16)))
    if not columns:
        raise ValueError(f"track {name}: nothing to write, expected one clip or more")
    joined = [np.concatenate(column) for column in zip(*columns, strict=True)]
    for part, values in zip(PARTS, joined, strict=True):
        np.save(folder / f"{name}.{part}.npy", values)
    frames = len(joined[0])
    (folder / f"{name}.json").write_text(json.dumps(asdict(about) | {"frames": frames}), encoding="utf-8")
    return frames


def read_tracks(folder: Path, held: bool, without: tuple[str, ...] = ()) -> list[Track]:
    """Complete tracks of `folder` whose name starts with none of `without`, as memory maps. ValueError for a folder
    without any track."""
    if not any(folder.glob("*.json")):
        raise ValueError(
            f"{folder}: no tracks there, expected a folder made by python -m speech_to_face_lab.training.prepare"
        )
    found = []
    for path in sorted(folder.glob("*.json")):
        about = About(**_about(path))
        if about.held == held and not path.stem.startswith(without or ("\0",)):
            parts: list[Any] = [np.load(folder / f"{path.stem}.{part}.npy", mmap_mode="r") for part in PARTS]
            found.append(Track(path.stem, about, *parts))
    return found


def _about(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
