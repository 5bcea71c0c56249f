"""Atomic file writes that never overwrite an existing file unless forced."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from arkit_mapping.whole_file import whole_file
from livelink_bridge.errors import SinkError

Progress = Callable[[float], None]
"""Receives the part done, 0 to 1."""


def ignored(_part: float) -> None:
    """A `Progress` that does nothing."""


@contextmanager
def written(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """A file to write. It gets the name `path` when the block completes; after an exception nothing remains.

    Parameters
    ----------
    path : final name; missing folders are created
    force : overwrite an existing file

    Raises
    ------
    SinkError : `path` exists, without `force`, or cannot be written
    """
    check_free(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, new=not force) as partial, open(partial, "xb") as file:
            yield file
    except OSError as error:
        check_free(path, force=force)  # another program may have created it meanwhile
        raise SinkError(f"{path} cannot be written: {error.strerror or error}") from error


def check_free(path: Path, *, force: bool) -> None:
    """Raises SinkError when `path` is a folder, or exists without `force`."""
    if os.path.isdir(path):
        raise SinkError(f"{path} is a folder, expected the name of a file")
    if not force and os.path.lexists(path):
        raise SinkError(f"{path} exists and was not changed; choose another name, or --force to overwrite it")
