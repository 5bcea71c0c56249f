"""Reading a take, and the copy of it that Unreal's importer gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .copied.cells import Cells, TakeError, missing_shape, numbers
from .copied.clock import DAY, Labels

RATE = 60
"""What FF counts in the copy for Unreal's importer, and frames a second of the sequences."""


@dataclass(frozen=True)
class Take:
    """The rows of a take: their times as numbers, the rest as text."""

    header: tuple[str, ...]
    """Column names; the first two are Timecode and BlendShapeCount."""
    ticks: tuple[float, ...]
    """Sixtieths of a second since midnight of the first row's day, rising."""
    rows: tuple[tuple[str, ...], ...]
    """The cells of each row from the second on."""
    notes: tuple[str, ...]
    """What the reader corrected or assumed."""


def read_take(path: Path, rate: str | None = None) -> Take:
    """Read a take as `livelink-bridge` does.

    Parameters
    ----------
    path : the .csv, UTF-8
    rate : what FF counts, such as "24" or "29.97df"; None finds it out

    Raises
    ------
    TakeError
        With the line at which the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig") as lines:
            return _read(lines, rate)
    except UnicodeDecodeError:
        raise TakeError("is not text in UTF-8, expected a Live Link Face CSV") from None
    except OSError as error:
        raise TakeError(f"cannot be read: {error.strerror}") from None


def _read(lines: Iterable[str], rate: str | None) -> Take:
    """Of rows with one time, keep the last."""
    cells, labels, rows = Cells(lines), Labels(), []
    lacking = missing_shape(cells.header)
    for number, row in cells:
        labels.add(row[0], number)
        numbers(row, number)
        rows.append(tuple(row[1:]))
    if not rows:
        raise TakeError("has no rows, expected at least one after the header")
    counting, said = labels.counted(rate)
    ticks = (round(second * RATE, 6) for second in labels.seconds(counting))
    kept = dict(zip(ticks, rows))  # noqa: B905 - `strict` is newer than Unreal 5.3's Python
    notes = [note for note in (said, lacking) if note]
    if cells.odd:
        notes.append(f"it has {' and '.join(cells.odd)}")
    if max(kept) >= DAY * RATE:
        notes.append("runs over midnight: the rows after it are kept at the end")
    return Take(cells.header, tuple(kept), tuple(kept.values()), tuple(notes))


def placed_at(take: Take, first: float) -> Take:
    """Move the first row to the sixtieth `first`, and add neutral rows at the end until one FF is over 30."""
    ticks, rows = [tick - take.ticks[0] + first for tick in take.ticks], list(take.rows)
    neutral = (rows[-1][0], *("0.0000000000" for _ in take.header[2:]))
    while not any(round(tick % RATE, 3) > RATE / 2 for tick in ticks):
        ticks.append(ticks[-1] + 1)
        rows.append(neutral)
    return Take(take.header, tuple(ticks), tuple(rows), take.notes)


def csv_text(take: Take) -> str:
    """Write the take as text for the importer. Hours count past 23; the importer accepts that."""
    header = ",".join(("Timecode", "BlendShapeCount", *take.header[2:]))
    rows = (f"{timecode(tick)},{','.join(row)}" for tick, row in zip(take.ticks, take.rows))  # noqa: B905
    return "\n".join((header, *rows, ""))


def timecode(tick: float) -> str:
    """Format a number of sixtieths as HH:MM:SS:FF.mmm."""
    thousandths = round(tick * 1000)
    seconds, ff = divmod(thousandths, RATE * 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{ff / 1000:06.3f}"
