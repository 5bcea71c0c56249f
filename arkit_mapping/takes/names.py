"""Rules for file names of takes: which files of a folder are takes, which audio file belongs to a take, and what its
name contains. All readers of takes use them.

    20241204_MySlate_166/MySlate_166_iPhone_cal.csv      the app's folder: of _cal, _neutral and _raw the calibrated
                                                         file is used
                         MySlate_166_iPhone.wav
    takes/scene 1/line.csv, line.wav                     a batch's

Only Python 3.9 and its standard library: scripts/make_import_take.py copies this module into the script that runs in
Unreal.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from arkit_mapping.takes.cells import TakeError

VARIANTS = ("_cal", "", "_raw", "_neutral")
"""Endings of a take's files; the first existing one is used."""
SOUNDS = (".wav", ".WAV", ".flac", ".ogg", ".aif", ".aiff", ".mp3")
"""Suffixes of a take's audio; the first existing one is used."""
_NOT_TAKES = ("frame_log.csv",)
_APP_NAME = re.compile(r"(.+?)_(\d{1,9})_(.+)", re.ASCII)
_OWN_NAME = re.compile(r"(.+)_(\d{1,9})", re.ASCII)
_BEGINNING = re.compile(r"\s*\"?timecode\"?\s*[,;\t]\s*\"?blendshapecount\b", re.IGNORECASE)
_LARGEST_TAKE_JSON = 1 << 20


def takes_at(path: Path) -> list[Path]:
    """The .csv of each take: the file itself, or all in a folder and its subfolders, sorted by path.

    Hidden files and folders, and links to folders, are skipped; so is a .csv that neither begins like a take nor is
    named like one of the app's. Raises TakeError when there is none.
    """
    if not path.exists():
        raise TakeError(f"take {path}: no such file or folder")
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for folder, below, names in os.walk(path, onerror=_refuse):
        below[:] = sorted(name for name in below if not name.startswith("."))
        found += _takes_among([Path(folder, name) for name in sorted(names)])
    if not found:
        raise TakeError(
            f"{path} holds no take, expected .csv files that begin with Timecode,BlendShapeCount, in it or in folders "
            "below"
        )
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise TakeError(f"{error.filename} cannot be read: {error.strerror}")


def _takes_among(files: list[Path]) -> list[Path]:
    """The takes among the files of one folder."""
    chosen: dict[str, Path] = {}
    for path in files:
        if (
            path.suffix.lower() != ".csv"
            or path.name.startswith(".")
            or path.name.lower() in _NOT_TAKES
            or not _is_take(path)
        ):
            continue
        name = plain_stem(path.stem)
        if name not in chosen or _rank(path) < _rank(chosen[name]):
            chosen[name] = path
    return list(chosen.values())


def _is_take(path: Path) -> bool:
    """Whether a file begins like a take, or is named like one of the app's. An unreadable file counts as a take: the
    error is reported when it is opened."""
    if not path.is_file():
        return False
    if _APP_NAME.fullmatch(path.stem):
        return True
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as lines:
            return _BEGINNING.match(lines.readline(200)) is not None
    except OSError:
        return True


def plain_stem(stem: str) -> str:
    """A take's name without the endings in VARIANTS."""
    return next((stem[: -len(kind)] for kind in VARIANTS if kind and stem.lower().endswith(kind)), stem)


def _rank(csv: Path) -> int:
    return VARIANTS.index(csv.stem[len(plain_stem(csv.stem)) :].lower())


def sound_beside(csv: Path) -> Path | None:
    """The audio file with the take's name beside it, with or without `_cal`; None when there is none."""
    stems = dict.fromkeys((csv.stem, plain_stem(csv.stem)))
    named = (csv.with_name(stem + ending) for ending in SOUNDS for stem in stems)
    return next((path for path in named if path.is_file()), None)


def no_sound(csv: Path) -> str:
    """Message for a take without audio, with how to add it, one line."""
    wav = plain_stem(csv.stem) + ".wav"
    film = next(
        (path for ending in (".mov", ".MOV") if (path := csv.with_name(plain_stem(csv.stem) + ending)).is_file()), None
    )
    if film is not None:
        return f"no sound beside it, expected {wav}; the app keeps the sound in its film: ffmpeg -i {film.name} {wav}"
    return f"no sound beside it, expected {wav}: put it there under this name, or convert again with --with-sound"


def named(csv: Path) -> tuple[str, int | None, str]:
    """Slate, number and subject, from take.json if it belongs to this take, else from the name.

    `MySlate_167_iPhone` -> MySlate, 167, iPhone; `LiveLinkBridge_3` -> no slate, 3, LiveLinkBridge; `line` -> no slate,
    no number, line.
    """
    stem = plain_stem(csv.stem)
    described = _described(csv)
    if described is not None:
        return described
    app, own = _APP_NAME.fullmatch(stem), _OWN_NAME.fullmatch(stem)
    if app:
        return app[1], int(app[2]), app[3]
    return ("", int(own[2]), own[1]) if own else ("", None, stem)


def _described(csv: Path) -> tuple[str, int | None, str] | None:
    """The same from take.json; None when it is missing or belongs to another take."""
    path = csv.with_name("take.json")
    try:
        if path.stat().st_size > _LARGEST_TAKE_JSON:
            return None
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
        slate, take, subject = str(entries["slate"]), int(entries["take"]), str(entries["subject"])
        beside = [other for other in csv.parent.glob("*.csv") if other.name.lower() not in _NOT_TAKES]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return (slate, take, subject) if f"_{take}_" in csv.stem or len(beside) == 1 else None


def imported_subject(name: str) -> str:
    """The subject that Unreal's importer derives from the name of an asset or file (LiveLinkFaceImporterFactory.cpp,
    CreateSubjectString).

    The ending of a calibrated take is removed. Of more than three parts between underscores the first is removed, and
    all up to and including the first number, unless nothing would remain.
    """
    stem = name[:-4] if name.lower().endswith(".csv") else name
    for kind in ("_cal", "_raw", "_neutral"):
        stem = stem[: -len(kind)] if stem.lower().endswith(kind) else stem
    parts = stem.split("_")
    numbers = [at for at, part in enumerate(parts) if at and re.fullmatch(r"(?=.)[+-]?\d*\.?\d*", part, re.ASCII)]
    rest = parts[numbers[0] + 1 :] if len(parts) > 3 and numbers else []
    return "_".join(rest) if rest else stem
