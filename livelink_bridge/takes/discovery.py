"""Which files make up a take: the CSV, its sound, and what slate, take and subject it is of;
`arkit_mapping.takes.names` has the rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arkit_mapping.takes.csv import TakeError
from arkit_mapping.takes.names import named, sound_beside, takes_at


@dataclass(frozen=True, slots=True)
class TakeFiles:
    """One take on disk."""

    csv: Path
    sound: Path | None
    """The sound beside it, a .wav first; None where there is none."""
    slate: str = ""
    take: int | None = None
    subject: str = ""


def find_take(path: Path) -> TakeFiles:
    """The take that a .csv is, or the only one of a folder and those below it. Of a calibrated take the calibrated file
    is meant.

    Raises TakeError for a folder without a take or with several, and where nothing is.
    """
    found = takes_at(path)
    if len(found) > 1:
        names = ", ".join(csv.name for csv in found[:4]) + (", ..." if len(found) > 4 else "")
        raise TakeError(f"{path} holds {len(found)} takes ({names}), expected one; name the .csv that you mean")
    return _files(found[0])


def find_takes(path: Path) -> list[TakeFiles]:
    """The takes in a folder and in those below it, by path, or the one that a .csv is. Raises TakeError where there is
    none."""
    return [_files(csv) for csv in takes_at(path)]


def _files(csv: Path) -> TakeFiles:
    return TakeFiles(csv, sound_beside(csv), *named(csv))
