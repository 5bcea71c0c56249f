"""Figures of an adaptation, before and after, by the measures of `evaluate`: on the held-out takes, and on recordings
of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arkit_mapping.channels import MOUTH_32
from arkit_mapping.character.lips import Track
from speech_to_face.loading import load_model
from speech_to_face_lab.adapt.data.material import MOVES
from speech_to_face_lab.adapt.data.takes import Take
from speech_to_face_lab.adapt.data.untouched import UntouchedNetwork, onsets
from speech_to_face_lab.evaluation import Progress, evaluate, speaker_of
from speech_to_face_lab.evaluation.scores import ClosureScore, CurveScore, Speaker, closure_score, curve_score, faces_of

R2 = "R² of all channels"


@dataclass(frozen=True, slots=True)
class Row:
    """One measure."""

    of: str
    """The recordings that it was measured on."""
    measure: str
    before: float
    after: float


def of_takes(takes: Sequence[Take], before: Path, after: Path, untouched: UntouchedNetwork) -> list[Row]:
    """Measures on the actor's held-out takes; lips are judged at the onsets that the untouched network recognizes."""
    carried = np.concatenate([take.curves for take in takes]).std(0) >= MOVES
    captures = [captured(take, carried) for take in takes]
    words = [onsets(untouched.answer(take.samples).labels) for take in takes]
    found = []
    for folder in (before, after):
        mouths = _faces(speaker_of(load_model(str(folder), "cpu")), takes)
        curves = curve_score(list(zip(mouths, captures, strict=True)))
        found.append(_marks(curves, closure_score(list(zip(mouths, words, strict=True)))))
    of = f"{len(takes)} held-out takes, {sum(take.seconds for take in takes):.0f} s"
    return [Row(of, name, found[0][name], found[1][name]) for name in found[0] if name in found[1]]


def captured(take: Take, carried: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Track:
    """The channels that the takes carry."""
    return {name: take.curves[:, i].astype(np.float64) for i, name in enumerate(MOUTH_32) if carried[i]}


def _faces(speaker: Speaker, takes: Sequence[Take]) -> list[Track]:
    return [faces_of(speaker, take.samples) for take in takes]


def _marks(curves: CurveScore, closures: ClosureScore | None) -> dict[str, float]:
    marks = {f"{name} r": signal.r for name, signal in curves.signals.items()}
    marks |= {"jaw lag, ms": curves.signals["jaw"].lag_ms, "jaw amplitude ratio": curves.signals["jaw"].amplitude}
    marks[R2] = curves.r2
    return marks | (_lips(closures) if closures else {})


def _lips(closures: ClosureScore) -> dict[str, float]:
    return {"closure recall at 10 % false": closures.recall, "closure AUC": closures.auc}


def of_others(data: Path, before: Path, after: Path, on_progress: Progress, *, allow_cut: bool = False) -> list[Row]:
    """On the recordings that `evaluate --data` judges on. ModelError for a folder that cannot be read."""
    from speech_to_face_lab.evaluation.phones import posteriors_of

    found: list[dict[tuple[str, str], float]] = []
    for folder in (before, after):
        report = evaluate(
            load_model(str(folder), "cpu"),
            data,
            posteriors=posteriors_of(folder),
            allow_cut=allow_cut,
            on_progress=on_progress,
        )
        marks: dict[tuple[str, str], float] = {}
        for group, curves in report.ours.curves.items():
            marks |= {(group, name): value for name, value in _marks(curves, None).items()}
        for group, closures in report.ours.closures.items():
            marks |= {(group, name): value for name, value in _lips(closures).items()}
        marks |= {("noise", f"moving in {name}"): value for name, value in report.ours.moving.items()}
        if report.phones:
            marks[("strangers", "phone accuracy")] = report.phones.accuracy
        found.append(marks)
    return [Row(*key, value, found[1][key]) for key, value in found[0].items() if key in found[1]]
