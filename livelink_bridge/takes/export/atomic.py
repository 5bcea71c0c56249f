"""Files that are there whole or not at all, and take nobody's place unasked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from arkit_mapping.whole_file import whole_file
from livelink_bridge.errors import SinkError

Progress = Callable[[float], None]
"""Told the part that is done, 0 to 1."""


def ignored(_part: float) -> None:
    """For callers who do not watch."""


@contextmanager
def written(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """A file to write, which takes the name `path` when the block ends well, and leaves nothing behind when it does
    not.

    Raises SinkError where `path` exists and `force` was not given, and for whatever the system refuses.
    """
    check_free(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, new=not force) as partial, open(partial, "xb") as file:
            yield file
    except OSError as error:
        check_free(path, force=force)  # another writer of this name may have been quicker
        raise SinkError(f"{path} cannot be written: {error.strerror or error}") from error


def check_free(path: Path, *, force: bool) -> None:
    """Raises SinkError where something is in the way."""
    if os.path.isdir(path):
        raise SinkError(f"{path} is a folder, expected the name of a file")
    if not force and os.path.lexists(path):
        raise SinkError(f"{path} exists and was left as it is; choose another name, or --force to overwrite it")
