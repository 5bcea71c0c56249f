"""A file as it would be with another header."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from speech_to_face.audio_files.extent import Part


class View(io.RawIOBase):
    """Bytes and segments of a file, one after the other. Only what is read is copied."""

    def __init__(self, path: Path, parts: Sequence[Part]) -> None:
        self._file = open(path, "rb")
        self._parts = [part for part in parts if (len(part) if isinstance(part, bytes) else part[1]) > 0]
        lengths = (len(part) if isinstance(part, bytes) else part[1] for part in self._parts)
        self._starts = [0, *accumulate(lengths)]
        self._at = 0

    def readable(self) -> bool:
        """True: see `io.RawIOBase`."""
        return True

    def seekable(self) -> bool:
        """True: see `io.RawIOBase`."""
        return True

    def tell(self) -> int:
        """Position in bytes from the start of the view."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` bytes from the start, the position or the end (whence 0, 1, 2); the new position."""
        base = (0, self._at, self._starts[-1])[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """As much as is asked for, less only at the end: libsndfile takes less for the end."""
        given = 0
        while given < len(buffer) and (data := self._next(len(buffer) - given)):
            buffer[given : given + len(data)] = data
            given += len(data)
            self._at += len(data)
        return given

    def _next(self, most: int) -> bytes:
        number = bisect_right(self._starts, self._at) - 1
        if number >= len(self._parts):
            return b""
        part, inside = self._parts[number], self._at - self._starts[number]
        most = min(most, self._starts[number + 1] - self._at)
        if isinstance(part, bytes):
            return part[inside : inside + most]
        self._file.seek(part[0] + inside)
        return self._file.read(most)

    def close(self) -> None:
        """Close the view and the file below it."""
        self._file.close()
        super().close()
