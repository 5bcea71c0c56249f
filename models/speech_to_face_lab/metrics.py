"""Measures of how well a mouth follows a voice: pure functions on arrays, 60 frames a second unless stated otherwise.

Most measures are free of scale, since no two rigs open a mouth by the same number: correlation, order and timing.
`Errors` are the exception, and mean something only next to the errors of a constant face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.lips import Array, Track, aperture, mean

Pair = tuple[Array, Array]
"""Prediction and reference of one clip, (frames,) each, of equal or nearly equal length; the shorter counts."""

EARLIEST, LATEST = -6, 9
"""Frames of lag that are tried: 100 ms early to 150 ms late."""
FALSE_CLOSURES = 0.10
MOVED = 0.10
"""Share of the travel in speech: a mouth farther than this from its neutral position moves."""
_STILL = 1e-9
"""Root of summed squares up to which a curve does not move and has no correlation."""


def jaw(face: Track) -> Array:
    """float64 (frames,): opening of the jaw."""
    return mean(face, "jawOpen")


def rounding(face: Track) -> Array:
    """float64 (frames,): rounding of the lips."""
    return mean(face, "mouthFunnel") + mean(face, "mouthPucker")


SIGNALS: dict[str, Callable[[Track], Array]] = {"jaw": jaw, "aperture": aperture, "rounding": rounding}


def correlation(a: Array, b: Array) -> float:
    """Pearson's r of two curves of equal length; NaN when either stands still or has no frames."""
    if not len(a):
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float(a @ b) / scale if scale > _STILL else float("nan")


def pooled(pairs: Sequence[Pair]) -> Pair:
    """All clips end to end, cut to the frames that both have."""
    lengths = [min(len(predicted), len(captured)) for predicted, captured in pairs]
    return (
        np.concatenate([predicted[:n] for (predicted, _), n in zip(pairs, lengths, strict=True)]),
        np.concatenate([captured[:n] for (_, captured), n in zip(pairs, lengths, strict=True)]),
    )


def shifted(pair: Pair, lag: int) -> Pair:
    """The pair with the prediction taken `lag` frames later (earlier when negative), each about its own mean in this
    clip."""
    n = min(len(pair[0]), len(pair[1]))
    kept = max(n - abs(lag), 0)
    predicted, captured = pair[0][max(lag, 0) :][:kept], pair[1][max(-lag, 0) :][:kept]
    return (predicted - predicted.mean(), captured - captured.mean()) if kept else (predicted, captured)


def best_lag(pairs: Sequence[Pair], earliest: int = EARLIEST, latest: int = LATEST) -> tuple[float, int]:
    """The highest r over all clips together, and the lag it is found at, in frames: above 0 the prediction comes late.

    NaN and 0 when a curve stands still. Clips of a few seconds are too short to have a lag each, hence the pooling.
    """
    found = (float("nan"), 0)
    for lag in range(earliest, latest + 1):
        r = correlation(*pooled([shifted(pair, lag) for pair in pairs]))
        if r > found[0] or (np.isnan(found[0]) and not np.isnan(r)):
            found = (r, lag)
    return found


def amplitude_ratio(pairs: Sequence[Pair]) -> float:
    """Standard deviation of the prediction over the reference's; below 1 the mouth moves too little. NaN over a still
    reference."""
    predicted, captured = pooled(pairs)
    spread = float(captured.std())
    return float(predicted.std()) / spread if spread > _STILL else float("nan")


@dataclass(frozen=True, slots=True)
class Errors:
    """Distance from a capture, in coefficient units; squared, and absolute.

    "lve" is the mean over frames of the worst channel, "ale" the mean over frames and channels.
    """

    lve_squared: float
    ale_squared: float
    lve_absolute: float
    ale_absolute: float


def errors(predicted: Array, captured: Array) -> Errors:
    """Of float (frames, channels) against the same."""
    distance = np.abs(predicted - captured)
    square = np.square(distance)
    return Errors(
        float(square.max(1).mean()), float(square.mean()), float(distance.max(1).mean()), float(distance.mean())
    )


def constant_face(captured: Array) -> Array:
    """float64 (frames, channels): the reference's own mean in every frame, the best that a face which never moves can
    do."""
    return np.broadcast_to(captured.mean(0), captured.shape)


def explained(predicted: Array, captured: Array) -> float:
    """R^2 over all channels of float (frames, channels): 1 is perfect, 0 what `constant_face` gets; NaN over a still
    reference."""
    spread = float(np.square(captured - captured.mean(0)).sum())
    return 1 - float(np.square(predicted - captured).sum()) / spread if spread > _STILL else float("nan")


def jitter(curves: Array) -> float:
    """Root mean square of the second difference of (frames, channels), per second squared: jitter of the face."""
    return float(np.sqrt(np.mean(np.square(np.diff(curves, 2, axis=0))))) * FRAME_RATE**2 if len(curves) > 2 else 0.0


def closure_auc(closed: Array, others: Array) -> float:
    """How often lips that should close are narrower than lips that need not, over all couples of onsets; ties count
    half."""
    below = np.searchsorted(np.sort(closed), others, "left") + np.searchsorted(np.sort(closed), others, "right")
    return float(below.sum()) / (2 * len(closed) * len(others))


def closure_recall(closed: Array, others: Array, false: float = FALSE_CLOSURES) -> float:
    """Share of `closed` under the threshold that takes the share `false` of `others`; straight between the thresholds
    there are."""
    thresholds = np.unique(np.concatenate([closed, others]))
    taken, hit = (np.searchsorted(np.sort(of), thresholds, "right") / len(of) for of in (others, closed))
    return float(np.interp(false, np.concatenate([[0.0], taken]), np.concatenate([[0.0], hit])))


def travel(gap: Array) -> float:
    """How far the aperture goes in speech: from nearly its narrowest (2 %) to nearly its widest (95 %)."""
    low, high = np.quantile(gap, (0.02, 0.95))
    return float(high - low)


def moving_share(gap: Array, rest: float, span: float) -> float:
    """Share of frames in which the aperture is farther from its rest than a tenth of its travel in speech."""
    return float((np.abs(gap - rest) > MOVED * span).mean())


def right_share(guesses: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """Share of frames with the right class; NaN without frames."""
    return float((guesses == truth).mean()) if len(truth) else float("nan")


def resample_to_60(values: Array, times_s: Array, frames: int) -> Array:
    """(n,) or (n, channels) of the rising times (n,) as `frames` frames at 60 Hz from time 0; the first and last value
    are held."""
    at = np.arange(frames) / FRAME_RATE
    if values.ndim == 1:
        return np.asarray(np.interp(at, times_s, values))
    return np.stack([np.interp(at, times_s, column) for column in values.T], 1)
