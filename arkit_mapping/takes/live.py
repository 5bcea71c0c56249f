"""A take written while it happens: the file is a whole take at every moment, whatever becomes of the program or the
disk.

Each row stands at its own pose's timecode, as in the app's files. Where poses come less than 40 times a second, or one
was left out, the way from one to the next is filled in, so that an importer that guesses the frame rate (FF over 30)
always guesses 60.
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
"""Sixtieths that rows may be apart with nothing between them. At 24 and at 40 fps a live session's poses are 2.5 and
1.5 apart, but for a
hundredth: were it 1.5, some would get a row more than others, and the take would read as one of another rate with rows
missing."""
_FILLED = 1.0 * SECOND
"""A longer gap stays one, as the app leaves it where it lost the face: nobody knows what the face did."""

Row = tuple[int, NDArray[np.float64]]
"""A moment in thousandths of a sixtieth, and float64 (61,) in wire order."""


def filled(before: Row, after: Row) -> list[Row]:
    """The rows after `before` up to `after`: evenly spaced, 0.77 to 1.55 sixtieths apart, on straight lines from one to
    the other."""
    gap = after[0] - before[0]
    if not _FURTHEST * ROW < gap <= _FILLED:
        return [after]
    steps = math.ceil(gap / ROW - (_FURTHEST - 1))
    parts = [step / steps for step in range(1, steps)]
    return [*((before[0] + round(part * gap), before[1] + part * (after[1] - before[1])) for part in parts), after]


class LiveTake:
    """A take that is being recorded. Rows are in the file, each of them whole, after every `flush`."""

    def __init__(self, path: Path) -> None:
        """Raises TakeError where the file cannot be made or is there already."""
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
        """Add a pose, float (61,) in wire order, at a moment in thousandths of a sixtieth; it is in the file after
        `flush`.

        One that is not later than the pose before is left out. Raises TakeError for a value that is not finite.
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
        """Put what was added into the file. On a full disk the rows that fit stay there, whole; it is closed and
        TakeError raised."""
        text, self._waiting = "".join(self._waiting).encode("ascii"), []
        try:
            self._write(text)
        except OSError as error:
            self._file.close()
            raise TakeError(f"take {self.path} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Pad with neutral until every importer sees 60 fps, and close the file. Harmless twice."""
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
        """Whole lines, or as many of them as fit."""
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
