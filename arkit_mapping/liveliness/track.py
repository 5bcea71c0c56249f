"""Tracks: curves that are scheduled at events and read frame by frame, and the shapes of such curves."""

from __future__ import annotations

import math
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE

Curve = NDArray[np.float32]
"""float32 (frames, width)."""


class Track:
    """A value that follows a curve from a given frame on and then holds the curve's end, until another curve begins.

    Frames are counted from 0 and read once, in order. A curve cannot begin before a frame already read, so the chunking
    of the reads does not matter.
    """

    def __init__(self, width: int) -> None:
        self._parts: list[tuple[int, Curve]] = [(0, np.zeros((1, width), np.float32))]

    def follow(self, at: int, curve: Curve) -> None:
        """Follow a curve, float32 (frames, width) with at least one frame, from frame `at` on."""
        self._parts.append((at, curve))

    def value(self, at: int) -> Curve:
        """Scheduled value of frame `at`, float32 (width,); not earlier than the frame before the newest curve."""
        start, curve = self._parts[-1] if at >= self._parts[-1][0] or len(self._parts) == 1 else self._parts[-2]
        value: Curve = curve[min(max(at - start, 0), len(curve) - 1)]
        return value

    def read(self, first: int, poses: int) -> Curve:
        """The next `poses` frames from `first` on, float32 (frames, width); read-only."""
        start, curve = self._parts[0]
        if (
            poses == 1 and len(self._parts) == 1 and start <= first
        ):  # the usual case of a live session: no curve in progress
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
    """A cubic transition that ends at velocity 0.

    Parameters
    ----------
    start, end
        Values before the first frame, and of the last one.
    poses
        Number of frames.
    velocity
        Initial velocity per frame, so that an interrupted movement does not jerk.

    Returns
    -------
    float32 (frames, width)
    """
    remaining, carried = _cubic(poses)
    return end + remaining * (start - end) + carried * velocity


@lru_cache(maxsize=512)
def _cubic(poses: int) -> tuple[Curve, Curve]:
    """Remaining fraction of the distance, and contribution of the initial velocity: float32 (frames, 1) each."""
    part = np.arange(1, poses + 1)[:, None] / poses
    rest = (1 - part) ** 2
    return (rest * (1 + 2 * part)).astype(np.float32), (rest * part * poses).astype(np.float32)


def poses_of(seconds: float) -> int:
    """Number of frames in `seconds`, rounded, at least one."""
    return max(1, round(seconds * FRAME_RATE))


def lognormal(rng: Random, mean: float, deviation: float) -> float:
    """Draw a positive number with this mean and standard deviation, the distribution of human movement durations."""
    variance = math.log1p((deviation / mean) ** 2)
    return rng.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))
