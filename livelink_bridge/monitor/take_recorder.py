"""Takes of what a monitor hears: one per subject, timed by the packets' own timecode as long as it keeps with their
arrival."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.takes.csv import DAY_S, TakeError, TakeWriter
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.monitor.subjects import HeardPose
from livelink_bridge.sinks.base import Sink
from livelink_bridge.timing.stamp import Stamp

ASTRAY_S = 0.5
"""A packet's time that is off by more from when it came, or goes back, is not believed from there on: many senders' are
broken (protocol.md 1.7)."""
MOST_TAKES = 16
"""Files open at once; further subjects are not recorded."""


class _Take(Protocol):
    def send(self, weights: NDArray[np.float32], stamp: Stamp) -> None: ...

    def close(self) -> None: ...


class HeardTakes:
    """`--record`: a folder gets a take per subject, a name that ends in .csv the take of the first subject.

    Raises UsageError for a .csv that is there already, SinkError where nothing can be written.
    """

    def __init__(self, to: Path, of_day: Callable[[float], float]) -> None:
        """`of_day` turns an arrival time into seconds since local midnight."""
        if to.suffix.lower() == ".csv" and to.exists():
            raise UsageError(f"take {to} is there already; choose another name, or a folder")
        self._to = to
        self._of_day = of_day
        self._takes: dict[tuple[str, str | None], tuple[_Take, Timeline]] = {}
        self.left_out = 0
        """Poses that are in no take: not finite, or of a subject too many."""

    def add(self, pose: HeardPose) -> None:
        """Write one pose. Raises SinkError when the disk is full."""
        if not np.isfinite(pose.values).all():
            self.left_out += 1
            return
        key = pose.subject.lower(), pose.sender if pose.timecode_s is None else None
        if key not in self._takes:
            if len(self._takes) == (1 if self._single else MOST_TAKES):
                self.left_out += 1
                return
            self._takes[key] = self._open(pose.subject), Timeline(self._of_day)
        take, timeline = self._takes[key]
        take.send(pose.values, timeline.stamp(pose))

    def close(self) -> None:
        """Give the takes their names."""
        for take, _ in self._takes.values():
            take.close()

    @property
    def _single(self) -> bool:
        return self._to.suffix.lower() == ".csv"

    def _open(self, subject: str) -> _Take:
        if self._single:
            return SingleTake(self._to)
        from livelink_bridge.sinks import open_sink

        sink: Sink = open_sink(f"take:{self._to}", subject=subject, device_id="")
        return sink


class Timeline:
    """When each pose of one subject was, as a stamp at 60 frames a second that rises."""

    def __init__(self, of_day: Callable[[float], float]) -> None:
        self._of_day = of_day
        self._begin: tuple[float, float] | None = None
        """Arrival of the first pose, and the seconds that it shows."""
        self._believed = True
        self._last_s = -math.inf

    def stamp(self, pose: HeardPose) -> Stamp:
        if self._begin is None:
            self._believed = pose.timecode_s is not None
            shown_s = self._of_day(pose.at_s) if pose.timecode_s is None else pose.timecode_s
            self._begin = pose.at_s, shown_s
        arrived_s = self._begin[1] + pose.at_s - self._begin[0]
        if self._believed:
            told_s = pose.timecode_s
            self._believed = told_s is not None and self._last_s <= told_s and abs(told_s - arrived_s) <= ASTRAY_S
        self._last_s = max(
            self._last_s, pose.timecode_s if self._believed and pose.timecode_s is not None else arrived_s
        )
        frame = math.floor(self._last_s * FRAME_RATE)
        return Stamp(frame, self._last_s * FRAME_RATE - frame, Fraction(FRAME_RATE), self._last_s % DAY_S)


class SingleTake:
    """One .csv, 60 rows a second: a pose left out repeats the one before, of two within a sixtieth the first stays."""

    def __init__(self, path: Path) -> None:
        self._first: float | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = TakeWriter(path)
        except (OSError, TakeError) as error:
            raise SinkError(str(error)) from error

    def send(self, weights: NDArray[np.float32], stamp: Stamp) -> None:
        at = (stamp.frame + stamp.subframe) / stamp.rate * FRAME_RATE
        if self._first is None:
            self._first = float(at)
            self._writer.begin_at(stamp.of_day_s)
        rows = round(float(at) - self._first) + 1 - self._writer.rows
        if rows > 10 * FRAME_RATE:  # a sender that paused: equal rows for minutes would help nobody
            self._first = float(at) - self._writer.rows
            rows = 1
        try:
            self._writer.append(np.broadcast_to(weights, (max(0, rows), len(weights))))
        except TakeError as error:
            raise SinkError(str(error)) from error

    def close(self) -> None:
        try:
            self._writer.close()
        except TakeError as error:
            raise SinkError(str(error)) from error
