"""What is wrong with what comes in: counted always, said seldom, remembered within bounds."""

from __future__ import annotations

import logging
import math

from livelink_bridge.core.clock import Clock

MOST_KINDS = 64
"""Peers and addresses are made up by others: more than so many are counted together."""

_log = logging.getLogger(__name__)


class RateLimitedLog:
    """One line for each kind of trouble, the first time, or again after a while where that is asked for."""

    def __init__(self, clock: Clock) -> None:
        self.count = 0
        self._clock = clock
        self._said_s: dict[str, float] = {}
        self._full = False

    def add(self, kind: str, line: str, *, again_s: float = math.inf) -> None:
        """Count one; log `line` unless the same `kind` was logged less than `again_s` seconds ago."""
        self.count += 1
        now_s = self._clock.now()
        said_s = self._said_s.get(kind)
        if said_s is None and len(self._said_s) >= MOST_KINDS:
            if not self._full:
                _log.warning("remote control: %s; more that is new is only counted", line)
            self._full = True
        elif said_s is None or now_s - said_s >= again_s:
            self._said_s[kind] = now_s
            _log.warning("remote control: %s", line)
