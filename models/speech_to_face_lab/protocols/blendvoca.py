"""BlendVOCA: SAiD's coefficients beside VOCASET's sound, by subject; layout and assumptions:
`speech_to_face_lab.corpus.captures.vocaset`.

Neither says who is female or male; genders.yaml in the folder does, where the cross-gender protocol is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from speech_to_face_lab.corpus.captures import vocaset
from speech_to_face_lab.protocols.captured import clip_of, known_genders, sound_seconds
from speech_to_face_lab.protocols.clips import SubjectClip, Tally, told

CORPUS_FPS = 60
"""Frames per second of the corpus as it is published."""


def clips(folder: Path, tally: Tally | None = None, rate: int = CORPUS_FPS) -> Iterator[SubjectClip]:
    """One clip per file of coefficients. ModelError for a folder without any, and for one without its sound."""
    return told(lambda place, own: _clips(place, own, rate), folder, tally)


def _clips(folder: Path, tally: Tally, rate: int) -> Iterator[SubjectClip]:
    known = known_genders(folder)
    sounds = {(path.parent.name, path.stem): path for path in folder.rglob("sentence*.wav")}
    for capture in vocaset.captures(folder):
        table = folder / capture.name
        stem = table.stem.split("-")[0]
        sound = sounds.get((capture.speaker, stem), table.with_suffix(".wav"))
        heard_s = sound_seconds(sound) if sound.is_file() else len(capture.samples) / 16_000
        yield clip_of(
            capture, capture.speaker, known.get(capture.speaker, ""), rate, _rows(table) / vocaset.FPS, heard_s, tally
        )


def _rows(table: Path) -> int:
    """Frames of a table of coefficients; a header line counts as one, which is below the tolerance."""
    if table.suffix == ".npy":
        return len(np.load(table, mmap_mode="r", allow_pickle=False))
    return sum(1 for line in table.read_text(encoding="utf-8-sig").splitlines() if line.strip())
