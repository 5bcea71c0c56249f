"""VOCASET (Cudeiro et al. 2019): twelve subjects, forty English sentences each, 5023 vertices at 60 frames a second.

Two layouts are read: the one that FaceFormer and CodeTalker convert to (see `meshes`), and the original one,
data_verts.npy with raw_audio_fixed.pkl, templates.pkl and subj_seq_to_idx.pkl. The lineage trains at 30 frames a second
by taking every second one; `speech_to_face_lab.protocols.clips.resampled` does. For research only: a model that ships
must not be trained on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from speech_to_face.base import ModelError
from speech_to_face.official.pickles import read_pickle
from speech_to_face.streaming.features import SAMPLE_RATE
from speech_to_face_lab.protocols.captured import known_genders
from speech_to_face_lab.protocols.clips import SubjectClip, Tally, told, trimmed
from speech_to_face_lab.protocols.meshes import mesh_clips, read_array, read_templates, shaped
from speech_to_face_lab.protocols.splits import PARTS

CORPUS_FPS = 60
"""Frames per second of the corpus as it is published."""
VERTS, SOUND, ROWS = "data_verts.npy", "raw_audio_fixed.pkl", "subj_seq_to_idx.pkl"
VALIDATION = frozenset(("FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA"))
TEST = frozenset(("FaceTalk_170809_00138_TA", "FaceTalk_170731_00024_TA"))
FASTEST = 768_000
"""Samples a second that any sound has."""
FIRST_JUDGED = 21
"""Sentences before this one of the held-out subjects are in no part: training subjects say them too."""


def clips(folder: Path, tally: Tally | None = None) -> Iterator[SubjectClip]:
    """One clip per sentence of a subject, at 60 frames a second. ModelError for a folder of neither layout."""
    original = (folder / VERTS).is_file()
    return told(_original if original else lambda place, own: mesh_clips(place, CORPUS_FPS, own), folder, tally)


def lineage_part(clip: SubjectClip) -> str:
    """Part that FaceFormer's and CodeTalker's split gives a clip: "train", "validation", "test", or "" for none.

    Eight subjects train with all forty sentences; two validate and two test, with sentences 21 to 40.
    """
    number = re.search(r"sentence(\d+)$", clip.name)
    if number is None:
        raise ModelError(f"clip {clip.name}: expected a name that ends in sentenceNN")
    if clip.subject not in VALIDATION | TEST:
        return PARTS[0]
    return "" if int(number[1]) < FIRST_JUDGED else PARTS[1] if clip.subject in VALIDATION else PARTS[2]


def _original(folder: Path, tally: Tally) -> Iterator[SubjectClip]:
    vertices, templates, known = read_array(folder / VERTS), read_templates(folder), known_genders(folder)
    sounds, rows = read_pickle(folder / SOUND), _rows(folder)
    for subject in sorted(rows):
        for sentence in sorted(rows[subject]):
            heard = _entry(sounds, subject, sentence)
            if heard is None or subject not in templates or not rows[subject][sentence]:
                tally.alone += 1
                continue
            name, at = f"{subject}_{sentence}", _frames(folder, rows[subject][sentence], len(vertices))
            mesh = shaped(folder / VERTS, vertices[at], len(templates[subject]))
            samples, mesh = trimmed(name, _sound(folder, name, heard), mesh, CORPUS_FPS, tally)
            yield SubjectClip(
                name, subject, known.get(subject, ""), samples, CORPUS_FPS, mesh=mesh, template=templates[subject]
            )


def _rows(folder: Path) -> dict[str, dict[str, dict[int, int]]]:
    """Subject -> sentence -> number of a frame -> its row of data_verts.npy. ModelError for anything else."""
    rows = read_pickle(folder / ROWS)
    sentences = [value for row in rows.values() for value in _values(row)] if isinstance(rows, dict) else [None]
    if not all(
        isinstance(frames, dict) and all(type(at) is int for pair in frames.items() for at in pair)
        for frames in sentences
    ):
        raise ModelError(f"meshes {folder}: {ROWS} is not subject -> sentence -> frame -> row")
    return rows  # type: ignore[no-any-return]


def _values(row: Any) -> list[Any]:
    return list(row.values()) if isinstance(row, dict) else [None]


def _entry(sounds: Any, subject: str, sentence: str) -> Any:
    """A sentence's sound, or None: a few of VOCASET's are missing."""
    own = sounds.get(subject) if isinstance(sounds, dict) else None
    return own.get(sentence) if isinstance(own, dict) else None


def _frames(folder: Path, numbered: dict[int, int], count: int) -> NDArray[np.int64]:
    """Rows of data_verts.npy of one sentence, in the order of its frames."""
    at = [numbered[number] for number in sorted(numbered)]
    if odd := [row for row in at if not 0 <= row < count]:
        raise ModelError(
            f"meshes {folder}: {ROWS} names frame {max(-1, min(odd[0], 2**63))}, expected frames of {VERTS}, which "
            f"has {count}"
        )
    return np.array(at, np.int64)


def _sound(folder: Path, name: str, heard: Any) -> NDArray[np.float32]:
    """float32 (n,) at 16 kHz of {"audio": int16 (n,), "sample_rate": Hz}."""
    audio, rate = (heard.get("audio"), heard.get("sample_rate")) if isinstance(heard, dict) else (None, None)
    counted = isinstance(rate, int) and 1 <= rate <= FASTEST
    if (
        not counted
        or not isinstance(audio, np.ndarray)
        or audio.ndim != 1
        or not len(audio)
        or audio.dtype.kind not in "if"
    ):
        raise ModelError(f"meshes {folder}: the sound of {name} in {SOUND} is not samples with a sample_rate")
    if not np.isfinite(audio).all():
        raise ModelError(f"meshes {folder}: the sound of {name} in {SOUND} has samples that are not finite")
    scale = 32768 if audio.dtype.kind == "i" else 1
    return np.asarray(soxr.resample(audio.astype(np.float32) / scale, rate, SAMPLE_RATE), np.float32)
