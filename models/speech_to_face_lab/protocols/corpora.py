"""The corpora that a network can be trained on, by kind, and the detection of a folder's kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from speech_to_face.base import ModelError
from speech_to_face_lab.protocols import biwi, blendvoca, cavfa, tts, vocaset
from speech_to_face_lab.protocols.clips import SubjectClip, Tally
from speech_to_face_lab.protocols.meshes import VERTICES

LOADERS: dict[str, Callable[[Path, Tally], list[SubjectClip]]] = {
    "tts": lambda folder, _: tts.clips(folder),
    "cavfa": lambda folder, tally: list(cavfa.clips(folder, tally)),
    "blendvoca": lambda folder, tally: list(blendvoca.clips(folder, tally)),
    "vocaset": lambda folder, tally: list(vocaset.clips(folder, tally)),
    "biwi": lambda folder, tally: list(biwi.clips(folder, tally)),
}
"""Kind -> all clips of a folder at the rate its paper uses; what was left out goes to the tally."""

MARKS: dict[str, tuple[str, ...]] = {
    "vocaset": (f"{VERTICES}/*_sentence[0-9]*.npy", vocaset.VERTS),
    "biwi": (f"{VERTICES}/*_e[0-9]*.npy",),
    "blendvoca": ("**/sentence[0-9]*.csv", "**/sentence[0-9]*.npy"),
    "cavfa": ("**/*.csv",),
    "tts": ("*.flac",),
}
"""Kind -> patterns of files that only it has, the narrower kinds first."""

OF_MESHES = ("vocaset", "biwi")
"""Kinds whose clips have meshes; those of the others have curves."""


def read(folder: Path, kind: str | None = None) -> tuple[list[SubjectClip], Tally]:
    """All clips of `folder` and what was left out of it. kind: a key of `LOADERS`; None: as `kind_of` finds. ModelError
    as they raise."""
    known, tally = known_kind(folder, kind), Tally()
    return LOADERS[known](folder, tally), tally


def known_kind(folder: Path, kind: str | None = None) -> str:
    """The kind itself, or for None the one that `kind_of` finds. ModelError for an unknown one and for a folder that is
    not there."""
    if not folder.is_dir():
        raise ModelError(f"data {folder} is not there, expected a folder of one of {', '.join(LOADERS)}")
    kind = kind or kind_of(folder)
    if kind not in LOADERS:
        raise ModelError(f"data: got kind {kind!r}, expected one of {', '.join(LOADERS)}")
    return kind


def kind_of(folder: Path) -> str:
    """Kind of a corpus by the files it has. ModelError when they are of none."""
    for kind, marks in MARKS.items():
        if any(any(folder.glob(mark)) for mark in marks):
            return kind
    raise ModelError(
        f"data {folder}: no files of {', '.join(LOADERS)} there; see models/speech_to_face/protocols for what each "
        "looks like"
    )
