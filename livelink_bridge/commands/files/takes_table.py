"""The table of `takes list`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from arkit_mapping.takes.csv import TakeError, read_take
from arkit_mapping.takes.edit import duration_s, gaps
from livelink_bridge.takes.discovery import TakeFiles


@dataclass(frozen=True, slots=True)
class TakeRow:
    """One row of the table."""

    files: TakeFiles
    shown: str
    """Its path below the listed folder."""
    length: str = ""
    rate: str = ""
    missing: str = ""
    said: str = ""
    """What the reader noticed, one line."""
    trouble: str | None = None
    """Why it cannot be read, one line."""


def row_of(files: TakeFiles, folder: Path, rate: str | None = None) -> TakeRow:
    """Read one take with a timecode at `rate`. A take that cannot be read has its reason in `trouble`."""
    shown = files.csv.name if files.csv == folder else str(files.csv.relative_to(folder))
    try:
        take = read_take(files.csv, rate)
    except TakeError as error:
        return TakeRow(
            files, shown, trouble=str(error).removeprefix(f"take {files.csv}: ").removeprefix(f"take {files.csv} ")
        )
    found = gaps(take)
    lost_s = sum(gap_s - 1 / take.rate for _, gap_s in found)
    missing = f"{len(found)}, {lost_s:.1f} s" if found else "none"
    return TakeRow(files, shown, clock_text(duration_s(take)), str(take.rate), missing, take.said)


def clock_text(seconds: float) -> str:
    """`3:07.5`: minutes and seconds, after hours if there are any."""
    minutes, rest = divmod(round(seconds * 10) / 10, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def table_of(rows: Sequence[TakeRow]) -> Table:
    """One line per take. Names come from files and are shown as they are, never as markup."""
    table = Table(box=None, pad_edge=False)
    for name in ("slate", "take", "subject", "length", "rate", "gaps", "sound", "file"):
        right = name in ("take", "length", "rate")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        files = row.files
        number = "" if files.take is None else str(files.take)
        if row.trouble is not None:
            what = escape(f"{row.shown}: {row.trouble}")
            table.add_row(escape(files.slate), number, escape(files.subject), "-", "-", "-", "-", f"[red]{what}[/red]")
            continue
        sound = files.sound.suffix[1:].lower() if files.sound else "no"
        table.add_row(
            escape(files.slate),
            number,
            escape(files.subject),
            row.length,
            row.rate,
            row.missing,
            sound,
            escape(row.shown),
        )
    return table
