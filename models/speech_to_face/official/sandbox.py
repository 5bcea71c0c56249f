"""Restricts the process that reads untrusted files, in case the reader has a vulnerability: no programs, no
connections, no writes elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

BLOCKED_EVENTS = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "os.startfile",
    "pty.",
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "socket.sendto",
    "ctypes.dlopen",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.chmod",
    "os.chown",
    "shutil.",
    "webbrowser.",
)
"""Starts of the names of Python's audit events: programs, connections, libraries, and changes to files outside."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class WallError(RuntimeError):
    """An operation that reading a checkpoint does not need."""


def restrict_to(folder: Path) -> None:
    """From now on, in this process, permanently: no program starts, nothing connects, nothing is written outside
    `folder`."""
    inside = os.path.realpath(folder)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and _is_write(arguments) and not _below(arguments[0], inside):
            raise WallError(f"refused to write {arguments[0]}")
        if event.startswith(BLOCKED_EVENTS) and not (arguments and _below(arguments[0], inside)):
            raise WallError(f"refused {event}")

    sys.addaudithook(watch)


def _is_write(arguments: tuple[Any, ...]) -> bool:
    """Of an `open` event: (path, mode, flags)."""
    return bool(arguments[2] & _WRITES)


def _below(path: Any, folder: str) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    try:
        return os.path.commonpath([os.path.realpath(os.fsdecode(path)), folder]) == folder
    except ValueError:  # another drive
        return False
