"""The papers' measures, each as its authors compute it and under their name: figures of one paper are not those of
another.

"LVE" alone names three things. PMMTalk's works on coefficients and does not print whether errors are squared, so both
are here (the paper's figures fit the squared scale). CodeTalker's takes the largest squared distance of a lip vertex.
FaceDiffuser's coefficient LVE is a norm over the mouth's channels. Sequences are cut to the frames that prediction and
reference share, and the frames of all sequences are pooled, as CodeTalker's `cal_metric` does. Units are the data's
own: no factor of 10^-5 is applied.

No figure means anything without that of a face that never moves: see `mean_face`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError
from speech_to_face_lab import metrics

Array = NDArray[np.floating]
Pair = tuple[Array, Array]
"""Prediction and reference of one sequence: (frames, channels) each for coefficients, (frames, vertices, 3) for
meshes."""


@dataclass(frozen=True, slots=True)
class BlendshapeErrors:
    """PMMTalk's LVE and ALE in both readings, and R^2, over all frames together; coefficients are in [0, 1]."""

    lve_sq: float
    """PMMTalk LVE, squared: mean over frames of the largest squared error of a channel."""
    ale_sq: float
    """PMMTalk ALE, squared: mean over frames and channels."""
    lve_abs: float
    """PMMTalk LVE with absolute errors."""
    ale_abs: float
    """PMMTalk ALE with absolute errors."""
    r2: float
    """Share of the variance about each channel's mean in the reference that is explained; NaN over a still
    reference."""


def pmmtalk_errors(pairs: Sequence[Pair]) -> BlendshapeErrors:
    """Of coefficients. ModelError when there is nothing to compare or shapes do not agree."""
    predicted, captured = _pooled(pairs, 2)
    found = metrics.errors(predicted, captured)
    r2 = metrics.explained(predicted, captured)
    return BlendshapeErrors(found.lve_squared, found.ale_squared, found.lve_absolute, found.ale_absolute, r2)


def facediffuser_blendshape_lve(pairs: Sequence[Pair], mouth: Sequence[int]) -> float:
    """FaceDiffuser's LVE of coefficients: mean over frames of the L2 norm of the error over the channels `mouth`."""
    predicted, captured = _pooled(pairs, 2)
    return float(np.linalg.norm((predicted - captured)[:, _chosen(mouth, predicted.shape[1])], axis=1).mean())


def codetalker_lve(pairs: Sequence[Pair], mouth: Sequence[int]) -> float:
    """CodeTalker's LVE of meshes: mean over frames of the largest squared distance of a vertex in `mouth`; unit
    squared, no root."""
    predicted, captured = _pooled(pairs, 3)
    lips = _chosen(mouth, predicted.shape[1])
    return float(np.square(predicted[:, lips] - captured[:, lips]).sum(2).max(1).mean())


def facediffuser_mve(pairs: Sequence[Pair]) -> float:
    """FaceDiffuser's MVE of meshes: mean distance over frames and all vertices, in the mesh's unit."""
    predicted, captured = _pooled(pairs, 3)
    return float(np.linalg.norm(predicted - captured, axis=2).mean())


def codetalker_fdd(pairs: Sequence[Pair], templates: Sequence[Array], upper: Sequence[int]) -> float:
    """CodeTalker's FDD of meshes, signed: above 0 the upper face of the prediction varies less than the reference's.

    A vertex's dynamics is the standard deviation over time of its squared distance from the template, and a sequence's
    is the mean over the vertices in `upper`; FDD is the mean over sequences of reference minus prediction. templates:
    (vertices, 3), one a pair.
    """
    differences = []
    for pair, template in zip(pairs, templates, strict=True):
        predicted, captured = _pooled([pair], 3)
        face = _chosen(upper, predicted.shape[1])
        differences.append(_dynamics(captured, template, face) - _dynamics(predicted, template, face))
    if not differences:
        raise ModelError("measures: got no sequence, expected one or more")
    return float(np.mean(differences))


def mean_face(references: Sequence[Array]) -> NDArray[np.float64]:
    """float64 (...): the mean over all frames of (frames, ...). Of training clips it is the mean predictor, which
    ignores the audio."""
    if not sum(map(len, references)):
        raise ModelError("measures: got no frames, expected one or more to take the mean of")
    return np.asarray(_joined(references).mean(0))


def mean_predictions(face: Array, references: Sequence[Array]) -> list[Pair]:
    """Pairs for the measures: one face, held, against every reference."""
    return [(np.broadcast_to(face, np.shape(reference)), reference) for reference in references]


def _pooled(pairs: Sequence[Pair], axes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All sequences end to end, each cut to the frames that both have."""
    for predicted, captured in pairs:
        if (
            predicted.ndim != axes
            or predicted.shape[1:] != captured.shape[1:]
            or (axes == 3 and predicted.shape[2] != 3)
        ):
            wanted = "(frames, channels)" if axes == 2 else "(frames, vertices, 3)"
            raise ModelError(f"measures: got shapes {predicted.shape} and {captured.shape}, expected {wanted} twice")
    if not sum(min(map(len, pair)) for pair in pairs):
        raise ModelError("measures: got no frames, expected one or more sequences")
    kept = [(predicted[: len(captured)], captured[: len(predicted)]) for predicted, captured in pairs]
    return _joined([face for face, _ in kept]), _joined([face for _, face in kept])


def _joined(faces: Sequence[Array]) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(face, np.float64) for face in faces])


def _chosen(indices: Sequence[int], count: int) -> NDArray[np.int64]:
    chosen = np.asarray(indices, np.int64)
    if not chosen.size or chosen.min() < 0 or chosen.max() >= count:
        got = f"{chosen.min()} to {chosen.max()}" if chosen.size else "none"
        raise ModelError(
            f"measures: got indices {got}, expected at least one from 0 to {count - 1}; are they of another mesh?"
        )
    return chosen


def _dynamics(face: NDArray[np.float64], template: Array, chosen: NDArray[np.int64]) -> float:
    moved = np.square(face[:, chosen] - np.asarray(template, np.float64)[chosen]).sum(2)
    return float(moved.std(0).mean())
