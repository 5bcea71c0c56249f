"""Writes a take live: the file is a valid take after every flush, even if the program crashes or the disk fills up.

Each row has the timecode of its own frame, as in the app's files. Where frames are less than 40 per second, or one is
missing, rows are interpolated in between, so that an importer that guesses the frame rate (FF over 30) always finds 60.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.takes.rows import HEADER, MIN_ROWS, ROW, SECOND, TakeError, checked_rows, passes_30, row_text
from arkit_mapping.wire_order import NEUTRAL

_FURTHEST = 1.55
"""Largest distance of rows without interpolation, in sixtieths. At 24 and at 40 fps a live session's frames are 2.5 and
1.5 sixtieths apart, give or take a hundredth: with 1.5, some would get one row more than others, and the take would
look like one of another rate with missing rows."""
_FILLED = 1.0 * SECOND
"""A longer gap stays a gap, as in the app's files when it lost the face: the face's movement is unknown."""

Row = tuple[int, NDArray[np.float64]]
"""Time in thousandths of a sixtieth, and float64 (61,) in wire order."""


def filled(before: Row, after: Row) -> list[Row]:
    """The rows after `before` up to `after`: evenly spaced, 0.77 to 1.55 sixtieths apart, interpolated linearly."""
    gap = after[0] - before[0]
    if not _FURTHEST * ROW < gap <= _FILLED:
        return [after]
    steps = math.ceil(gap / ROW - (_FURTHEST - 1))
    parts = [step / steps for step in range(1, steps)]
    return [*((before[0] + round(part * gap), before[1] + part * (after[1] - before[1])) for part in parts), after]


class LiveTake:
    """A take being recorded. After every `flush` the file contains all rows, each complete."""

    def __init__(self, path: Path) -> None:
        """Raises TakeError when the file cannot be created or exists already."""
        self.path = path
        self.rows = 0
        """Rows in the file."""
        self._waiting: list[str] = []
        self._last: Row | None = None
        self._passed_30 = False
        self._size = 0
        try:
            self._file = open(path, "xb", buffering=0)
        except OSError as error:
            raise TakeError(f"take {path} cannot be written: {error.strerror}") from None
        self._waiting.append(f"{HEADER}\n")
        self.flush()

    def append(self, moment: int, weights: NDArray[np.floating]) -> None:
        """Add a frame, which is in the file after `flush`. One that is not later than the previous frame is skipped.

        Parameters
        ----------
        moment
            Thousandths of a sixtieth since midnight.
        weights
            float (61,), wire order.

        Raises
        ------
        TakeError
            A value is not finite.
        """
        pose = checked_rows(weights, f"take {self.path}")[0]
        if not np.isfinite(pose).all():
            raise TakeError(f"take {self.path}: a value after row {self.rows + len(self._waiting)} is not finite")
        if self._last is not None and moment <= self._last[0]:
            return
        for row in filled(self._last, (moment, pose)) if self._last else [(moment, pose)]:
            self._waiting.append(row_text(*row))
            self._passed_30 |= passes_30(row[0])
        self._last = (moment, pose)

    def flush(self) -> None:
        """Write the added rows. On a full disk the rows that fit stay complete; the file is closed and TakeError
        raised."""
        text, self._waiting = "".join(self._waiting).encode("ascii"), []
        try:
            self._write(text)
        except OSError as error:
            self._file.close()
            raise TakeError(f"take {self.path} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Pad with neutral frames until every importer finds 60 fps, and close the file. Harmless twice."""
        if self._file.closed:
            return
        try:
            self.flush()
            while self._last and (self.rows + len(self._waiting) < MIN_ROWS or not self._passed_30):
                self.append(self._last[0] + ROW, NEUTRAL)
            self.flush()
        finally:
            self._file.close()

    def _write(self, text: bytes) -> None:
        """Write whole lines, as many as fit."""
        written = 0
        try:
            while written < len(text):
                written += self._file.write(text[written:])
        except OSError:
            written = text.rfind(b"\n", 0, written) + 1
            os.truncate(self._file.fileno(), self._size + written)
            raise
        finally:
            self.rows += text.count(b"\n", 0, written) - (self._size == 0)
            self._size += written
