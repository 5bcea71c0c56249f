"""Audio files of any rate as 16 kHz mono int16."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from speech_to_face.audio_files import RecordingError, open_recording
from speech_to_face.base import ModelError
from speech_to_face.streaming.features import SAMPLE_RATE

SUFFIXES = (".wav", ".flac", ".ogg", ".aiff", ".aif", ".mp3")
FULL_SCALE = 32768
_PIECE = 1 << 20


def read_sound(path: Path, *, allow_cut: bool = False) -> NDArray[np.int16]:
    """int16 (n,) at 16 kHz, channels averaged, or the louder one where they cancel each other. ModelError for a file
    that is missing, damaged or empty, and for one that ends before its header says, unless `allow_cut` takes what there
    is."""
    try:
        with closing(open_recording(path, allow_cut=allow_cut)) as recording:
            rate = recording.rate
            pieces = []
            while len(piece := recording.read(_PIECE)):
                pieces.append(piece)
    except RecordingError as error:
        raise ModelError(f"sound {error}") from None
    if not pieces:
        raise ModelError(f"sound {path}: got no samples, expected speech")
    samples = np.concatenate(pieces)
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return np.asarray(np.clip(np.rint(mono * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1), np.int16)


def sound_beside(path: Path) -> Path | None:
    """The audio file of the same stem in the same folder, or None."""
    return next((beside for suffix in SUFFIXES if (beside := path.with_suffix(suffix)).is_file()), None)


def text_beside(path: Path) -> str:
    """The text of the .txt of the same stem on one line; empty where there is none."""
    beside = path.with_suffix(".txt")
    return " ".join(beside.read_text(encoding="utf-8-sig").split()) if beside.is_file() else ""
