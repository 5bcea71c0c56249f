"""A folder of clips to be judged on: `val.json`, the sound and curves that it names, and timed phones.

`val.json` is a list of clips: `id`, `group`, `wav`, and `curves` (npz of coeffs, names, fps; or a Live Link Face take) with `lag_s`,
how much later than the sound they come; or `words`, rows of start s, end s, word. Paths are relative to the folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52, camel
from models.base import ModelError, Samples
from models.features import SAMPLE_RATE
from models.metrics import RATE, Track, at_60

INDEX = "val.json"
SPEECH, SPEECH_INDEX = "speech", "manifest_speech.json"
SHORTEST = 30
"""Frames of a clip: any lag that is tried leaves something."""


@dataclass(frozen=True, slots=True)
class Word:
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording, and what is known of its mouth."""

    name: str
    group: str
    """Where it comes from; figures are given per group."""
    sound: Path
    curves: Path | None
    lag_s: float
    """How much later than the sound the curves come."""
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class TimedSpeech:
    """One recording with timed phones."""

    name: str
    sound: Path
    phones: Path


def read_index(folder: Path, limit: int | None = None) -> list[Clip]:
    """The clips of `val.json`, the first `limit` of each group. ModelError for an index that is missing or does not fit."""
    path = folder / INDEX
    try:
        clips = [_clip(folder, row) for row in _rows(path)]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: a clip without a proper {error}; expected id, group, wav and curves with lag_s, or words") from None
    groups = {clip.group: [other for other in clips if other.group == clip.group][:limit] for clip in clips}
    return [clip for group in groups.values() for clip in group]


def timed_speech(folder: Path, limit: int | None = None) -> list[TimedSpeech]:
    """Clips with a TextGrid, as the manifest of speech lists them; none where there is no manifest."""
    path = folder / SPEECH_INDEX
    if not path.is_file():
        return []
    rows = [row for row in _rows(path) if row.get("phones")]
    found = [TimedSpeech(str(row["id"]), folder / str(row["audio"]), folder / str(row["phones"])) for row in rows]
    return [clip for clip in found if clip.phones.is_file()][:limit]


def read_samples(path: Path) -> Samples:
    """float32 (n,), mono, 16 kHz. ModelError for a file that cannot be read."""
    from models.corpus.captures.sound import FULL_SCALE, read_sound

    return read_sound(path).astype(np.float32) / np.float32(FULL_SCALE)


def read_clip(clip: Clip) -> Samples:
    """A clip's sound. ModelError where it cannot be read or is too short to be judged."""
    samples = read_samples(clip.sound)
    if frames_of(samples) < SHORTEST + max(round(clip.lag_s * RATE), 0):
        wanted_s = SHORTEST / RATE + clip.lag_s
        raise ModelError(f"{clip.sound}: {len(samples) / SAMPLE_RATE:.2f} s of sound, expected at least {wanted_s:.2f} s")
    return samples


def frames_of(samples: Samples) -> int:
    """Whole frames of a recording at 60 Hz; a last one that begins within the sound but does not end there is not judged."""
    return len(samples) * RATE // SAMPLE_RATE


def captured(clip: Clip, frames: int) -> Track:
    """The captured face at 60 Hz on the clock of its sound, `frames` long less the lag. ModelError for curves that cannot be read."""
    if clip.curves is None:
        return {}
    values, names, fps = _take(clip.curves) if clip.curves.suffix == ".csv" else _npz(clip.curves)
    late = round(clip.lag_s * RATE)
    grid = at_60(values, fps, frames)[max(late, 0) :]
    return {camel(name): grid[:, column] for column, name in enumerate(names)}


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; --data expects a folder with {INDEX}, a list of clips") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ModelError(f"{path}: got {type(rows).__name__}, expected a list of clips")
    return rows


def _clip(folder: Path, row: dict[str, Any]) -> Clip:
    words = tuple(Word(float(start), float(end), str(text)) for start, end, text in row.get("words", ()))
    curves = folder / str(row["curves"]) if "curves" in row or not words else None
    return Clip(str(row["id"]), str(row["group"]), folder / str(row["wav"]), curves, float(row.get("lag_s", 0.0)), words)


def _npz(path: Path) -> tuple[NDArray[np.float64], tuple[str, ...], float]:
    try:
        with np.load(path, allow_pickle=False) as file:
            values, names, fps = np.asarray(file["coeffs"], np.float64), tuple(map(str, file["names"])), float(file["fps"])
    except (OSError, ValueError, BadZipFile, KeyError, AttributeError) as error:
        raise ModelError(f"curves {path} cannot be read, expected an npz of coeffs, names and fps: {error}") from None
    if values.shape[1:] != (len(names),) or not len(values) or not fps > 0:
        raise ModelError(f"curves {path}: got shape {values.shape} at {fps:g} fps, expected frames of {len(names)} channels")
    return values, names, fps


def _take(path: Path) -> tuple[NDArray[np.float64], tuple[str, ...], float]:
    from arkit_mapping.takes import TakeError, read_take

    try:
        take = read_take(path)
    except TakeError as error:
        raise ModelError(str(error)) from None
    own = take.times_s - take.times_s[0]
    even = np.arange(round(float(own[-1]) * RATE) + 1) / RATE
    values = np.stack([np.interp(even, own, take.values[:, column]) for column in range(len(ARKIT_52))], 1)
    return values, ARKIT_52, float(RATE)
