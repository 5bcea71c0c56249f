"""What there is to do: the sounds below some folders, and where their takes go."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from livelink_bridge.batch.job import Task

SOUNDS = frozenset(
    # what libsndfile reads
    ".wav .wave .bwf .w64 .rf64 .flac .ogg .oga .opus .mp3 .mp2 .aif .aiff .aifc .au .snd .caf .voc"
    " .m4a .aac .wma .amr .ac3 .ape .wv".split()  # sound that it does not read: said for each rather than passed over
)
"""Endings that are taken for sound in a folder, in either case. A file that is named is taken whatever it is called."""


class Sound(NamedTuple):
    """A sound that was found. Three small things, since there may be a hundred thousand."""

    root: str
    name: str
    """Below `root`, as the system writes it."""
    size: int
    """Bytes; 0 where the system does not say."""

    def work(self, out: Path) -> Task:
        take = take_name(self.name)
        return Task(Path(self.root, self.name), out / take, take)


@dataclass(slots=True)
class Found:
    """What a walk met."""

    sounds: list[Sound] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(path, why, on one line): what cannot be done, which counts as failed."""
    notes: list[str] = field(default_factory=list)
    """What a person should know, a line each; nothing is lost by it."""
    others: int = 0
    """Files in the folders that are no sound by their names."""


def walk(paths: Sequence[Path]) -> Found:
    """The sounds below folders, and files that are named, largest first. Sounds whose takes would have the same name
    are all refused.

    Names count as the same where they differ in case, in how an accent is written, or only in the ending: on some
    system, or for whoever opens the takes, one would lie over the other. Hidden files and folders are passed over.
    """
    found = Found()
    for path in paths:
        if os.path.isdir(path):
            for entries in _folders(path, found):
                _look(path, entries, found)
        else:
            found.sounds.append(Sound(str(path.parent), path.name, _size(path)))
    _refuse_namesakes(found)
    found.sounds.sort(key=lambda sound: (-sound.size, sound.name))
    return found


def take_name(name: str) -> str:
    """What the take of a sound is called below the folder of takes, with slashes."""
    return Path(name).with_suffix(".csv").as_posix()


def _folders(root: Path, found: Found) -> Iterator[list[os.DirEntry[str]]]:
    """What lies in the folder, then in each below it, by name. A link to a folder that it lies in is passed over: it
    would never end."""
    waiting: list[tuple[Path, tuple[tuple[int, int], ...]]] = [(root, ())]
    while waiting:
        folder, above = waiting.pop()
        try:
            status = folder.stat()
            identity = (status.st_dev, status.st_ino)
            if identity in above and identity != (0, 0):
                found.notes.append(f"{folder} is a link to a folder that it lies in; it is not followed")
                continue
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            found.refused.append((str(folder), f"cannot be looked into: {error.strerror}"))
            continue
        yield entries
        below = [entry.path for entry in entries if _is_folder(entry) and not entry.name.startswith(".")]
        waiting += [(Path(path), (*above, identity)) for path in reversed(below)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """A link that leads to itself leads to no folder; converting it says so, if it is called like a sound."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _look(root: Path, entries: list[os.DirEntry[str]], found: Found) -> None:
    """Take up the sounds in one folder."""
    for entry in entries:
        if entry.name.startswith(".") or _is_folder(entry):
            continue
        if os.path.splitext(entry.name)[1].lower() in SOUNDS:
            found.sounds.append(Sound(str(root), os.path.relpath(entry.path, root), _size(Path(entry.path))))
        else:
            found.others += 1


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # converting it says why


def _refuse_namesakes(found: Found) -> None:
    by_take: dict[str, list[int]] = {}
    for at, sound in enumerate(found.sounds):
        by_take.setdefault(unicodedata.normalize("NFC", take_name(sound.name)).casefold(), []).append(at)
    twice = {take: places for take, places in by_take.items() if len(places) > 1}
    for places in twice.values():
        paths = [str(Path(found.sounds[at].root, found.sounds[at].name)) for at in places]
        for path in paths:
            others = ", ".join(other for other in paths if other != path) or "the same file, given twice"
            found.refused.append(
                (
                    path,
                    f"and {others} would have one take, {take_name(found.sounds[places[0]].name)}; rename one of them",
                )
            )
    lost = {at for places in twice.values() for at in places}
    found.sounds = [sound for at, sound in enumerate(found.sounds) if at not in lost]
