"""A folder of clips to be judged on: `val.json`, the sound and curves that it names, and timed phones.

`val.json` is a list of clips: `id`, `group`, `wav`, and `curves` (npz, see `captures.npz`; or a Live Link Face take)
with `lag_s`, how much later than the sound they come; or `words`, rows of start s, end s, word. Paths are relative to
the folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52, FRAME_RATE, camel
from arkit_mapping.character.lips import Track
from speech_to_face.base import ModelError, Samples
from speech_to_face.streaming.features import SAMPLE_RATE
from speech_to_face_lab.corpus.captures import Word
from speech_to_face_lab.corpus.captures.curves import check
from speech_to_face_lab.corpus.captures.npz import read_npz
from speech_to_face_lab.metrics import resample_to_60

INDEX = "val.json"
SPEECH, SPEECH_INDEX = "speech", "manifest_speech.json"
SHORTEST = 30
"""Frames of a clip: any lag that is tried leaves something."""


Table = tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]
"""float64 (frames, channels), float64 (frames,) seconds from the start of the curves, channel names."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording, and what is known of its mouth."""

    name: str
    group: str
    """Its source; figures are given per group."""
    sound: Path
    curves: Path | None
    lag_s: float
    """How much later than the sound the curves come; never below 0."""
    words: tuple[Word, ...]
    allow_cut: bool = False
    """Use the audio of a file that ends early."""


@dataclass(frozen=True, slots=True)
class TimedSpeech:
    """One recording with timed phones."""

    name: str
    sound: Path
    phones: Path
    allow_cut: bool = False


def read_index(folder: Path, limit: int | None = None, *, allow_cut: bool = False) -> list[Clip]:
    """The clips of `val.json`, the first `limit` of each group, `allow_cut` in them. ModelError for an index that is
    missing or no such."""
    path = folder / INDEX
    try:
        clips = [replace(_clip(folder, row), allow_cut=allow_cut) for row in _rows(path)]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path}: a clip without a proper {error}; expected id, group, wav and curves with lag_s, or words"
        ) from None
    groups = {clip.group: [other for other in clips if other.group == clip.group][:limit] for clip in clips}
    return [clip for group in groups.values() for clip in group]


def timed_speech(
    folder: Path, limit: int | None = None, *, allow_cut: bool = False
) -> tuple[list[TimedSpeech], list[Path]]:
    """Clips with a TextGrid, as the manifest of speech lists them, and the TextGrids that it names in vain; none
    without a manifest.

    Raises ModelError for a manifest that cannot be read or does not fit.
    """
    path = folder / SPEECH_INDEX
    if not path.is_file():
        return [], []
    rows = [row for row in _rows(path) if row.get("phones")]
    try:
        named = [
            TimedSpeech(str(row["id"]), folder / str(row["audio"]), folder / str(row["phones"]), allow_cut)
            for row in rows
        ]
    except KeyError as error:
        raise ModelError(f"{path}: a row without {error}; expected id, audio and phones") from None
    return [clip for clip in named if clip.phones.is_file()][:limit], [
        clip.phones for clip in named if not clip.phones.is_file()
    ]


def read_samples(path: Path, *, allow_cut: bool = False) -> Samples:
    """float32 (n,), mono, 16 kHz. ModelError for a file that cannot be read, or ends early and `allow_cut` is not
    given."""
    from speech_to_face_lab.corpus.captures.sound import FULL_SCALE, read_sound

    return read_sound(path, allow_cut=allow_cut).astype(np.float32) / np.float32(FULL_SCALE)


def read_clip(clip: Clip) -> Samples:
    """A clip's sound. ModelError where it cannot be read or is too short to be judged."""
    samples = read_samples(clip.sound, allow_cut=clip.allow_cut)
    if frames_of(samples) < SHORTEST + round(clip.lag_s * FRAME_RATE):
        wanted_s = SHORTEST / FRAME_RATE + clip.lag_s
        raise ModelError(
            f"{clip.sound}: {len(samples) / SAMPLE_RATE:.2f} s of audio, expected at least {wanted_s:.2f} s"
        )
    return samples


def frames_of(samples: Samples) -> int:
    """Whole frames of a recording at 60 Hz; a last one that begins within the sound but does not end there is not
    judged."""
    return len(samples) * FRAME_RATE // SAMPLE_RATE


def captured(clip: Clip, frames: int) -> Track:
    """The captured face at 60 Hz on the clock of its sound, `frames` long less the lag. ModelError for curves that
    cannot be read."""
    if clip.curves is None:
        return {}
    values, times_s, names = _take(clip.curves) if clip.curves.suffix == ".csv" else _npz(clip.curves)
    grid = resample_to_60(values, times_s, frames)[round(clip.lag_s * FRAME_RATE) :]
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
    words = tuple(Word(str(text), float(start), float(end)) for start, end, text in row.get("words", ()))
    curves = folder / str(row["curves"]) if "curves" in row or not words else None
    lag_s = float(row.get("lag_s", 0.0))
    if not 0 <= lag_s < inf:
        raise ModelError(f"{folder / INDEX}, clip {row['id']}: got lag_s {lag_s:g}, expected 0 or more seconds")
    return Clip(str(row["id"]), str(row["group"]), folder / str(row["wav"]), curves, lag_s, words)


def _npz(path: Path) -> Table:
    """The frames in which a face was found; a lag that the file tells of itself is left in, `val.json`'s counts."""
    values, times_s, names = read_npz(path, lag_s=0.0)
    check(path, values, times_s, names)
    return values.astype(np.float64), times_s, names


def _take(path: Path) -> Table:
    from arkit_mapping.takes.csv import TakeError, read_take

    try:
        take = read_take(path)
    except TakeError as error:
        raise ModelError(str(error)) from None
    return np.asarray(take.values[:, : len(ARKIT_52)], np.float64), np.asarray(take.times_s - take.times_s[0]), ARKIT_52
