"""Takes' files over TCP, as the app hands them over: the size as a big-endian int32, then the bytes."""

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
from livelink_bridge.remote_control.messages import ControlError, Fetch, shown
from livelink_bridge.remote_control.rate_limited_log import RateLimitedLog

AT_ONCE = 4
"""Files sent at the same time."""
MOST_WAITING = 32
"""Files asked for and not sent yet, those on the way included."""
TAKE_FILES = frozenset({".csv", ".json", ".wav", ".jpg"})
_TAKE_MARK = "take.json"
"""What makes a folder a take's: a recording folder may hold other things, and those are nobody's business."""
_LONGEST_PATH = 1024
_CONNECT_S, _STALL_S, _WHOLE_S = 3.0, 10.0, 600.0
_CHUNK = 1 << 16
_SIZE = struct.Struct(">i")
_MOST_BYTES = 2**31 - 1
_AGAIN_S = 5.0

_log = logging.getLogger(__name__)


def take_file(folder: Path | None, asked: str) -> Path:
    """The file that a peer means, resolved: in a take's folder within `folder`, whatever links and dots lie on the way.

    Raises ControlError, in the same words whether a file is forbidden or absent.
    """
    if folder is None:
        raise ControlError("takes are not recorded here, so there is none to send; start with --record DIR")
    absent = ControlError(f"got {shown(asked)}, expected a file of a take recorded here")
    if not 0 < len(asked) <= _LONGEST_PATH:
        raise absent
    try:
        root = folder.resolve()
        path = (root / asked).resolve(strict=True)
        fits = path.is_relative_to(root) and path.is_file() and (path.parent / _TAKE_MARK).is_file()
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
    """The resolved file, to be read; not if a link has taken its place since. Raises ControlError."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        file = os.fdopen(number, "rb")
    except OSError as error:
        raise ControlError(f"{path.name} cannot be read: {error.strerror}") from None
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
        file.close()
        raise ControlError(
            f"{path.name} has {found.st_size} bytes, expected a file of at most {_MOST_BYTES}: its size is sent as an "
            "int32"
        )
    return file


class Transport:
    """Sends files on threads of its own, a few at a time."""

    def __init__(self, folder: Path | None, *, clock: Clock, complaints: RateLimitedLog) -> None:
        """`folder` is where takes are recorded; None sends nothing."""
        self.delivered = 0
        self._folder, self._clock, self._complaints = folder, clock, complaints
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="transport")
        self._lock = threading.Lock()
        self._waiting = 0
        self._open: set[socket.socket] = set()
        self._stopping = False

    def send(self, fetch: Fetch) -> None:
        """Begin to send a file. Raises ControlError for what is not one of ours, and where too many are asked for."""
        path = take_file(self._folder, fetch.path)
        with self._lock:
            if self._stopping or self._waiting >= MOST_WAITING:
                raise ControlError(
                    f"{path.name} is not sent: {self._waiting} files wait already, expected at most {MOST_WAITING}"
                )
            self._waiting += 1
        self._threads.submit(self._deliver, fetch, path)

    def close(self) -> None:
        """Break off what is on the way and wait for the threads. Harmless twice."""
        with self._lock:
            self._stopping = True
            on_the_way = list(self._open)
        for connection in on_the_way:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it ended by itself
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, fetch: Fetch, path: Path) -> None:
        try:
            size = self._pour(fetch, path)
            self.delivered += 1
            _log.info("sent %s (%d bytes) to %s", path.name, size, fetch.to)
        except (OSError, ControlError) as error:
            self._complaints.add(
                f"transport {fetch.to.host}", f"{path.name} did not reach {fetch.to}: {error}", again_s=_AGAIN_S
            )
        finally:
            with self._lock:
                self._waiting -= 1

    def _pour(self, fetch: Fetch, path: Path) -> int:
        """Send the file as it is now: what is appended meanwhile is left out."""
        deadline_s = self._clock.now() + _WHOLE_S
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
                            "the file became shorter" if not chunk else f"not taken within {_WHOLE_S:.0f} s"
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
                raise ControlError("this program ends")
            self._open.add(connection)
