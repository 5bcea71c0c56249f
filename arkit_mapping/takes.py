"""Live Link Face takes: the CSV the phone app records and Unreal's Live Link Face Importer reads.

One header, then one row per frame: timecode, the count 61, 61 values with ten decimals; LF line ends, a final newline, no
spaces, no quotes. Columns are found by name on reading; their order on writing is the app's, which is not the wire's.

A timecode is HH:MM:SS:FF.mmm. FF.mmm counts sixtieths of a second, with thousandths of one, whatever the take's frame rate:
`19:55:16:26.689` is 26.689/60 s after 19:55:16. Newer importers take a file in which no FF passes 30 for a 30 fps one and
read its fractions double, so `TakeWriter` never leaves a take that short. The app puts no row where it lost the face, and
never an empty cell, at which an importer would stop.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, nearest
from arkit_mapping.remap import NEUTRAL
from arkit_mapping.take_rows import DAY_S, HEADER, MIN_ROWS, RATE_HZ, ROW, TakeError, checked_rows, moment_of, row_text
from arkit_mapping.whole_file import partial_path, put_in_place

__all__ = ["DAY_S", "MIN_ROWS", "RATE_HZ", "Take", "TakeError", "TakeWriter", "read_take", "write_take"]


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A recorded face."""

    values: NDArray[np.float32]
    """float32 (frames, 61) in wire order, as the file has them: nothing is clamped."""
    times_s: NDArray[np.float64]
    """float64 (frames,), rising: seconds from midnight of the day the take began, past 86400 when it runs into the next.
    Rows the app left out are gaps."""
    rate: int = RATE_HZ
    """Rows per second where there is no gap."""


def read_take(path: str | Path) -> Take:
    """The take in a file, with either spelling of BlendShapeCount and columns in any order. The nine angles may be missing (0).

    Of two rows with one timecode the later counts. Raises TakeError for anything that is not a take.
    """
    try:
        with open(path, encoding="utf-8-sig") as lines:
            return _read(lines)
    except TakeError as error:
        raise TakeError(f"take {path}: {error}") from None
    except UnicodeDecodeError:
        raise TakeError(f"take {path} is not text in UTF-8, expected a Live Link Face CSV") from None
    except OSError as error:
        raise TakeError(f"take {path} cannot be read: {error.strerror}") from None


def write_take(path: str | Path, values: NDArray[np.floating], *, start_s: float = 0.0) -> None:
    """Write float (frames, 61) in wire order as a take at 60 rows a second; see `TakeWriter`."""
    with TakeWriter(path, start_s=start_s) as take:
        take.append(values)


class TakeWriter:
    """A take written row by row, 60 a second, in memory that does not grow with it.

    Rows go to a temporary file beside `path`, which takes its name on `close`: a take is there whole or not at all. Leaving a
    `with` block by an exception is `discard`. `start_s`, seconds of the day, is the first row's timecode; at 0 an imported
    take begins where its sequence begins.
    """

    def __init__(self, path: str | Path, *, start_s: float = 0.0) -> None:
        self.path = Path(path)
        self.rows = 0
        self.begin_at(start_s)
        self._partial = partial_path(self.path)
        self._file: TextIO | None = None
        try:
            self._file = open(self._partial, "w", encoding="ascii", newline="\n")
            self._file.write(HEADER + "\n")
        except OSError as error:
            raise self._failed(error) from None

    def begin_at(self, start_s: float) -> None:
        """Give the first row's timecode, seconds of the day, for a take that has no row yet."""
        if not 0 <= start_s < DAY_S or self.rows:
            raise TakeError(
                f"take {self.path}: got start {start_s} s at row {self.rows}, expected seconds of the day from 0 up to {DAY_S}, at row 0"
            )
        self._start = moment_of(start_s)

    def append(self, values: NDArray[np.floating]) -> None:
        """Add float (61,) or (k, 61) in wire order. TakeError if a value is not finite, the shape is another, or the disk is full."""
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
        """Pad with neutral to 0.6 s, so that every importer sees 60 fps, and give the file its name. Harmless when closed."""
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
        """Give up: no file at `path`, or the one that was there before. Harmless when closed."""
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # the rows that could not be flushed are thrown away
        self._file = None
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _failed(self, error: OSError) -> TakeError:
        self.discard()
        return TakeError(f"take {self.path} cannot be written: {error.strerror}")


def _read(lines: TextIO) -> Take:
    sources, width = _columns(lines.readline().strip())
    line_numbers, seconds, ticks, values = array("q"), array("d"), array("d"), array("f")
    for number, cells in _rows(lines, width):
        second, tick = _timecode(cells[0], number)
        line_numbers.append(number)
        seconds.append(second)
        ticks.append(tick)
        values.extend(_numbers(cells, number))
    if not seconds:
        raise TakeError("has no rows, expected at least one after the header")
    table = np.frombuffer(values, np.float32).reshape(len(seconds), width - 2)
    poses = np.zeros((len(seconds), len(CHANNELS_61)), np.float32)
    poses[:, [at for at, _ in sources]] = table[:, [column - 2 for _, column in sources]]
    return _take(poses, _times(np.array(seconds), np.array(ticks)), line_numbers)


def _columns(header: str) -> tuple[list[tuple[int, int]], int]:
    """(wire index, column) for each channel in the header, and how many columns there are."""
    names = [name.strip().lower() for name in header.split(",")]
    if names[:2] != ["timecode", "blendshapecount"]:
        raise TakeError(f"line 1: got {header[:40]!r}, expected the header of a take: Timecode,BlendShapeCount,EyeBlinkLeft,...")
    missing = [name for name in CHANNELS_61[:SHAPE_COUNT] if name.lower() not in names]
    if missing:
        near = nearest(missing[0], tuple(name for name in header.split(",")[2:] if name.strip().lower() not in _KNOWN))
        raise TakeError(f"line 1: no column {missing[0]}{near} ({len(missing)} of {SHAPE_COUNT} blend shapes are missing)")
    return [(at, names.index(name.lower())) for at, name in enumerate(CHANNELS_61) if name.lower() in names], len(names)


def _rows(lines: TextIO, width: int) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank."""
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        cells = line.strip().split(",")
        if len(cells) != width:
            raise TakeError(f"line {number}: got {len(cells)} cells, expected {width} as in the header")
        yield number, cells


def _timecode(text: str, number: int) -> tuple[float, float]:
    """Seconds since midnight, whole, and FF.mmm."""
    try:
        hours, minutes, seconds, tick = text.split(":")
        parts = (int(hours), int(minutes), int(seconds), float(tick))
    except ValueError:
        parts = (-1, 0, 0, 0.0)
    if not all(0 <= part < bound for part, bound in zip(parts, (24, 60, 60, RATE_HZ), strict=True)):
        raise TakeError(f"line {number}: got timecode {text[:40]!r}, expected HH:MM:SS:FF.mmm with FF below {RATE_HZ}")
    return float(3600 * parts[0] + 60 * parts[1] + parts[2]), parts[3]


def _numbers(cells: list[str], number: int) -> list[float]:
    try:
        values = [float(cell) for cell in cells[2:]]
    except ValueError:
        bad = next(column for column, cell in enumerate(cells[2:], start=3) if not _is_number(cell))
        raise TakeError(f"line {number}, column {bad}: got {cells[bad - 1][:40]!r}, expected a number") from None
    if not all(-3e38 < value < 3e38 for value in values):  # NaN fails the comparison too
        raise TakeError(f"line {number}: a value is not finite")
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _times(seconds: NDArray[np.float64], ticks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds since midnight of the first day. A fall by more than half a day is midnight; any other fall is an error.

    Some writers count FF in the take's own 30 fps. That is told apart as newer importers do, by no FF reaching past 30, but
    only over a take long enough for one to have had to.
    """
    counts_30 = ticks.max() <= RATE_HZ / 2 and len(set(seconds.tolist())) > 2
    times = seconds + ticks / (RATE_HZ / 2 if counts_30 else RATE_HZ)
    times += DAY_S * np.cumsum(np.diff(times, prepend=times[0]) < -DAY_S / 2)
    return times


def _take(poses: NDArray[np.float32], times_s: NDArray[np.float64], line_numbers: array[int]) -> Take:
    steps = np.diff(times_s)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise TakeError(f"line {line_numbers[row]}: timecode goes back by {-steps[row - 1]:.3f} s, expected it to rise")
    kept = np.append(steps > 0, True)
    rising = times_s[kept]
    rate = round(1 / float(np.median(np.diff(rising)))) if len(rising) > 1 else RATE_HZ
    return Take(poses[kept], rising, max(rate, 1))


_KNOWN = {name.lower() for name in CHANNELS_61}
