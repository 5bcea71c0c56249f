"""Poses in tiles, asked for from several threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from livelink_bridge.preview.clip import frame_tiles
from livelink_bridge.preview.clip.frame_tiles import SHRINK, PoseTiles


def test_levels_asked_for_by_two_threads_at_once_are_made_once_and_right(monkeypatch):
    poses = np.random.default_rng(1).random((SHRINK**2 * 3, 61), np.float32)
    wanted = [PoseTiles(poses).tile(level, 0) for level in (1, 2)]
    both_here = threading.Barrier(2)
    shrunk = frame_tiles._shrunk

    def slow(lowest, highest):
        try:
            both_here.wait(0.3)
        except threading.BrokenBarrierError:
            pass  # the other one waits for this one
        return shrunk(lowest, highest)

    monkeypatch.setattr(frame_tiles, "_shrunk", slow)
    tiles = PoseTiles(poses)
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(tiles.tile, 1, 0) for _ in range(2)]
    assert [one.result() for one in asked] == [wanted[0]] * 2
    assert tiles.tile(2, 0) == wanted[1]
