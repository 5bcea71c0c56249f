"""Finds the files of a take: the CSV, its audio, and its slate, take number and subject. The rules are in
`arkit_mapping.takes.names`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arkit_mapping.takes.csv import TakeError
from arkit_mapping.takes.names import named, sound_beside, takes_at


@dataclass(frozen=True, slots=True)
class TakeFiles:
    """One take on disk."""

    csv: Path
    """Its CSV file."""
    sound: Path | None
    """Its audio file, a .wav first; None when there is none."""
    slate: str = ""
    """Empty when unknown."""
    take: int | None = None
    """Take number; None when unknown."""
    subject: str = ""
    """Live Link subject; empty when unknown."""


def find_take(path: Path) -> TakeFiles:
    """The take of a .csv file, or the only one in a folder and its subfolders. Of a calibrated take it returns the
    calibrated file.

    Raises
    ------
    TakeError : no such path, or a folder with no take or with several
    """
    found = takes_at(path)
    if len(found) > 1:
        names = ", ".join(csv.name for csv in found[:4]) + (", ..." if len(found) > 4 else "")
        raise TakeError(f"{path} holds {len(found)} takes ({names}), expected one; give the path of one .csv")
    return _files(found[0])


def find_takes(path: Path) -> list[TakeFiles]:
    """The takes in a folder and its subfolders, sorted by path, or the take of a .csv file. Raises TakeError when there
    is none."""
    return [_files(csv) for csv in takes_at(path)]


def _files(csv: Path) -> TakeFiles:
    return TakeFiles(csv, sound_beside(csv), *named(csv))
