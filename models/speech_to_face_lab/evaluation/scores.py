"""Scores of one model or baseline: against captured curves and against word times per group, and its stillness in
noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from arkit_mapping.character.lips import Array, Track, aperture, mean, narrowest
from speech_to_face.base import Samples
from speech_to_face.phones import PAUSES
from speech_to_face_lab import metrics
from speech_to_face_lab.corpus.captures import Word
from speech_to_face_lab.evaluation.data import Clip, frames_of
from speech_to_face_lab.evaluation.sounds import NOISES
from speech_to_face_lab.metrics import Errors, Pair

Speaker = Callable[[Samples], Track]
"""Sound to a face at 60 Hz."""
BILABIAL_LETTERS = ("p", "b", "m")
NOT_BILABIAL = ("ph", "ps", "pn")
"""Words with a silent p."""
SETTLED_FRAMES = 30
"""Seconds left out at the start of a noise, while the network fills its state."""


@dataclass(frozen=True, slots=True)
class SignalScore:
    """One curve against the capture's."""

    r: float
    """At the lag where it is highest."""
    lag_ms: float
    """Above 0: the prediction comes later than the capture, the source's own lag taken out."""
    r_at_0: float
    """With the source's own lag taken out and no other; clips are not centred one by one."""
    amplitude: float
    """Standard deviation over the capture's."""


@dataclass(frozen=True, slots=True)
class CurveScore:
    """Against captured curves."""

    clips: int
    seconds: float
    signals: dict[str, SignalScore]
    """By name: jaw, aperture, rounding."""
    channels: dict[str, SignalScore]
    """By ARKit name, for the channels of both."""
    errors: Errors
    constant_errors: Errors
    """Of a face that holds the capture's mean."""
    r2: float
    jitter: float
    """Per second squared."""
    captured_jitter: float


@dataclass(frozen=True, slots=True)
class ClosureScore:
    """Lips at the onsets of words with p, b, m against those of all others."""

    clips: int
    auc: float
    recall: float
    """Of closures, where a tenth of the other onsets is taken for one."""
    closed: int
    """Onsets with p, b, m."""
    others: int


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores on all clips and noises."""

    curves: dict[str, CurveScore]
    """By group."""
    closures: dict[str, ClosureScore]
    """By group."""
    moving: dict[str, float]
    """By noise: share of time; empty where no clip says how far this mouth travels in speech."""


def score(faces: Mapping[Clip, Track], captures: Mapping[Clip, Track], noises: Mapping[str, Track]) -> Scores:
    """Marks of the faces that one speaker made of the clips and the noises."""
    groups = list(dict.fromkeys(clip.group for clip in faces))
    curves, closures = {}, {}
    for group in groups:
        with_curves = [clip for clip in faces if clip.group == group and clip.curves]
        with_words = [clip for clip in faces if clip.group == group and clip.words]
        if with_curves:
            curves[group] = curve_score([(faces[clip], captures[clip]) for clip in with_curves])
        if (closure := closure_score([(faces[clip], clip.words) for clip in with_words])) is not None:
            closures[group] = closure
    spoken = [face for clip, face in faces.items() if clip.curves] or list(faces.values())
    return Scores(curves, closures, stillness(spoken, noises))


def curve_score(clips: Sequence[tuple[Track, Track]]) -> CurveScore:
    """Of (prediction, capture) clip by clip."""
    signals = {
        name: signal_score([(of(face), of(capture)) for face, capture in clips]) for name, of in metrics.SIGNALS.items()
    }
    names = [name for name in MOUTH_32 if all(name in capture for _, capture in clips)]
    ours = [name for name in names if all(name in face for face, _ in clips)]
    channels = {name: signal_score([(face[name], capture[name]) for face, capture in clips]) for name in ours}
    tables = [(_table(face, names), _table(capture, names)) for face, capture in clips]
    length = [min(len(face), len(capture)) for face, capture in tables]
    predicted, captured = (
        np.concatenate([pair[i][:n] for pair, n in zip(tables, length, strict=True)]) for i in (0, 1)
    )
    return CurveScore(
        clips=len(clips),
        seconds=len(captured) / FRAME_RATE,
        signals=signals,
        channels=channels,
        errors=metrics.errors(predicted, captured),
        constant_errors=metrics.errors(metrics.constant_face(captured), captured),
        r2=metrics.explained(predicted, captured),
        jitter=_jitter([face for face, _ in tables]),
        captured_jitter=_jitter([capture for _, capture in tables]),
    )


def signal_score(pairs: Sequence[Pair]) -> SignalScore:
    """Score of one curve over (prediction, reference) pairs, float64 (frames,) each."""
    r, lag = metrics.best_lag(pairs)
    return SignalScore(
        r, 1000 * lag / FRAME_RATE, metrics.correlation(*metrics.pooled(pairs)), metrics.amplitude_ratio(pairs)
    )


def closure_score(clips: Sequence[tuple[Track, tuple[Word, ...]]]) -> ClosureScore | None:
    """Of (face, words) clip by clip; None without an onset of either kind."""
    closed: list[float] = []
    others: list[float] = []
    for face, words in clips:
        gap = aperture(face)
        for word in words:
            least = narrowest(gap, word.start_s, whole=True)
            if least is not None and word.text.lower() not in PAUSES:
                (closed if begins_closed(word.text) else others).append(least)
    if not closed or not others:
        return None
    wanted, free = np.array(closed), np.array(others)
    return ClosureScore(
        len(clips), metrics.closure_auc(wanted, free), metrics.closure_recall(wanted, free), len(closed), len(others)
    )


def begins_closed(word: str) -> bool:
    """Whether an English word begins with lips that touch, counted as the referee does: by its letters, the letter m
    included."""
    return word.lower().startswith(BILABIAL_LETTERS) and not word.lower().startswith(NOT_BILABIAL)


def stillness(spoken: Sequence[Track], noises: Mapping[str, Track]) -> dict[str, float]:
    """Share of time in which the mouth moves, by noise; what it does in silence is its rest."""
    if not spoken or "silence" not in noises:
        return {}
    span = metrics.travel(np.concatenate([aperture(face) for face in spoken]))
    gaps = {name: aperture(face)[SETTLED_FRAMES:] for name, face in noises.items()}
    rest = float(np.median(gaps["silence"]))
    return {name: metrics.moving_share(gap, rest, span) for name, gap in gaps.items()}


def faces_of(speaker: Speaker, samples: Samples) -> Track:
    """A speaker's face, cut to whole frames."""
    return {name: curve[: frames_of(samples)] for name, curve in speaker(samples).items()}


def noise_faces(speaker: Speaker) -> dict[str, Track]:
    """The speaker's face for each noise, by the noise's name."""
    return {name: faces_of(speaker, make()) for name, make in NOISES.items()}


def _table(face: Track, names: Sequence[str]) -> Array:
    """float64 (frames, names); zeros for a channel that the face lacks."""
    return np.stack([mean(face, name) for name in names], 1)


def _jitter(tables: Sequence[Array]) -> float:
    """Over clips, by their length; no second difference reaches across two clips."""
    weights = np.array([max(len(table) - 2, 0) for table in tables], np.float64)
    squares = np.square([metrics.jitter(table) for table in tables])
    return float(np.sqrt((squares * weights).sum() / max(weights.sum(), 1)))
