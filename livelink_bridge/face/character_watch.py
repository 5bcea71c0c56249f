"""A character file that is reloaded when it is saved, while the session goes on."""

from __future__ import annotations

import logging
from pathlib import Path

from arkit_mapping.character.character import Character, CharacterError, load_character
from livelink_bridge.core.clock import Clock

LOOK_EVERY_S = 0.5
"""Seconds between two looks at the file. One costs a system call; a change is seen within this and one frame."""

_Stamp = tuple[int, int, int]
"""Time of change in nanoseconds, bytes, and which file it is: a replacement may be of the same age and size."""

_log = logging.getLogger(__name__)


class CharacterFile:
    """The character in a file, as last saved without errors.

    No thread: `current` looks at the file, at most every `LOOK_EVERY_S`. When the file is broken or gone, the last good
    character stays and one warning per change is logged. It is tried again at every look, since an editor may still be
    writing.
    """

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Raises CharacterError where the file cannot be used to begin with."""
        self._path = Path(path)
        self._clock = clock
        self._looked_s = clock.now()
        self._read = self._stamp()
        """What the file was when the character was read from it."""
        self._blamed = self._read
        """What the file was when last warned of, or that of the character when nothing is wrong."""
        self._character = load_character(self._path)

    def current(self) -> Character:
        """The character, the same object until the file holds another. Never raises for what is in the file."""
        now_s = self._clock.now()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            self._look()
        return self._character

    def _look(self) -> None:
        # The stamp is taken before reading: what is written in between has another one and is read at the next look.
        stamp = self._stamp()
        if stamp == self._read:
            self._blamed = stamp
            return
        if stamp is not None and stamp[1] == 0:  # emptied by an editor that is about to write it
            return
        try:
            fresh = load_character(self._path)
        except CharacterError as error:
            self._blame(stamp, error)
            return
        self._read = self._blamed = stamp
        if fresh != self._character:
            self._character = fresh
            _log.info("character file %s read again", self._path)

    def _blame(self, stamp: _Stamp | None, error: CharacterError) -> None:
        if stamp != self._blamed:
            _log.warning("%s; the face stays as it was", error)
        self._blamed = stamp

    def _stamp(self) -> _Stamp | None:
        """None for a file that is not there."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
