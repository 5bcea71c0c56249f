"""Files that are there whole or not at all: written beside their place, then renamed.

A reader never sees half a file, and a program that is killed leaves the old one. The name of the half-written file is
the writer's own: two programs, two threads of one, or two machines that share a folder never write into each other's.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_PARTIAL = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)-[0-9a-f]{8}\.partial(?:\.\w+)?")


class Partial(NamedTuple):
    """What the name of a half-written file says."""

    name: str
    """Of the file that it was to become."""
    pid: int
    """Of the process that writes or wrote it."""


def partial_path(path: Path, ending: str = "") -> Path:
    """A new hidden name beside `path`. `ending`, such as ".mp4", is for writers that choose the format by it."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial{ending}")


def parse_partial(name: str) -> Partial | None:
    """What a file's name tells when it is one of `partial_path`; None for any other."""
    match = _PARTIAL.fullmatch(name)
    return Partial(match["name"], int(match["pid"])) if match else None


@contextmanager
def whole_file(path: Path, *, new: bool = False, ending: str = "") -> Iterator[Path]:
    """The name of a file to write, which becomes `path` when the block ends well; otherwise nothing is left behind.

    new : `path` must not exist when the block ends: of two writers at once one gets the name and the other
    FileExistsError
    ending : see `partial_path`

    Raises whatever OSError the system has. The folder must exist.
    """
    partial = partial_path(path, ending)
    try:
        yield partial
        put_in_place(partial, path, new=new)
    finally:
        partial.unlink(missing_ok=True)


def put_in_place(partial: Path, path: Path, *, new: bool = False) -> None:
    """Rename a finished file to `path`, for writers that are no block of a `with`. Raises OSError; see `whole_file` for
    `new`."""
    if new:
        _claim(partial, path)
        partial.unlink(missing_ok=True)
    else:
        os.replace(partial, path)


def second_name(source: Path, path: Path) -> None:
    """Have a file under another name too: a hard link where the file system has them, else a copy. `path` is new.
    Raises OSError."""
    import shutil

    try:
        os.link(source.resolve(), path)
    except OSError:  # another disk, FAT, some network drives, or a file of somebody else's
        shutil.copyfile(source, path)


def replace_folder(made: Path, path: Path) -> None:
    """Rename a finished folder to `path`; the one that was there goes only then, and comes back where the renaming
    fails."""
    import shutil

    old = partial_path(path)
    had_one = path.exists()
    if had_one:
        os.replace(path, old)
    try:
        os.replace(made, path)
    except OSError:
        if had_one:
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _claim(partial: Path, path: Path) -> None:
    """Give the file a name that is free, in one step of the file system."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links on FAT and some network drives: take the name first, then fill it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        os.replace(partial, path)
