"""Takes of the Live Link Face app with their sound, as PMMTalk's 3D-CAVFA was recorded, under PMMTalk's preparation.

PMMTalk, section IV-A: 60 frames and 48 kHz come down to 30 frames and 16 kHz, and of the 61 coefficients the 32 of jaw,
mouth, cheeks and nose remain, taken by name. The corpus itself is not public; its layout is assumed to be a folder per
identity:

    IDENTITY/.../Slate_Take_Subject.csv with Slate_Take_Subject.wav beside it, and genders.yaml at the top

A take that lies at the top belongs to the subject in its own name. Frames are interpolated at the take's timecode.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.takes.csv import read_take
from arkit_mapping.takes.names import VARIANTS, sound_beside
from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures import Capture, livelink
from speech_to_face_lab.protocols.captured import clip_of, known_genders, sound_seconds
from speech_to_face_lab.protocols.clips import SubjectClip, Tally, told

CORPUS_FPS = 30
"""Frames per second of the corpus as it is published."""


def clips(folder: Path, tally: Tally | None = None, rate: int = CORPUS_FPS) -> Iterator[SubjectClip]:
    """One clip per take, wherever below `folder`. ModelError for a folder without takes, and for a take without
    sound."""
    return told(lambda place, own: _clips(place, own, rate), folder, tally)


def _clips(folder: Path, tally: Tally, rate: int) -> Iterator[SubjectClip]:
    known = known_genders(folder)
    for capture in livelink.captures(folder):
        parts = Path(capture.name).parts
        subject = parts[0] if len(parts) > 1 else capture.speaker
        face_s, sound_s = _lengths(folder, capture)
        yield clip_of(capture, subject, known.get(subject, ""), rate, face_s, sound_s, tally)


def _lengths(folder: Path, capture: Capture) -> tuple[float, float]:
    """Seconds of face and of sound in a take's files. All versions of a take have the same timecodes."""
    paths = [folder / f"{capture.name}{version}.csv" for version in VARIANTS]
    table = next((path for path in paths if path.is_file()), None)
    sound = sound_beside(table) if table else None
    if table is None or sound is None:
        raise ModelError(f"take {folder / capture.name}: its table or its audio is gone")
    times_s = read_take(table).times_s
    return float(times_s[-1] - times_s[0]) + 1 / FRAME_RATE, sound_seconds(sound)
