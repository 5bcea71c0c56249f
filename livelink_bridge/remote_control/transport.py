"""Sends files of takes over TCP as the app does: the size as a big-endian int32, then the bytes."""

from __future__ import annotations

import logging
import os
import socket
import stat
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from livelink_bridge.core.clock import Clock
from livelink_bridge.remote_control.messages import ControlError, Fetch, short_repr
from livelink_bridge.remote_control.rate_limited_log import RateLimitedLog

MAX_CONCURRENT = 4
"""Files sent at the same time."""
MAX_WAITING = 32
"""Files requested and not yet complete, including those being sent."""
TAKE_FILES = frozenset({".csv", ".json", ".wav", ".jpg"})
_TAKE_MARKER = "take.json"
"""The file that marks a take's folder: other files in the recording folder are private and never sent."""
_MAX_PATH = 1024
_CONNECT_S, _STALL_S, _TOTAL_S = 3.0, 10.0, 600.0
_CHUNK = 1 << 16
_SIZE = struct.Struct(">i")
_MAX_BYTES = 2**31 - 1
_LOG_INTERVAL_S = 5.0

_log = logging.getLogger(__name__)


def take_file(folder: Path | None, asked: str) -> Path:
    """The resolved path of a requested file.

    Parameters
    ----------
    folder : folder of recorded takes; None if takes are not recorded
    asked : path from the message, relative to `folder`. Links and `..` are resolved first; the result must lie in a
        take's folder within `folder`

    Raises ControlError, with the same message for a forbidden and for an absent file.
    """
    if folder is None:
        raise ControlError("takes are not recorded here, so there is none to send; start with --record DIR")
    absent = ControlError(f"got {short_repr(asked)}, expected a file of a take recorded here")
    if not 0 < len(asked) <= _MAX_PATH:
        raise absent
    try:
        root = folder.resolve()
        path = (root / asked).resolve(strict=True)
        fits = path.is_relative_to(root) and path.is_file() and (path.parent / _TAKE_MARKER).is_file()
    except (OSError, ValueError, RuntimeError):
        raise absent from None
    if (
        not fits
        or path.suffix.lower() not in TAKE_FILES
        or any(part.startswith(".") for part in path.relative_to(root).parts)
    ):
        raise absent
    return path


def open_take_file(path: Path) -> BinaryIO:
    """Open a resolved path for reading. Raises ControlError if it has become a symbolic link, or is no regular file of
    at most 2 GiB - 1."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        file = os.fdopen(number, "rb")
    except OSError as error:
        raise ControlError(f"{path.name} cannot be read: {error.strerror}") from None
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
        file.close()
        raise ControlError(
            f"{path.name} has {found.st_size} bytes, expected a file of at most {_MAX_BYTES}: its size is sent as an "
            "int32"
        )
    return file


class Transport:
    """Sends files on its own threads, at most `MAX_CONCURRENT` at a time."""

    def __init__(self, folder: Path | None, *, clock: Clock, problems: RateLimitedLog) -> None:
        """
        Parameters
        ----------
        folder : folder of recorded takes; None refuses every request
        clock : for the limit of 600 s per file
        problems : log of failed transfers
        """
        self.delivered = 0
        self._folder, self._clock, self._problems = folder, clock, problems
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="transport")
        self._lock = threading.Lock()
        self._waiting = 0
        self._open: set[socket.socket] = set()
        self._stopping = False

    def send(self, fetch: Fetch) -> None:
        """Start sending a file. Raises ControlError if it is no take's file or too many files are waiting."""
        path = take_file(self._folder, fetch.path)
        with self._lock:
            if self._stopping or self._waiting >= MAX_WAITING:
                raise ControlError(
                    f"{path.name} is not sent: {self._waiting} files wait already, expected at most {MAX_WAITING}"
                )
            self._waiting += 1
        self._threads.submit(self._deliver, fetch, path)

    def close(self) -> None:
        """Abort running transfers and wait for the threads. Idempotent."""
        with self._lock:
            self._stopping = True
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it ended by itself
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, fetch: Fetch, path: Path) -> None:
        try:
            size = self._send_file(fetch, path)
            self.delivered += 1
            _log.info("sent %s (%d bytes) to %s", path.name, size, fetch.to)
        except (OSError, ControlError) as error:
            self._problems.add(
                f"transport {fetch.to.host}",
                f"{path.name} did not reach {fetch.to}: {error}",
                interval_s=_LOG_INTERVAL_S,
            )
        finally:
            with self._lock:
                self._waiting -= 1

    def _send_file(self, fetch: Fetch, path: Path) -> int:
        """Send the file at its present size: bytes appended during the transfer are left out."""
        deadline_s = self._clock.now() + _TOTAL_S
        with open_take_file(path) as file, socket.create_connection(fetch.to, timeout=_CONNECT_S) as connection:
            connection.settimeout(_STALL_S)
            self._register(connection)
            try:
                size = left = os.fstat(file.fileno()).st_size
                connection.sendall(_SIZE.pack(size))
                while left:
                    chunk = file.read(min(_CHUNK, left))
                    if not chunk or self._clock.now() > deadline_s:
                        raise ControlError(
                            "the file became shorter" if not chunk else f"not received within {_TOTAL_S:.0f} s"
                        )
                    connection.sendall(chunk)
                    left -= len(chunk)
            finally:
                with self._lock:
                    self._open.discard(connection)
        return size

    def _register(self, connection: socket.socket) -> None:
        with self._lock:
            if self._stopping:
                raise ControlError("this program is closing")
            self._open.add(connection)
