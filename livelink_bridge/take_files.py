"""Which files make up a take: the CSV, its sound, and what slate, take and subject it is of.

The app's layout: a folder `YYYYMMDD_<Slate>_<Take>` with `<Slate>_<Take>_<Subject>.csv`, where it was calibrated
`..._cal.csv`, `..._neutral.csv` and `..._raw.csv`, and beside them frame_log.csv and take.json. A single CSV anywhere, with a
.wav of the same name or without, is a take too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arkit_mapping.takes import TakeError

_VARIANTS = ("_cal", "_neutral", "_raw")
_NOT_TAKES = {"frame_log.csv"}
_LARGEST_TAKE_JSON = 1 << 20
_DEPTH = 2
"""Folders below the one that is listed: the takes of several days, each in its folder."""


@dataclass(frozen=True, slots=True)
class TakeFiles:
    """One take on disk."""

    csv: Path
    sound: Path | None
    """The .wav beside it; None where there is none."""
    slate: str = ""
    take: int | None = None
    subject: str = ""


def find_take(path: Path) -> TakeFiles:
    """The take that a .csv or a take's folder is. Of a calibrated take the calibrated file is meant.

    Raises TakeError for a folder without a take or with several, and where nothing is.
    """
    if not path.is_dir():
        if not path.exists():
            raise TakeError(f"take {path}: no such file or folder")
        return _files(path)
    found = _takes_in(path)
    if not found:
        raise TakeError(f"{path} holds no take, expected a folder with <Slate>_<Take>_<Subject>.csv in it")
    if len(found) > 1:
        names = ", ".join(take.csv.name for take in found[:4]) + (", ..." if len(found) > 4 else "")
        raise TakeError(f"{path} holds {len(found)} takes ({names}), expected one; name the .csv that you mean")
    return found[0]


def find_takes(folder: Path) -> Iterator[TakeFiles]:
    """The takes in a folder and in those below it, by name. Raises TakeError where there is no such folder."""
    if not folder.is_dir():
        raise TakeError(f"{folder} is not a folder, expected one with takes or their folders in it")
    yield from _walk(folder, _DEPTH)


def _walk(folder: Path, depth: int) -> Iterator[TakeFiles]:
    yield from _takes_in(folder)
    below = [path for path in _listed(folder) if not path.name.startswith(".") and path.is_dir()] if depth else []
    for path in below:
        yield from _walk(path, depth - 1)


def _takes_in(folder: Path) -> list[TakeFiles]:
    """The takes in this folder itself; the calibrated file stands for the three of a calibrated take."""
    chosen: dict[str, Path] = {}
    for path in _listed(folder):
        if path.suffix.lower() != ".csv" or path.name.startswith(".") or path.name.lower() in _NOT_TAKES or not path.is_file():
            continue
        stem = _plain_stem(path)
        if stem not in chosen or _rank(path) < _rank(chosen[stem]):
            chosen[stem] = path
    return [_files(path) for path in chosen.values()]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise TakeError(f"{folder} cannot be read: {error.strerror}") from None


def _files(csv: Path) -> TakeFiles:
    stem = _plain_stem(csv)
    sound = next((path for path in (csv.with_suffix(".wav"), csv.with_name(f"{stem}.wav")) if path.is_file()), None)
    slate, take, subject = _described(csv) or _of_name(stem)
    return TakeFiles(csv, sound, slate, take, subject)


def _plain_stem(csv: Path) -> str:
    return next((csv.stem.removesuffix(variant) for variant in _VARIANTS if csv.stem.endswith(variant)), csv.stem)


def _rank(csv: Path) -> int:
    """Which of a take's files is meant: the calibrated, then the plain, then the others."""
    order = ("_cal", "", "_raw", "_neutral")
    return order.index(csv.stem.removeprefix(_plain_stem(csv)))


def _described(csv: Path) -> tuple[str, int | None, str] | None:
    """Slate, take and subject as take.json has them; None where it is not there or not of this take."""
    path = csv.with_name("take.json")
    try:
        if path.stat().st_size > _LARGEST_TAKE_JSON:
            return None
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
        slate, take, subject = str(entries["slate"]), int(entries["take"]), str(entries["subject"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return (slate, take, subject) if f"_{take}_" in csv.stem or len(_csvs_beside(csv)) == 1 else None


def _csvs_beside(csv: Path) -> list[Path]:
    return [path for path in csv.parent.glob("*.csv") if path.name.lower() not in _NOT_TAKES]


def _of_name(stem: str) -> tuple[str, int | None, str]:
    """`MySlate_167_iPhone` -> MySlate, 167, iPhone; `LiveLinkBridge_3` -> no slate, 3, LiveLinkBridge."""
    app = re.fullmatch(r"(.+?)_(\d{1,9})_(.+)", stem)
    if app:
        return app[1], int(app[2]), app[3]
    ours = re.fullmatch(r"(.+)_(\d{1,9})", stem)
    return ("", int(ours[2]), ours[1]) if ours else ("", None, stem)
