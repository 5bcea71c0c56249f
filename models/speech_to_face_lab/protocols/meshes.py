"""Mesh corpora in the layout that FaceFormer, CodeTalker and their successors share:

    wav/SUBJECT_SENTENCE.wav   vertices_npy/SUBJECT_SENTENCE.npy   templates.npz or templates.pkl

A vertices file is float (frames, vertices * 3) or (frames, vertices, 3); templates hold a subject's face at rest by its
name. The pickle is read by `speech_to_face.official.pickles`, which runs nothing that it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError
from speech_to_face.official.pickles import read_pickle
from speech_to_face_lab.corpus.captures.sound import read_sound
from speech_to_face_lab.corpus.store import as_float
from speech_to_face_lab.protocols.captured import known_genders
from speech_to_face_lab.protocols.clips import SubjectClip, Tally, trimmed

SOUNDS, VERTICES = "wav", "vertices_npy"


def mesh_clips(folder: Path, rate: int, tally: Tally) -> Iterator[SubjectClip]:
    """One clip per vertices file with a sound, in the order of names; what has no partner is counted.

    Raises ModelError for a folder without one pair, and for a subject without a template.
    """
    names = _pairs(folder, tally)
    templates, known = read_templates(folder), known_genders(folder)
    for name in names:
        subject = name.rpartition("_")[0]
        if subject not in templates:
            raise ModelError(
                f"meshes {folder}: no template of subject {subject!r}, expected it among {', '.join(templates)}"
            )
        yield _clip(folder, name, subject, known.get(subject, ""), templates[subject], rate, tally)


def _pairs(folder: Path, tally: Tally) -> list[str]:
    """Stems that are there as sound and as vertices."""
    sounds = {path.stem for path in (folder / SOUNDS).glob("*.wav")}
    meshes = {path.stem for path in (folder / VERTICES).glob("*.npy")}
    if not sounds & meshes:
        got = f"{len(sounds)} sounds and {len(meshes)} vertices files and no pair"
        raise ModelError(f"meshes {folder}: got {got}, expected {SOUNDS}/NAME.wav with {VERTICES}/NAME.npy")
    tally.alone += len(sounds ^ meshes)
    return sorted(sounds & meshes)


def _clip(
    folder: Path, name: str, subject: str, gender: str, template: NDArray[np.float32], rate: int, tally: Tally
) -> SubjectClip:
    mesh = shaped(folder / VERTICES / f"{name}.npy", read_array(folder / VERTICES / f"{name}.npy"), len(template))
    samples, mesh = trimmed(name, as_float(read_sound(folder / SOUNDS / f"{name}.wav")), mesh, rate, tally)
    return SubjectClip(name, subject, gender, samples, rate, mesh=mesh, template=template)


def shaped(path: Path, values: NDArray[np.generic], vertices: int) -> NDArray[np.float32]:
    """float32 (frames, vertices, 3) of flat or shaped vertices. path: for the error. ModelError for another mesh or bad
    numbers."""
    if values.dtype.kind not in "fiu" or not len(values) or values[0].size != vertices * 3:
        got = f"{values.dtype} of shape {values.shape}"
        raise ModelError(
            f"vertices {path}: got {got}, expected (frames, {vertices} * 3), as many vertices as the template has"
        )
    mesh = values.reshape(len(values), vertices, 3).astype(np.float32)
    if not np.isfinite(mesh).all():
        raise ModelError(f"vertices {path}: a value is not finite, expected numbers")
    return mesh


def read_array(path: Path) -> NDArray[np.generic]:
    """An .npy, mapped rather than read. ModelError for anything else; arrays of Python objects are not loaded."""
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"vertices {path} cannot be read, expected an npy of numbers: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(values, np.ndarray) or not values.ndim:
        raise ModelError(f"vertices {path}: expected one array (frames, vertices * 3)")
    return values


def read_templates(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Subject -> float32 (vertices, 3), from templates.npz or templates.pkl. ModelError without either."""
    path = next((path for name in ("templates.npz", "templates.pkl") if (path := folder / name).is_file()), None)
    if path is None:
        raise ModelError(
            f"meshes {folder}: no templates.npz or templates.pkl, expected every subject's face at rest in one of them"
        )
    rows = _read_npz(path) if path.suffix == ".npz" else read_pickle(path)
    if not isinstance(rows, dict) or not rows:
        raise ModelError(f"templates {path}: got {type(rows).__name__}, expected a template by subject")
    return {str(subject): _template(path, str(subject), value) for subject, value in rows.items()}


def _template(path: Path, subject: str, value: object) -> NDArray[np.float32]:
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.size % 3 or not np.isfinite(value).all():
        raise ModelError(f"templates {path}: subject {subject!r} has no array of finite (vertices, 3)")
    return np.asarray(value.reshape(-1, 3), np.float32)


def _read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, TypeError, BadZipFile) as error:
        raise ModelError(f"templates {path} cannot be read, expected an npz: {' '.join(str(error).split())}") from None
