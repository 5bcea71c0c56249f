"""Records what is sent as a Live Link Face take."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from arkit_mapping.takes import TakeError, TakeWriter
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.frames import FRAME_RATE, Weights
from livelink_bridge.sinks.base import Closure, Stamp

_LONGEST_GAP_ROWS = 10 * FRAME_RATE
"""A pause longer than ten seconds is a machine that slept, not poses that were left out: hours of equal rows would help nobody."""


class TakeSink:
    """`take:FOLDER`: a new SUBJECT_NUMBER.csv in it, 60 rows a second from the first pose's timecode. Nothing is ever overwritten."""

    closure: Closure = "arkit"
    errors = 0

    def __init__(self, uri: str, *, subject: str) -> None:
        folder = uri.removeprefix("take:")
        if not folder:
            raise UsageError(f"{uri!r} names no folder; expected take:FOLDER")
        self.name = uri
        self.sent = 0
        self.path = _reserve(Path(folder), subject)
        self._first: float | None = None
        try:
            self._writer = TakeWriter(self.path)
        except TakeError as error:
            raise self._lost(error) from error

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Rows up to this pose's time: a pose that was left out, or a rate below 60, repeats the pose rather than lose time.

        After a pause of more than ten seconds the take goes on with the next row.
        """
        at = (stamp.frame + stamp.subframe) / stamp.rate * FRAME_RATE
        if self._first is None:
            self._first = at
            self._writer.begin_at(stamp.of_day_s)
        rows = round(at - self._first) + 1 - self._writer.rows
        if rows > _LONGEST_GAP_ROWS:
            self._first = at - self._writer.rows
            rows = 1
        try:
            self._writer.append(np.broadcast_to(weights, (max(0, rows), len(weights))))
        except TakeError as error:
            raise self._lost(error) from error
        self.sent += 1

    def close(self) -> None:
        """Give the take its name; one to which nothing was sent leaves no file."""
        if not self.sent:
            self._writer.discard()
            self.path.unlink(missing_ok=True)
            return
        try:
            self._writer.close()
        except TakeError as error:
            raise self._lost(error) from error

    def _lost(self, error: TakeError) -> SinkError:
        """Nothing stays of a take that could not be written, not even the empty file that kept its name free."""
        self.path.unlink(missing_ok=True)
        return SinkError(str(error))


def _reserve(folder: Path, subject: str) -> Path:
    """The next free take's path. The empty file put there keeps another process from choosing the same."""
    stem = re.sub(r"[^\w-]+", "-", subject).strip("-") or "face"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1 + max((_number(path, stem) for path in folder.glob(f"{stem}_*.csv")), default=0)
        while True:
            path = folder / f"{stem}_{number}.csv"
            try:
                path.touch(exist_ok=False)
                return path
            except FileExistsError:
                number += 1
    except OSError as error:
        raise SinkError(f"take:{folder}: takes cannot be written there: {error.strerror}") from error


def _number(path: Path, stem: str) -> int:
    digits = path.stem.removeprefix(f"{stem}_")
    return int(digits) if digits.isdecimal() else 0
