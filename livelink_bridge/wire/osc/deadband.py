"""Dead band for OSC: omits messages whose values have hardly changed, so a still face costs its receiver almost
nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.wire.osc.encode import Bundle


class Deadband:
    """Sends only those messages of a bundle with a value that differs from the last one sent by more than `width`."""

    def __init__(self, bundle: Bundle, width: float) -> None:
        """
        Parameters
        ----------
        bundle : messages of one datagram
        width : largest change that is not sent, in the unit of the values (weights 0 to 1, angles as filled in)
        """
        self._bundle = bundle
        self._width = width
        self._last = np.full(len(bundle.values), np.nan, np.float32)

    def filled(self, values: NDArray[np.float32], tag: int, *, whole: bool) -> bytes | None:
        """The datagram of one frame; None when nothing changed. The first one contains every message.

        Parameters
        ----------
        values : float32 (n,), n greater than every position in the bundle
        tag : OSC time tag
        whole : send every message, changed or not
        """
        bundle = self._bundle
        now = values.take(bundle.values)
        changed = np.full(bundle.messages, whole)
        # A value that was never sent is NaN, which no comparison finds within the width.
        changed[bundle.owners[~(np.abs(now - self._last) <= self._width)]] = True
        if not changed.any():
            return None
        sent = changed[bundle.owners]
        self._last[sent] = now[sent]
        return bundle.filled(values, tag) if changed.all() else bundle.some(values, changed, tag)
