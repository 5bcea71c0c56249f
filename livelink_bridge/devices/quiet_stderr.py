"""Suppresses the debug output of native audio libraries on standard error.

On Linux, ALSA and PortAudio write lines to file descriptor 2 whenever a device is removed or cannot be opened, twice a
second while a lost device is searched for. They bypass Python, so the descriptor itself is redirected, and Python's own
messages use a duplicate of it.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def suppress_native_stderr() -> Iterator[None]:
    """Show only Python's messages. Does nothing when standard error is not descriptor 2, or with debug logging."""
    before = sys.stderr
    if sys.platform != "linux" or logging.getLogger().isEnabledFor(logging.INFO) or _descriptor(before) != _STDERR:
        yield
        return
    before.flush()
    duplicate = os.dup(_STDERR)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, _STDERR)
    os.close(sink)
    sys.stderr = io.TextIOWrapper(
        os.fdopen(duplicate, "wb", 0, closefd=False), encoding=before.encoding, errors="replace", write_through=True
    )
    handlers = [handler for handler in logging.getLogger().handlers if getattr(handler, "stream", None) is before]
    try:
        for handler in handlers:
            handler.setStream(sys.stderr)  # type: ignore[attr-defined]
        yield
    finally:
        os.dup2(duplicate, _STDERR)
        os.close(duplicate)
        sys.stderr = before
        for handler in handlers:
            handler.setStream(before)  # type: ignore[attr-defined]


def _descriptor(stream: object) -> int | None:
    try:
        return stream.fileno()  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, OSError, ValueError):
        return None
