"""Frames of one side, A or B, in tiles for the browser, and their minimum and maximum at coarser levels for long
recordings."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.entries import Poses

TILE_FRAMES = 4096
"""Frames of a tile of level 0: 1 MB."""
TILE_POINTS = 1024
"""Points of a tile of a higher level."""
SHRINK = 16
"""Points of one level that become one of the next."""
LEVELS = 6
"""More than anybody can zoom out: one point of the last is 5 hours."""


class PoseTiles:
    """float32 (n, 61) at 60 Hz in wire order, never written again, in tiles. Coarse levels are made when first asked
    for."""

    def __init__(self, poses: Poses) -> None:
        self.poses = poses
        self._levels: list[NDArray[np.float32]] = []
        self._making = threading.Lock()

    def tile(self, level: int, index: int) -> bytes:
        """Little-endian float32: level 0 (frames, 61), above (points, 61, 2) lowest and highest. Empty beyond the
        end."""
        if not 0 <= level < LEVELS or index < 0:
            return b""
        rows, size = (self.poses, TILE_FRAMES) if level == 0 else (self._level(level), TILE_POINTS)
        return np.ascontiguousarray(rows[index * size : (index + 1) * size], "<f4").tobytes()

    def _level(self, level: int) -> NDArray[np.float32]:
        with self._making:  # the browser asks for several tiles at once, each in a thread of its own
            while len(self._levels) < level:
                lowest, highest = np.moveaxis(self._levels[-1], -1, 0) if self._levels else (self.poses, self.poses)
                self._levels.append(_shrunk(lowest, highest))
            return self._levels[level - 1]


def _shrunk(lowest: NDArray[np.float32], highest: NDArray[np.float32]) -> NDArray[np.float32]:
    """(points, 61) each -> (points / 16, 61, 2)."""
    if not len(lowest):
        return np.zeros((0, len(CHANNELS_61), 2), np.float32)
    edges = np.arange(0, len(lowest), SHRINK)
    return np.stack([np.minimum.reduceat(lowest, edges), np.maximum.reduceat(highest, edges)], -1)
