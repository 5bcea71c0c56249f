"""A curve written ahead at events and read pose by pose; and the shapes such curves are made of."""

from __future__ import annotations

import math
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE

Curve = NDArray[np.float32]
"""float32 (poses, width)."""


class Track:
    """From pose `at` on the value follows a curve and then rests on the curve's end, until another curve takes over.

    Poses are counted from 0 and read once, in order. A curve cannot begin before what was read, so how the reading is
    portioned changes nothing.
    """

    def __init__(self, width: int) -> None:
        self._parts: list[tuple[int, Curve]] = [(0, np.zeros((1, width), np.float32))]

    def follow(self, at: int, curve: Curve) -> None:
        """Take over at pose `at` with float32 (poses, width), at least one pose."""
        self._parts.append((at, curve))

    def value(self, at: int) -> Curve:
        """What is planned for pose `at`, not before the newest curve but for the pose right before it: float32
        (width,)."""
        start, curve = self._parts[-1] if at >= self._parts[-1][0] or len(self._parts) == 1 else self._parts[-2]
        value: Curve = curve[min(max(at - start, 0), len(curve) - 1)]
        return value

    def read(self, first: int, poses: int) -> Curve:
        """float32 (poses, width) from pose `first` on; not to be written to."""
        start, curve = self._parts[0]
        if poses == 1 and len(self._parts) == 1 and start <= first:  # live, and mostly at rest
            at = min(first - start, len(curve) - 1)
            return curve[at : at + 1]
        return self._assemble(first, poses)

    def _assemble(self, first: int, poses: int) -> Curve:
        out = np.empty((poses, self._parts[0][1].shape[1]), np.float32)
        ends = [start for start, _ in self._parts[1:]]
        for (start, curve), end in zip(self._parts, [*ends, first + poses], strict=True):
            begin = max(start, first)
            moving = curve[begin - start : max(end - start, 0)]
            out[begin - first : begin - first + len(moving)] = moving
            out[begin - first + len(moving) : max(end - first, 0)] = curve[-1]
        del self._parts[:-1]
        return out


def glide(start: float | Curve, end: float | Curve, poses: int, velocity: float | Curve = 0.0) -> Curve:
    """The `poses` values after `start`, the last of them `end`: float32 (poses, width). It stops smoothly.

    It sets off with `velocity` per pose: a cubic with both values and both slopes given, so a movement cut short does
    not jerk.
    """
    kept, pushed = _cubic(poses)
    return end + kept * (start - end) + pushed * velocity


@lru_cache(maxsize=512)
def _cubic(poses: int) -> tuple[Curve, Curve]:
    """What is left of the way, and how far one pose's velocity carries: float32 (poses, 1) each."""
    part = np.arange(1, poses + 1)[:, None] / poses
    rest = (1 - part) ** 2
    return (rest * (1 + 2 * part)).astype(np.float32), (rest * part * poses).astype(np.float32)


def poses_of(seconds: float) -> int:
    """Whole poses in so many seconds, at least one."""
    return max(1, round(seconds * FRAME_RATE))


def lognormal(rng: Random, mean: float, deviation: float) -> float:
    """A positive number drawn with this mean and standard deviation; how durations of human movements spread."""
    variance = math.log1p((deviation / mean) ** 2)
    return rng.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))
