"""Response curves of weights: an exponent, or straight lines between points. Vectorized over channels and frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from arkit_mapping.channels import SHAPE_COUNT
from arkit_mapping.character.closure import JAW_OPEN, MOUTH_CLOSE
from arkit_mapping.character.entries import CharacterError, Poses, channel_index, number

Curve = float | Sequence[Sequence[float]]
"""An exponent, 0.1 to 10 (1 is straight, above 1 small weights shrink), or points [in, out] within [0, 1]."""

EXPONENTS = (0.1, 10.0)
"""Beyond these a curve is practically a step."""
MAX_POINTS = 16
"""More points are not useful; memory grows with frames x channels x points."""

_TINY = np.float32(1e-12)


class Response:
    """The curves of one character, by channel name.

    Points may omit the ends: a curve begins at [0, 0] and ends at [1, 1] unless given otherwise. A weight outside
    [0, 1] counts as the nearer end.

    MouthClose follows JawOpen's curve unless it has its own. It closes what the jaw opens, so it keeps its fraction of
    JawOpen: a closure of 0.9 of the jaw is one of 0.9 afterwards, whatever the curve. Above JawOpen it follows the
    curve itself.

    Raises CharacterError for an unknown channel, an angle, an exponent out of range, or points that are not monotone.
    """

    def __init__(self, curves: Mapping[str, Curve]) -> None:
        bends = {_weight_index(channel): (channel, curve) for channel, curve in curves.items()}
        self._lips_follow = JAW_OPEN in bends and MOUTH_CLOSE not in bends
        if self._lips_follow:
            bends[MOUTH_CLOSE] = bends[JAW_OPEN]
        powers = {
            at: _exponent(channel, curve)
            for at, (channel, curve) in bends.items()
            if not isinstance(curve, list | tuple)
        }
        lines = {
            at: _points(channel, curve) for at, (channel, curve) in bends.items() if isinstance(curve, list | tuple)
        }
        self._power_at = np.array([*powers], np.intp)
        self._powers = np.array([*powers.values()], np.float32)
        self._lines_at = np.array([*lines], np.intp)
        self._lines = _Lines([*lines.values()]) if lines else None

    def __bool__(self) -> bool:
        """Whether any channel has a curve."""
        return bool(len(self._power_at) or len(self._lines_at))

    def __call__(self, poses: Poses) -> Poses:
        """Apply the curves: float32 (..., 61) to a new array of the same shape. Channels without a curve are
        unchanged."""
        bent = np.array(poses, np.float32)
        if not self._lips_follow:
            return self._bend(bent)
        close = _within(bent[..., MOUTH_CLOSE])
        larger = np.maximum(close, _within(bent[..., JAW_OPEN]))
        bent[..., MOUTH_CLOSE] = larger
        self._bend(bent)
        bent[..., MOUTH_CLOSE] *= close / np.maximum(larger, _TINY)
        return bent

    def _bend(self, poses: Poses) -> Poses:
        if len(self._power_at):
            poses[..., self._power_at] = _within(poses[..., self._power_at]) ** self._powers
        if self._lines is not None:
            poses[..., self._lines_at] = self._lines(poses[..., self._lines_at])
        return poses


class _Lines:
    """Piecewise linear curves of several channels: the first output, plus the contribution of each segment up to the
    input."""

    def __init__(self, curves: Sequence[Sequence[tuple[float, float]]]) -> None:
        most = max(len(points) for points in curves)
        padded = np.array([[*points, *[points[-1]] * (most - len(points))] for points in curves], np.float32)
        inputs, outputs = padded[..., 0].T, padded[..., 1].T
        self._first = outputs[0]
        self._starts = inputs[:-1]
        self._widths = np.diff(inputs, axis=0)
        self._slopes = np.diff(outputs, axis=0) / np.where(self._widths > 0, self._widths, 1)

    def __call__(self, weights: Poses) -> Poses:
        """float32 (..., channels) to the same."""
        beyond = np.minimum(np.maximum(weights[..., None, :] - self._starts, 0), self._widths)
        bent: Poses = self._first + (beyond * self._slopes).sum(axis=-2)
        return bent


def _within(weights: Poses) -> Poses:
    """Weights clamped to [0, 1]; np.clip takes several times as long for one frame."""
    within: Poses = np.minimum(np.maximum(weights, 0), 1)
    return within


def _weight_index(channel: str) -> int:
    at = channel_index("curve", channel)
    if at >= SHAPE_COUNT:
        raise CharacterError(
            f"curve of {channel}: an angle has no curve, only the {SHAPE_COUNT} weights have; use gain and limits"
        )
    return at


def _exponent(channel: str, value: object) -> float:
    if not isinstance(value, int | float):
        raise CharacterError(
            f"curve of {channel}: got {value!r}, expected an exponent such as 1.5 or points such as [[0.5, 0.3]]"
        )
    return number(f"curve of {channel}", value, *EXPONENTS)


def _points(channel: str, given: Sequence[object]) -> list[tuple[float, float]]:
    if not 1 <= len(given) <= MAX_POINTS:
        raise CharacterError(f"curve of {channel}: got {len(given)} points, expected 1 to {MAX_POINTS}")
    points = [_point(channel, point) for point in given]
    if points[0][0] > 0:
        points.insert(0, (0.0, 0.0))
    if points[-1][0] < 1:
        points.append((1.0, 1.0))
    for before, after in zip(points, points[1:], strict=False):
        if after[0] <= before[0] or after[1] < before[1]:
            raise CharacterError(
                f"curve of {channel}: got {list(after)} after {list(before)}, expected rising inputs, outputs that "
                "never fall"
            )
    return points


def _point(channel: str, point: object) -> tuple[float, float]:
    if not isinstance(point, list | tuple) or len(point) != 2:
        raise CharacterError(f"curve of {channel}: got {point!r}, expected points [in, out]")
    into, out = (number(f"curve of {channel}", value, 0, 1) for value in point)
    return into, out
