"""Error handling of the training commands: user errors are one line, not a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from speech_to_face.base import ModelError


@contextmanager
def one_line() -> Iterator[None]:
    """Turn wrong names, folders and files into `SystemExit` with their message."""
    try:
        yield
    except (ModelError, ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
