"""A UDP port as Unreal opens it, and when each datagram arrived."""

from __future__ import annotations

import socket
import struct
import sys
import time
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

from livelink_bridge.errors import BridgeError

MAX_UDP = 65535
"""Read whole, however long: a datagram that Unreal would cut should be reported with its true length."""
RECEIVE_BUFFER = 1 << 20
"""Bytes the system may hold while we are busy: about 50 s of one subject at 60 Hz."""

_LINUX = sys.platform == "linux"
_SO_TIMESTAMPNS = 35
"""Linux's number for "tell when it arrived", on x86 and ARM; Python's socket module does not name it."""
_TIMESPEC = struct.Struct("@ll")
_OLDEST_S = 60.0
"""A datagram that seems to have waited longer was not read late: the clock of the day was set. The buffer holds some 50
s."""


class Arrival(NamedTuple):
    """A datagram that arrived."""

    datagram: bytes
    at_s: float
    """Seconds on the clock of its `Arrivals`."""
    sender: str
    """HOST:PORT it came from."""


class Arrivals:
    """An open port. Times are seconds on one clock, `now()`, that never jumps; its zero means nothing.

    On Linux the kernel stamps each datagram as it arrives, so that intervals are the network's and not those of a busy
    Python process (which wakes milliseconds late). Its stamps are of the clock of the day, which NTP may set at any
    moment: only how long ago it was is taken from them. Elsewhere the time is taken on waking.

    `shared` says that another program had the port open: of two, only one gets each datagram.
    """

    def __init__(self, port: int, host: str = "0.0.0.0") -> None:
        self.shared = port != 0 and not _is_free(host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            if _LINUX:
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            text = (
                f"UDP port {port} on {host} cannot be opened: {error.strerror or error}; close what holds it or "
                "choose another port"
            )
            raise BridgeError(text) from None
        self.port: int = self._socket.getsockname()[1]

    def now(self) -> float:
        return time.monotonic()

    def of_day(self, at_s: float) -> float:
        """Local seconds since midnight of a time on this clock, in [0, 86400)."""
        now = datetime.now()
        of_day_s = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        return (of_day_s - (self.now() - at_s)) % 86400

    def receive(self, timeout_s: float) -> tuple[bytes, float] | None:
        """The next datagram and its arrival time, or None when none came in time."""
        arrival = self.receive_from(timeout_s)
        return None if arrival is None else arrival[:2]

    def receive_from(self, timeout_s: float) -> Arrival | None:
        """The next datagram, when and from where it arrived, or None when none came in time."""
        self._socket.settimeout(timeout_s)
        try:
            if not _LINUX:
                datagram, sender = self._socket.recvfrom(MAX_UDP)
                return Arrival(datagram, self.now(), _as_text(sender))
            datagram, extras, _, sender = self._socket.recvmsg(MAX_UDP, socket.CMSG_SPACE(_TIMESPEC.size))
        except TimeoutError:
            return None
        return Arrival(datagram, self._kernel_time(extras), _as_text(sender))

    def _kernel_time(self, extras: list[tuple[int, int, bytes]]) -> float:
        for level, kind, data in extras:
            if (level, kind, len(data)) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS, _TIMESPEC.size):
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                return self.now() - _age_s(seconds + nanoseconds * 1e-9)
        return self.now()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _age_s(stamped_s: float) -> float:
    """How long ago a time of the clock of the day was; 0 where that clock was set in between."""
    age_s = time.time() - stamped_s
    return age_s if 0 <= age_s <= _OLDEST_S else 0.0


def _as_text(sender: tuple[str, int]) -> str:
    return f"{sender[0]}:{sender[1]}"


def _is_free(host: str, port: int) -> bool:
    """Whether the port could be had alone. Opening it as Unreal does, shared, succeeds even where another program has
    it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        try:
            alone.bind((host, port))
        except OSError:
            return False
    return True
