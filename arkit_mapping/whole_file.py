"""Atomic file writes: a file is written under a temporary name in the same folder, then renamed.

A reader never sees an incomplete file, and a killed program leaves the old one. Temporary names are unique per writer:
two programs, two threads of one program, or two machines that share a folder never write into the same file.
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
    """Parts of a temporary file name."""

    name: str
    """Name of the final file."""
    pid: int
    """Process id of its writer."""


def partial_path(path: Path, ending: str = "") -> Path:
    """A new hidden temporary name beside `path`; `ending`, such as ".mp4", is for writers that select the format by
    it."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial{ending}")


def parse_partial(name: str) -> Partial | None:
    """Parse a name made by `partial_path`; None for any other name."""
    match = _PARTIAL.fullmatch(name)
    return Partial(match["name"], int(match["pid"])) if match else None


@contextmanager
def whole_file(path: Path, *, new: bool = False, ending: str = "") -> Iterator[Path]:
    """Name of a temporary file to write. It is renamed to `path` when the block completes; after an exception nothing
    remains.

    Parameters
    ----------
    path
        Final name; its folder must exist.
    new
        `path` must not exist when the block ends: of two concurrent writers one gets the name, the other
        FileExistsError.
    ending
        See `partial_path`.

    Raises
    ------
    OSError
        The file cannot be renamed.
    """
    partial = partial_path(path, ending)
    try:
        yield partial
        put_in_place(partial, path, new=new)
    finally:
        partial.unlink(missing_ok=True)


def put_in_place(partial: Path, path: Path, *, new: bool = False) -> None:
    """Rename a finished temporary file to `path`, for writers without a `with` block. Raises OSError; see `whole_file`
    for `new`."""
    if new:
        _claim(partial, path)
        partial.unlink(missing_ok=True)
    else:
        os.replace(partial, path)


def second_name(source: Path, path: Path) -> None:
    """Hard-link `source` as the new file `path`, or copy it where the file system has no hard links. Raises OSError."""
    import shutil

    try:
        os.link(source.resolve(), path)
    except OSError:  # another disk, FAT, some network drives, or another user's file
        shutil.copyfile(source, path)


def replace_folder(made: Path, path: Path) -> None:
    """Rename a finished folder to `path`. An existing folder is deleted only afterwards, and restored if the renaming
    fails. Raises OSError."""
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
    """Rename atomically to a name that does not exist yet."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links on FAT and some network drives: create the name first, then replace it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        os.replace(partial, path)
