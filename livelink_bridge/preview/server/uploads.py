"""Uploads of files dropped on the page: each gets its own folder below the session folder, within size limits. The page
then opens them."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

MB = 1 << 20
_IN_MB = {
    ".wav": 2048,
    ".flac": 2048,
    ".ogg": 512,
    ".mp3": 512,
    ".csv": 512,
    ".glb": 512,
    ".vrm": 512,
    ".yaml": 1,
    ".yml": 1,
}
LARGEST = {ending: size * MB for ending, size in _IN_MB.items()}
"""Most bytes of a dropped file, by its ending. Two hours at 48 kHz, 24 bits, stereo are 2 GB."""
LARGEST_FOLDER = 16 << 30
"""Most bytes of a session's uploads together."""
MAX_FILES = 10_000
"""Of a session's uploads."""
_PIECE = MB
"""Bytes that are written to the disk at once, off the page's thread."""
_LONGEST_NAME = 200
"""Bytes of a kept file's name; file systems take 255."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])\..*", re.IGNORECASE)
"""Names that are devices on Windows, whatever their ending."""
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')


class Uploads:
    """Receives files; several uploads may run at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self._bytes = 0
        """Bytes of all files, including partial uploads."""

    async def answer(self, request: Request) -> Response:
        """Take a file; answers where it is below the session's folder, or why it was not taken."""
        name = Path(request.query_params.get("name", "")).name
        bound = LARGEST.get(Path(name).suffix.lower())
        if bound is None:
            return refused(
                f"{name} is not audio (wav, flac, ogg, mp3), a take (.csv), a face (.glb, .vrm) or a character (.yaml)",
                415,
            )
        if self._files >= MAX_FILES:
            return refused(f"this session has taken {MAX_FILES} files; start `livelink-bridge preview` again", 413)
        self._files += 1
        path = self._folder / f"{self._files}" / kept_name(name)
        why, status = await self._take(request, path, name, bound)
        return refused(why, status) if why else JSONResponse({"file": f"{path.parent.name}/{path.name}"})

    async def _take(self, request: Request, path: Path, name: str, bound: int) -> tuple[str, int]:
        """Why it was not taken, and the status; an empty string where it was. Of a file that was not taken nothing is
        left."""
        drop = _Upload(self, path, bound)
        try:
            await drop.receive(request)
        except ClientDisconnect:
            why = f"{name} did not arrive whole", 400
        except ValueError as error:
            why = f"{name} {error}", 413
        except OSError as error:
            why = f"{name} cannot be kept: {error.strerror}", 507
        else:
            return "", 200
        self.count(-drop.size)
        await asyncio.to_thread(drop.throw_away)
        return why

    def count(self, size: int) -> None:
        """So many bytes more, or less. Raises ValueError, the rest of a sentence, where the session has no room for
        them."""
        if size > 0 and self._bytes + size > LARGEST_FOLDER:
            raise ValueError(
                f"is too much: this session has taken {LARGEST_FOLDER >> 30} GB; start `livelink-bridge preview` again"
            )
        self._bytes += size


class _Upload:
    """One running upload."""

    def __init__(self, drops: Uploads, path: Path, bound: int) -> None:
        self._drops, self._path, self._bound = drops, path, bound
        self.size = 0
        """Bytes received."""

    async def receive(self, request: Request) -> None:
        """The request's body into the file. Raises ValueError, the rest of a sentence, for more bytes than there may
        be."""
        self._path.parent.mkdir(parents=True)
        waiting = bytearray()
        with self._path.open("wb") as file:
            async for part in request.stream():
                self._take_in(len(part))
                waiting += part
                if len(waiting) >= _PIECE:
                    await asyncio.to_thread(file.write, waiting)
                    waiting = bytearray()
            await asyncio.to_thread(file.write, waiting)

    def throw_away(self) -> None:
        """Delete the file and its folder. Call on a worker thread."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            self._path.parent.rmdir()

    def _take_in(self, size: int) -> None:
        if self.size + size > self._bound:
            raise ValueError(f"is larger than {self._bound // MB} MB, expected at most that")
        self._drops.count(size)
        self.size += size


def kept_name(name: str) -> str:
    """The user's own name of a file, but for what no file system or message takes; the ending stays."""
    printable = "".join(letter if letter.isprintable() else "_" for letter in name)
    stem, dot, ending = _NOT_IN_NAMES.sub("_", printable).rpartition(".")
    room = _LONGEST_NAME - len(f"{dot}{ending}".encode())
    kept = f"{stem.strip(' .').encode()[:room].decode(errors='ignore') or 'file'}{dot}{ending}"
    return f"_{kept}" if _DEVICES.fullmatch(kept) else kept


def refused(why: str, status: int) -> Response:
    """An error response: JSON with `detail`, the reason as a sentence."""
    return JSONResponse({"detail": f"{why}."}, status)
