"""Reads and writes Live Link Face takes: the CSV that the phone app records and Unreal's Live Link Face Importer reads.

One header, then one row per frame: timecode, the count 61, 61 values with ten decimals; LF line ends, a final newline,
no spaces, no quotes. Reading finds columns by name; writing uses the app's column order, which differs from wire order.

A timecode is HH:MM:SS:FF.mmm. FF.mmm counts sixtieths of a second, with thousandths, whatever the take's frame rate:
`19:55:16:26.689` is 26.689/60 s after 19:55:16. Other tools count differently, which `arkit_mapping.takes.clock`
detects. Newer importers treat a file in which no FF exceeds 30 as a 30 fps one and double its fractions, so
`TakeWriter` never leaves a take that short. The app writes no row while it has lost the face, and never an empty cell,
at which an importer would stop.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.takes.cells import Cells, missing_shape, numbers
from arkit_mapping.takes.clock import Labels
from arkit_mapping.takes.rows import DAY_S, HEADER, MIN_ROWS, ROW, TakeError, checked_rows, moment_of, row_text
from arkit_mapping.whole_file import partial_path, put_in_place
from arkit_mapping.wire_order import NEUTRAL

__all__ = ["DAY_S", "MIN_ROWS", "Take", "TakeError", "TakeWriter", "read_take", "write_take"]


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A recorded face."""

    values: NDArray[np.float32]
    """float32 (frames, 61) in wire order, as in the file, not clamped: weights, then angles in radians."""
    times_s: NDArray[np.float64]
    """float64 (frames,), ascending: seconds from midnight of the day the take began, beyond 86400 after midnight. Rows
    that the app did not write are gaps."""
    rate: int = FRAME_RATE
    """Rows per second outside gaps."""
    notes: tuple[str, ...] = ()
    """Differences from the app's files, and how they were read, a few words each."""
    counts: str = "60"
    """What FF of the file's timecode counts; see `arkit_mapping.takes.clock`."""

    @property
    def said(self) -> str:
        """The notes on one line; empty for a file like the app's."""
        return "; ".join(self.notes)


def read_take(path: str | Path, rate: str | None = None) -> Take:
    """Read a take. Columns may be in any order, in the dialects of `arkit_mapping.takes.cells`, with timecode at any
    rate (`arkit_mapping.takes.clock`). The nine angles and TongueOut may be missing (0). Of two rows with one timecode
    the later one counts.

    Parameters
    ----------
    path
        The .csv.
    rate
        What FF counts, a name such as "24" or "29.97df"; None detects it.

    Raises
    ------
    TakeError
        The file is not a take, or the rate of its timecode is ambiguous.
    """
    try:
        with open(path, encoding="utf-8-sig", newline=None) as lines:
            return _read(lines, rate)
    except TakeError as error:
        raise TakeError(f"take {path}: {error}") from None
    except UnicodeDecodeError:
        raise TakeError(f"take {path} is not text in UTF-8, expected a Live Link Face CSV") from None
    except OSError as error:
        raise TakeError(f"take {path} cannot be read: {error.strerror}") from None


def write_take(path: str | Path, values: NDArray[np.floating], *, start_s: float = 0.0) -> None:
    """Write a take with 60 rows per second; see `TakeWriter`.

    Parameters
    ----------
    path
        The .csv.
    values
        float (frames, 61), wire order, finite.
    start_s
        Timecode of the first row, seconds of the day.

    Raises
    ------
    TakeError
        A value is not finite, or the file cannot be written.
    """
    with TakeWriter(path, start_s=start_s) as take:
        take.append(values)


class TakeWriter:
    """Writes a take row by row, 60 per second, in constant memory.

    Rows go to a temporary file beside `path`, which is renamed on `close`, so a take is never incomplete. Leaving a
    `with` block by an exception calls `discard`.
    """

    def __init__(self, path: str | Path, *, start_s: float = 0.0) -> None:
        """
        Parameters
        ----------
        path
            The .csv.
        start_s
            Timecode of the first row, seconds of the day; at 0 an imported take begins at the start of its sequence.

        Raises
        ------
        TakeError
            The file cannot be created.
        """
        self.path = Path(path)
        self.rows = 0
        """Rows written."""
        self.begin_at(start_s)
        self._partial = partial_path(self.path)
        self._file: TextIO | None = None
        try:
            self._file = open(self._partial, "w", encoding="ascii", newline="\n")
            self._file.write(HEADER + "\n")
        except OSError as error:
            raise self._failed(error) from None

    def begin_at(self, start_s: float) -> None:
        """Set the first row's timecode, seconds of the day. Raises TakeError when the take already has rows."""
        if not 0 <= start_s < DAY_S or self.rows:
            raise TakeError(
                f"take {self.path}: got start {start_s} s at row {self.rows}, expected seconds of the day from 0 up "
                f"to {DAY_S}, at row 0"
            )
        self._start = moment_of(start_s)

    def append(self, values: NDArray[np.floating]) -> None:
        """Append rows, float (61,) or (k, 61) in wire order. Raises TakeError for a value that is not finite, another
        shape, or a full disk."""
        if self._file is None:
            raise TakeError(f"take {self.path} is closed")
        rows = checked_rows(values, f"take {self.path}")
        if not np.isfinite(rows).all():
            raise TakeError(f"take {self.path}: a value after row {self.rows} is not finite")
        try:
            for row in rows:
                self._file.write(row_text(self._start + ROW * self.rows, row))
                self.rows += 1
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Pad with neutral frames to 0.6 s, so that every importer sees 60 fps, and rename the file. Harmless when
        closed."""
        if self._file is None:
            return
        for _ in range(self.rows, MIN_ROWS):
            self.append(NEUTRAL)
        try:
            self._file.close()
            put_in_place(self._partial, self.path)
        except OSError as error:
            raise self._failed(error) from None
        self._file = None

    def discard(self) -> None:
        """Delete the temporary file; an earlier file at `path` stays. Harmless when closed."""
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # the rows that could not be flushed are dropped anyway
        self._file = None
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _failed(self, error: OSError) -> TakeError:
        self.discard()
        return TakeError(f"take {self.path} cannot be written: {error.strerror}")


def _read(lines: TextIO, rate: str | None) -> Take:
    cells = Cells(lines)
    missing, sources = missing_shape(cells.header), _columns(cells.header)
    labels, values = Labels(), array("f")
    for number, row in cells:
        labels.add(row[0], number)
        values.extend(numbers(row, number))
    if not len(labels):
        raise TakeError("has no rows, expected at least one after the header")
    table = np.frombuffer(values, np.float32).reshape(len(labels), len(cells.header) - 2)
    poses = np.zeros((len(labels), len(CHANNELS_61)), np.float32)
    poses[:, [at for at, _ in sources]] = table[:, [column - 2 for _, column in sources]]
    counting, note = labels.counted(rate)
    odd = f"it has {' and '.join(cells.odd)}" if cells.odd else ""
    times_s = np.frombuffer(labels.seconds(counting), np.float64)
    return _take(poses, times_s, tuple(filter(None, (note, missing, odd))), counting.name)


def _columns(header: tuple[str, ...]) -> list[tuple[int, int]]:
    """(wire index, column) for each channel in the header."""
    names = [name.lower() for name in header]
    return [(at, names.index(name.lower())) for at, name in enumerate(CHANNELS_61) if name.lower() in names]


def _take(poses: NDArray[np.float32], times_s: NDArray[np.float64], notes: tuple[str, ...], counts: str) -> Take:
    """Build the take; of rows with the same time only the last one is used."""
    last = np.append(np.diff(times_s) > 0, True)
    ascending = times_s[last]
    rate = round(1 / float(np.median(np.diff(ascending)))) if len(ascending) > 1 else FRAME_RATE
    return Take(poses[last], ascending, max(rate, 1), notes, counts)
