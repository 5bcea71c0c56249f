"""Evaluates a model on a folder of recordings, next to loudness alone: `data` reads the folder, `scores` computes the
measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any

import numpy as np

from arkit_mapping.character.lips import Track
from speech_to_face.base import Samples, SpeechToFace
from speech_to_face_lab.evaluation.data import (
    SPEECH_INDEX,
    Clip,
    captured,
    frames_of,
    read_clip,
    read_index,
    timed_speech,
)
from speech_to_face_lab.evaluation.live import stream_difference
from speech_to_face_lab.evaluation.loudness import loudness_face
from speech_to_face_lab.evaluation.phones import PhoneScore, Posteriors, phone_score
from speech_to_face_lab.evaluation.scores import Scores, Speaker, faces_of, noise_faces, score

LIVE_CLIPS = 3
"""Clips of each group that are also run in pieces."""
Progress = Callable[[float, str], None]
"""Share done, 0 to 1, and what is being done."""


@dataclass(frozen=True, slots=True)
class Report:
    """All results."""

    model: str
    device: str
    lookahead_ms: float
    ours: Scores
    loudness: Scores
    """The loudness baseline on the same clips."""
    stream_difference: float
    """Largest difference of any coefficient between a voice in pieces and the whole recording; NaN without clips."""
    phones: PhoneScore | None
    """None where the model has no phone posteriors or there are no timed phones."""
    notes: tuple[str, ...]
    """Items left out and the reason, one line each."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN is None, and an infinite difference, as of a stream of too few frames, is "infinite"."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def evaluate(
    model: SpeechToFace,
    folder: Path,
    *,
    posteriors: Posteriors | str,
    limit: int | None = None,
    allow_cut: bool = False,
    on_progress: Progress = lambda _part, _what: None,
) -> Report:
    """Judge a model on the clips of a folder.

    Parameters
    ----------
    posteriors : of the same model; or why there are none, which becomes a note
    limit : clips of each group, the first ones; None takes all
    allow_cut : take what there is of recordings that end before their headers say

    Raises ModelError for a folder or file that cannot be read.
    """
    clips, (timed, lost) = (
        read_index(folder, limit, allow_cut=allow_cut),
        timed_speech(folder, limit, allow_cut=allow_cut),
    )
    notes = list(_missing(clips, bool(timed), lost))
    if isinstance(posteriors, str):
        notes.append(f"phone accuracy left out: {posteriors}")
        timed = []
    meter = _Meter(2 * len(clips) + len(timed) + 2, on_progress)
    sounds = {clip: read_clip(clip) for clip in clips}
    captures = {clip: captured(clip, frames_of(sounds[clip])) for clip in clips if clip.curves}

    def marks(speaker: Speaker, who: str) -> Scores:
        noises = noise_faces(speaker)
        meter.did(f"{who}: noise")
        return score(_faces(speaker, sounds, lambda: meter.did(who)), captures, noises)

    ours, loudness = marks(speaker_of(model), model.name), marks(loudness_face, "loudness")
    phones = None if isinstance(posteriors, str) else phone_score(timed, posteriors, lambda: meter.did("phones"))
    live = max(
        (stream_difference(model, sounds[clip], seed) for seed, clip in enumerate(_first(clips))), default=float("nan")
    )
    return Report(model.name, model.device, 1000 * model.lookahead_s, ours, loudness, live, phones, tuple(notes))


def speaker_of(model: SpeechToFace) -> Speaker:
    """The model as what makes a face of sound."""

    def speak(samples: Samples) -> Track:
        curves = np.asarray(model.animate(samples), np.float64)
        return {name: curves[:, column] for column, name in enumerate(model.channels)}

    return speak


class _Meter:
    def __init__(self, total: int, show: Progress) -> None:
        self._total, self._show, self._done = total, show, 0

    def did(self, what: str) -> None:
        self._done += 1
        self._show(min(1.0, self._done / self._total), what)


def _faces(speaker: Speaker, sounds: dict[Clip, Samples], on_clip: Callable[[], None]) -> dict[Clip, Track]:
    """Faces of all clips; a recording in two groups is animated once."""
    spoken: dict[Path, Track] = {}
    for clip, samples in sounds.items():
        if clip.sound not in spoken:
            spoken[clip.sound] = faces_of(speaker, samples)
        on_clip()
    return {clip: spoken[clip.sound] for clip in sounds}


def _first(clips: Iterable[Clip]) -> list[Clip]:
    """The first few of each group."""
    clips = list(clips)
    groups = dict.fromkeys(clip.group for clip in clips)
    return [clip for group in groups for clip in [other for other in clips if other.group == group][:LIVE_CLIPS]]


def _missing(clips: list[Clip], timed: bool, lost: list[Path]) -> Iterable[str]:
    if not any(clip.curves for clip in clips):
        yield "no clip with captured curves: correlation and errors left out"
    if not any(clip.words for clip in clips):
        yield "no clip with timed words: closures left out"
    if not timed:
        yield f"no timed phones ({SPEECH_INDEX} and the TextGrids that it names): phone accuracy left out"
    if lost:
        yield (
            f"{len(lost)} TextGrids that {SPEECH_INDEX} names are not there, the first {lost[0]}: those recordings "
            "left out"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return None if isnan(value) else "infinite"
    return value
