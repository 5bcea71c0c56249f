"""A against B: in which channels two faces of the same sound differ, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.entries import Poses
from livelink_bridge.core.frames import FRAME_RATE
from livelink_bridge.errors import UsageError

_PIECE = 3600
LEAST = 0.005
"""Below this nobody sees a difference: half a hundredth of a weight's range, a third of a degree."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one channel."""

    channel: str
    rms: float
    """Over the whole recording."""
    largest: float
    """B less A, where they are farthest apart: weights, or radians."""
    time_s: float
    """When that is."""


@dataclass(frozen=True, slots=True)
class Comparison:
    differences: tuple[Difference, ...]
    """Channels that differ, the most different (rms) first."""
    compared_s: float
    """Seconds that both have."""
    left_out_s: float
    """Seconds that only the longer one has."""


def compare(a: Poses, b: Poses, most: int = 8) -> Comparison:
    """The channels in which two faces, float32 (n, 61) at 60 Hz, differ most, at most `most` of them, and when.

    Compared for as long as both last. What is no number counts as neutral. Raises UsageError for anything but poses.
    """
    for which, poses in (("A", a), ("B", b)):
        if poses.ndim != 2 or poses.shape[1] != len(CHANNELS_61):
            raise UsageError(f"got {which} of shape {poses.shape}, expected poses (n, {len(CHANNELS_61)})")
    both = min(len(a), len(b))
    squares, largest, at = np.zeros(len(CHANNELS_61)), np.zeros(len(CHANNELS_61)), np.zeros(len(CHANNELS_61), np.intp)
    for first in range(0, both, _PIECE):
        apart = _finite(b[first : min(first + _PIECE, both)]) - _finite(a[first : min(first + _PIECE, both)])
        squares += np.square(apart).sum(0)
        where = np.abs(apart).argmax(0)
        found = apart[where, np.arange(len(CHANNELS_61))]
        farther = np.abs(found) > np.abs(largest)
        largest, at = np.where(farther, found, largest), np.where(farther, first + where, at)
    rms = np.sqrt(squares / max(both, 1))
    order = [int(channel) for channel in np.argsort(-rms, kind="stable") if abs(largest[channel]) >= LEAST][:most]
    found_in = tuple(
        Difference(CHANNELS_61[c], float(rms[c]), float(largest[c]), float(at[c]) / FRAME_RATE) for c in order
    )
    return Comparison(found_in, both / FRAME_RATE, (max(len(a), len(b)) - both) / FRAME_RATE)


def _finite(poses: Poses) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.nan_to_num(poses.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
