"""Curves in an npz: `coeffs` (frames, channels), `names` (channels,), `fps`, perhaps `face_found` (frames,) and
`lag_s`."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures.curves import even_times

Table = tuple[NDArray[np.float32], NDArray[np.float64], tuple[str, ...]]
"""float32 (frames, channels), float64 (frames,) seconds of the sound, channel names."""


def read_npz(path: Path, fps: float | None = None, lag_s: float | None = None) -> Table:
    """The frames in which a face was found. `fps`, when given, must be the file's own; `lag_s` goes before the file's
    own.

    ModelError for a file that is not such an npz.
    """
    arrays = _arrays(path)
    if missing := [key for key in ("coeffs", "names", "fps") if key not in arrays]:
        raise ModelError(
            f"curves {path}: no array {missing[0]} among {', '.join(arrays)}, expected coeffs, names and fps"
        )
    rate = _number(path, "fps", arrays["fps"])
    if not rate > 0 or (fps is not None and abs(rate / fps - 1) > 1e-3):
        raise ModelError(f"curves {path}: got {rate:g} frames a second, expected {fps or 'more than 0'}")
    values, names = _table(path, arrays["coeffs"], arrays["names"])
    late = lag_s if lag_s is not None else _number(path, "lag_s", arrays.get("lag_s", np.array(0.0)))
    found = np.asarray(arrays.get("face_found", np.ones(len(values), bool)), bool)
    if found.shape != (len(values),) or not found.any():
        raise ModelError(
            f"curves {path}: got {int(found.sum())} frames with a face among {len(values)}, expected at least one"
        )
    return values[found], even_times(len(values), rate, late)[found], names


def _table(
    path: Path, coeffs: NDArray[np.generic], names: NDArray[np.generic]
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    if coeffs.ndim != 2 or names.ndim != 1 or coeffs.dtype.kind not in "fiu":
        got = f"coeffs of shape {coeffs.shape} and type {coeffs.dtype}, names of shape {names.shape}"
        raise ModelError(f"curves {path}: got {got}, expected numbers (frames, channels) and names (channels,)")
    return coeffs.astype(np.float32), tuple(str(name) for name in names)


def _number(path: Path, name: str, array: NDArray[np.generic]) -> float:
    try:
        return float(array.item())
    except (TypeError, ValueError):
        raise ModelError(
            f"curves {path}: got {name} of shape {array.shape} and type {array.dtype}, expected one number"
        ) from None


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, TypeError, BadZipFile, AttributeError) as error:
        raise ModelError(f"curves {path} cannot be read, expected an npz of coeffs, names and fps: {error}") from None
