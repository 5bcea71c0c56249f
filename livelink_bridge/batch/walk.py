"""Finds the audio files below folders and the paths of their takes."""

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
    " .m4a .aac .wma .amr .ac3 .ape .wv".split()  # audio it cannot read: reported for each file, not skipped silently
)
"""Extensions of audio files in a folder, case-insensitive. A file given by name is taken with any extension."""


class AudioFile(NamedTuple):
    """An audio file that was found. Only three small fields, since there may be 100,000 of them."""

    root: str
    name: str
    """Path relative to `root`, with the system's separators."""
    size: int
    """Bytes; 0 if unknown."""

    def task(self, out: Path) -> Task:
        """The task that writes its take below the folder `out`."""
        take = take_name(self.name)
        return Task(Path(self.root, self.name), out / take, take)


@dataclass(slots=True)
class Found:
    """What `walk` found."""

    sounds: list[AudioFile] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason on one line) of what cannot be converted; counts as failed."""
    notes: list[str] = field(default_factory=list)
    """Remarks for the user, one line each, that are not failures."""
    others: int = 0
    """Files in the folders without an extension of an audio file."""


def walk(paths: Sequence[Path]) -> Found:
    """The audio files below folders, and files given by name, largest first.

    Files whose takes would have the same name are all refused. Names are the same if they differ only in case, in the
    Unicode form of accents or in the extension: on some systems one take would overwrite the other. Hidden files and
    folders are skipped.
    """
    found = Found()
    for path in paths:
        if os.path.isdir(path):
            for entries in _folders(path, found):
                _look(path, entries, found)
        else:
            found.sounds.append(AudioFile(str(path.parent), path.name, _size(path)))
    _refuse_namesakes(found)
    found.sounds.sort(key=lambda sound: (-sound.size, sound.name))
    return found


def take_name(name: str) -> str:
    """Path of an audio file's take relative to the folder of takes, with slashes."""
    return Path(name).with_suffix(".csv").as_posix()


def _folders(root: Path, found: Found) -> Iterator[list[os.DirEntry[str]]]:
    """The entries of a folder, then of each below it, sorted by name. A link to a parent folder is skipped: it would
    recurse without end."""
    waiting: list[tuple[Path, tuple[tuple[int, int], ...]]] = [(root, ())]
    while waiting:
        folder, above = waiting.pop()
        try:
            status = folder.stat()
            identity = (status.st_dev, status.st_ino)
            if identity in above and identity != (0, 0):
                found.notes.append(f"{folder} is a link to one of its parent folders; it is not followed")
                continue
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            found.refused.append((str(folder), f"cannot be read: {error.strerror}"))
            continue
        yield entries
        below = [entry.path for entry in entries if _is_folder(entry) and not entry.name.startswith(".")]
        waiting += [(Path(path), (*above, identity)) for path in reversed(below)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """False for a link to itself; if it has the extension of an audio file, converting it reports the error."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _look(root: Path, entries: list[os.DirEntry[str]], found: Found) -> None:
    """Add the audio files in one folder."""
    for entry in entries:
        if entry.name.startswith(".") or _is_folder(entry):
            continue
        if os.path.splitext(entry.name)[1].lower() in SOUNDS:
            found.sounds.append(AudioFile(str(root), os.path.relpath(entry.path, root), _size(Path(entry.path))))
        else:
            found.others += 1


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # converting it reports the error


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
