"""BIWI (Fanelli et al. 2010) in the layout that FaceFormer and CodeTalker convert it to: 23 370 vertices at 25 frames a
second.

Subjects are F1 to F8 and M1 to M6, whose letter is their gender; a name is SUBJECT_eNN, the emotional take of sentence
NN. The layout is told in `meshes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from speech_to_face.base import ModelError
from speech_to_face_lab.protocols.clips import SubjectClip, Tally, told
from speech_to_face_lab.protocols.meshes import mesh_clips

CORPUS_FPS = 25
"""Frames per second of the corpus as it is published."""
TRAINED = frozenset(("F2", "F3", "F4", "M3", "M4", "M5"))
"""Subjects of the lineage's training."""
LAST_TRAINED, LAST_VALIDATED = 32, 36
"""Sentences: e01 to e32 train, e33 to e36 validate, the rest test."""


def clips(folder: Path, tally: Tally | None = None) -> Iterator[SubjectClip]:
    """One clip per vertices file, at 25 frames a second."""
    return told(_clips, folder, tally)


def _clips(folder: Path, tally: Tally) -> Iterator[SubjectClip]:
    for clip in mesh_clips(folder, CORPUS_FPS, tally):
        yield clip if clip.gender else replace(clip, gender=_gender(clip.subject))


def lineage_part(clip: SubjectClip) -> str:
    """Part in FaceFormer's and CodeTalker's split: "train", "validation", "test-a", "test-b", or "" for none.

    It is no cross-subject protocol: test-a are the trained subjects' unheard sentences, test-b the other subjects'.
    """
    number = re.search(r"_e(\d+)$", clip.name)
    if number is None:
        raise ModelError(f"clip {clip.name}: expected a name that ends in _eNN")
    sentence = int(number[1])
    if clip.subject not in TRAINED:
        return "test-b" if sentence > LAST_VALIDATED else ""
    return "train" if sentence <= LAST_TRAINED else "validation" if sentence <= LAST_VALIDATED else "test-a"


def _gender(subject: str) -> str:
    return {"F": "female", "M": "male"}.get(subject[:1], "")
