"""Leaves out messages whose values hardly moved: a face at rest then costs its receiver next to nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.wire.osc.encode import Bundle


class Deadband:
    """A bundle of which only those messages are sent that hold a value further than `width` from the one sent last."""

    def __init__(self, bundle: Bundle, width: float) -> None:
        self._bundle = bundle
        self._width = width
        self._last = np.full(len(bundle.values), np.nan, np.float32)

    def filled(self, pose: NDArray[np.float32], tag: int, *, whole: bool) -> bytes | None:
        """The datagram for a pose, with every message if `whole`; None where nothing moved. The first one is whole."""
        bundle = self._bundle
        now = pose.take(bundle.values)
        moved = np.full(bundle.messages, whole)
        moved[bundle.owners[~(np.abs(now - self._last) <= self._width)]] = (
            True  # NaN, never sent yet, is no number's neighbour
        )
        if not moved.any():
            return None
        sent = moved[bundle.owners]
        self._last[sent] = now[sent]
        return bundle.filled(pose, tag) if moved.all() else bundle.some(pose, moved, tag)
