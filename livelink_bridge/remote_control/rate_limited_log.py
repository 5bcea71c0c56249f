"""Rate-limited log of problems with received messages: all are counted, few are logged, memory is bounded."""

from __future__ import annotations

import logging
import math

from livelink_bridge.core.clock import Clock

MAX_KINDS = 64
"""Kinds of problems remembered. Peers choose addresses freely: further kinds are only counted."""

_log = logging.getLogger(__name__)


class RateLimitedLog:
    """Logs each kind of problem once, or once per interval."""

    def __init__(self, clock: Clock) -> None:
        self.count = 0
        self._clock = clock
        self._logged_s: dict[str, float] = {}
        self._full = False

    def add(self, kind: str, line: str, *, interval_s: float = math.inf) -> None:
        """Count a problem; log `line` unless the same `kind` was logged less than `interval_s` ago.

        Parameters
        ----------
        kind : what counts as the same problem, for instance an address or a peer
        line : the log line, without prefix
        interval_s : shortest time between two lines of one kind, in seconds; infinite logs each kind once
        """
        self.count += 1
        now_s = self._clock.now()
        last_s = self._logged_s.get(kind)
        if last_s is None and len(self._logged_s) >= MAX_KINDS:
            if not self._full:
                _log.warning("remote control: %s; further kinds of problems are only counted", line)
            self._full = True
        elif last_s is None or now_s - last_s >= interval_s:
            self._logged_s[kind] = now_s
            _log.warning("remote control: %s", line)
