"""Captures (`speech_to_face_lab.corpus.captures`) as subjects' clips, with a report of what the capture's reader
cut."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
import yaml

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import ModelError
from speech_to_face.config_file import UNREADABLE
from speech_to_face.streaming.features import SAMPLE_RATE
from speech_to_face_lab.corpus.captures import Capture
from speech_to_face_lab.corpus.store import as_float
from speech_to_face_lab.protocols.clips import SubjectClip, Tally, resampled

GENDERS = "genders.yaml"
"""File beside a corpus without genders of its own: lines `subject: female`, written by the user."""


def clip_of(
    capture: Capture, subject: str, gender: str, rate: int, face_s: float, sound_s: float, tally: Tally
) -> SubjectClip:
    """A capture with a face as a clip of `rate` frames a second.

    face_s, sound_s: how long both were in their files; the capture holds what they share.
    """
    assert capture.curves is not None and capture.live is not None, "only corpora with faces come here"
    kept = len(capture.samples) / SAMPLE_RATE
    tally.cut(max(0.0, sound_s - kept), max(0.0, face_s - kept), FRAME_RATE)
    curves = np.where(capture.live, capture.curves, np.float32(np.nan)).astype(np.float32)
    return SubjectClip(
        capture.name, subject, gender, as_float(capture.samples), rate, resampled(curves, FRAME_RATE, rate)
    )


def sound_seconds(path: Path) -> float:
    """Duration of an audio file in seconds, from its header."""
    return float(soundfile.info(path).duration)


def known_genders(folder: Path) -> Mapping[str, str]:
    """Subject -> gender of genders.yaml in `folder`; empty without it. ModelError when it says anything but female or
    male."""
    path = folder / GENDERS
    if not path.is_file():
        return {}
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise ModelError(f"genders {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(rows, dict) or not all(gender in ("female", "male") for gender in rows.values()):
        raise ModelError(f"genders {path}: expected a line `subject: female` or `subject: male` for every subject")
    return {str(subject): str(gender) for subject, gender in rows.items()}
