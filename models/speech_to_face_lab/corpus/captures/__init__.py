"""Real speech, with face curves where the source has them: every corpus in one format.

A loader is a module here with `captures(folder)`, and a line in `LOADERS`. Sources are changed only to be comparable:
one sample rate, one rate and order of curves, and the source's own lag taken out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError

LOADERS: dict[str, str] = {
    "manifest": "speech_to_face_lab.corpus.captures.manifest",
    "livelink": "speech_to_face_lab.corpus.captures.livelink",
    "grid": "speech_to_face_lab.corpus.captures.grid",
    "vocaset": "speech_to_face_lab.corpus.captures.vocaset",
    "arkit": "speech_to_face_lab.corpus.captures.arkit",
}
"""Kind of folder -> module whose `captures(folder)` reads it."""

UNKNOWN_LANGUAGE = "und"
"""ISO 639's code of an unknown language."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word and its times, in seconds from the start of the audio."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """One recording of one person."""

    name: str
    """Unique among the captures of its folder."""
    speaker: str
    """The same for all recordings of one person, as far as the source identifies them."""
    language: str
    """ISO 639 code: "en", "zh", ...; "und" where the source gives none."""
    samples: NDArray[np.int16]
    """int16 (n,), mono, 16 kHz."""
    curves: NDArray[np.float32] | None
    """float32 (frame_count(n), 32) in [0, 1], columns as `MOUTH_32`, 60 Hz: frame k belongs to time k / 60 s of the
    audio, the source's lag taken out and its first and last frame held. None: speech only."""
    live: NDArray[np.bool_] | None
    """bool (32,): the channels that the source carries; values in the others are not measurements. None: speech
    only."""
    words: tuple[Word, ...]
    """Timed words without the pauses; empty where the source has no times."""
    transcript: str
    """The transcript; empty where there is none."""
    rig: str
    """Origin of the curves: "mediapipe", "facegood", "livelink", "blendvoca", "arkit"; empty for speech only."""
    held_out: bool
    """Never trained on: validation clips, and those whose timed phones judge the model."""
    licence: str


def load(kind: str, folder: Path) -> Iterator[Capture]:
    """The captures in `folder`, read one by one, in the order of their names. ModelError for a kind or a file that
    cannot be read."""
    if kind not in LOADERS:
        raise ModelError(f"captures: got kind {kind!r}, expected one of {', '.join(sorted(LOADERS))}")
    if not folder.exists():
        raise ModelError(f"captures: {folder} is not there, expected a folder of kind {kind}")
    found: Iterator[Capture] = import_module(LOADERS[kind]).captures(folder)
    return found
