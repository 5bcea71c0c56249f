"""Reading takes for a command: differences from the app's files are reported once per file, before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.errors import UsageError

if TYPE_CHECKING:
    from arkit_mapping.takes.csv import Take
    from livelink_bridge.takes.discovery import TakeFiles

_RATE_HELP = "Frame rate of a take's timecode: 24, 25, 29.97df ... Default the rate that it shows."
TakeRate = Annotated[str | None, typer.Option("--take-rate", "--rate", metavar="RATE", help=_RATE_HELP)]
LongTakeRate = Annotated[str | None, typer.Option("--take-rate", metavar="RATE", help=_RATE_HELP)]
"""For commands whose --rate is that of the take they write."""


def read(path: Path, rate: str | None) -> tuple[TakeFiles, Take]:
    """Find and read the take that a .csv or a folder holds.

    Parameters
    ----------
    rate : frame rate of its timecode; None is the one that it shows

    Raises TakeError, and UsageError for a rate that does not exist.
    """
    from arkit_mapping.takes.csv import read_take
    from livelink_bridge.takes.discovery import find_take

    check_rate(rate)
    files = find_take(path)
    take = read_take(files.csv, rate)
    say(files.csv, take)
    return files, take


def part_of(take: Take, csv: Path, start: str | None, end: str | None) -> Take:
    """The part of a take between two moments as a user writes them; None is the take's own start or end.

    Raises UsageError for text that is not a moment, TakeError where the part has no rows.
    """
    from arkit_mapping.takes.csv import TakeError
    from arkit_mapping.takes.edit import moment, trim

    try:
        start_s, end_s = (None if text is None else moment(text, take) for text in (start, end))
    except TakeError as error:
        raise UsageError(str(error)) from None
    if start_s is not None and end_s is not None and start_s >= end_s:
        raise UsageError(f"got start {start} and end {end}, expected the start to be before the end")
    try:
        return trim(take, start_s, end_s)
    except TakeError as error:
        raise TakeError(f"take {csv}: {error}") from None


def say(csv: Path, take: Take) -> None:
    """Print what the reader noticed about a take, on one line."""
    if take.said:
        typer.echo(f"livelink-bridge: take {csv}: {take.said}", err=True)


def check_rate(rate: str | None) -> None:
    """Raises UsageError for a timecode rate that does not exist."""
    from arkit_mapping.takes.clock import counting_of
    from arkit_mapping.takes.csv import TakeError

    try:
        if rate is not None:
            counting_of(rate)
    except TakeError as error:
        raise UsageError(str(error)) from None
