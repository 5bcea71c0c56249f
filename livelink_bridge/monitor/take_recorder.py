"""Records the frames that a monitor receives: one take per subject, timed by the packets' own timecode as long as it
agrees with their arrival."""

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
from livelink_bridge.monitor.subjects import ReceivedFrame
from livelink_bridge.sinks.base import Sink
from livelink_bridge.timing.stamp import Stamp

ASTRAY_S = 0.5
"""If the timecode differs by more from the arrival time, or goes back, it is ignored from then on: that of many senders
is broken (docs/protocol.md, section 1.7)."""
MAX_TAKES = 16
"""Largest number of open files; further subjects are not recorded."""


class _Take(Protocol):
    def send(self, weights: NDArray[np.float32], stamp: Stamp) -> None: ...

    def close(self) -> None: ...


class TakesRecorder:
    """`--record`: writes one take per subject into a folder, or the take of the first subject to a .csv file."""

    def __init__(self, to: Path, of_day: Callable[[float], float]) -> None:
        """
        Parameters
        ----------
        to : folder or .csv file
        of_day : converts an arrival time to seconds since local midnight

        Raises
        ------
        UsageError : the .csv exists already
        SinkError : nothing can be written
        """
        if to.suffix.lower() == ".csv" and to.exists():
            raise UsageError(f"take {to} exists already; choose another name, or a folder")
        self._to = to
        self._of_day = of_day
        self._takes: dict[tuple[str, str | None], tuple[_Take, Timeline]] = {}
        self.left_out = 0
        """Frames not recorded: not finite, or of one subject too many."""

    def add(self, frame: ReceivedFrame) -> None:
        """Record one frame. Raises SinkError when the disk is full."""
        if not np.isfinite(frame.values).all():
            self.left_out += 1
            return
        key = frame.subject.lower(), frame.sender if frame.timecode_s is None else None
        if key not in self._takes:
            if len(self._takes) == (1 if self._single else MAX_TAKES):
                self.left_out += 1
                return
            self._takes[key] = self._open(frame.subject), Timeline(self._of_day)
        take, timeline = self._takes[key]
        take.send(frame.values, timeline.stamp(frame))

    def close(self) -> None:
        """Finish the takes, which gives them their names."""
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
    """Monotonic time stamps, 60 frames per second, for the frames of one subject."""

    def __init__(self, of_day: Callable[[float], float]) -> None:
        self._of_day = of_day
        self._begin: tuple[float, float] | None = None
        """Arrival time of the first frame, and its timecode in seconds."""
        self._trusted = True
        self._last_s = -math.inf

    def stamp(self, frame: ReceivedFrame) -> Stamp:
        """Time stamp of the next frame: its timecode while that is trusted, else its arrival time."""
        if self._begin is None:
            self._trusted = frame.timecode_s is not None
            first_s = self._of_day(frame.at_s) if frame.timecode_s is None else frame.timecode_s
            self._begin = frame.at_s, first_s
        arrived_s = self._begin[1] + frame.at_s - self._begin[0]
        if self._trusted:
            sent_s = frame.timecode_s
            self._trusted = sent_s is not None and self._last_s <= sent_s and abs(sent_s - arrived_s) <= ASTRAY_S
        self._last_s = max(
            self._last_s, frame.timecode_s if self._trusted and frame.timecode_s is not None else arrived_s
        )
        number = math.floor(self._last_s * FRAME_RATE)
        return Stamp(number, self._last_s * FRAME_RATE - number, Fraction(FRAME_RATE), self._last_s % DAY_S)


class SingleTake:
    """One .csv with 60 rows per second: a missing frame repeats the previous one, of two within 1/60 s the first is
    used. Raises SinkError when nothing can be written."""

    def __init__(self, path: Path) -> None:
        self._first: float | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = TakeWriter(path)
        except (OSError, TakeError) as error:
            raise SinkError(str(error)) from error

    def send(self, weights: NDArray[np.float32], stamp: Stamp) -> None:
        """Write one frame, float32 (61,) in wire order. Raises SinkError when the disk is full."""
        at = (stamp.frame + stamp.subframe) / stamp.rate * FRAME_RATE
        if self._first is None:
            self._first = float(at)
            self._writer.begin_at(stamp.of_day_s)
        rows = round(float(at) - self._first) + 1 - self._writer.rows
        if rows > 10 * FRAME_RATE:  # the sender paused: minutes of equal rows would be useless
            self._first = float(at) - self._writer.rows
            rows = 1
        try:
            self._writer.append(np.broadcast_to(weights, (max(0, rows), len(weights))))
        except TakeError as error:
            raise SinkError(str(error)) from error

    def close(self) -> None:
        """Finish the file. Raises SinkError when it cannot be written."""
        try:
            self._writer.close()
        except TakeError as error:
            raise SinkError(str(error)) from error
