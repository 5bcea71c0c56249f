"""A UDP receive port, opened as Unreal opens it, with the arrival time of each datagram."""

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
"""Bytes to read: a datagram that Unreal would truncate should be reported with its true length."""
RECEIVE_BUFFER = 1 << 20
"""Bytes of the system's receive buffer: about 50 s of one subject at 60 Hz."""

_LINUX = sys.platform == "linux"
_SO_TIMESTAMPNS = 35
"""Linux's socket option for arrival timestamps, on x86 and ARM; Python's socket module does not define it."""
_TIMESPEC = struct.Struct("@ll")
_OLDEST_S = 60.0
"""A datagram that seems older was not read late: the system's time of day was set meanwhile. The buffer holds about
50 s."""


class Arrival(NamedTuple):
    """A received datagram."""

    datagram: bytes
    """Its bytes."""
    at_s: float
    """Arrival time, seconds on the clock of its `Arrivals`."""
    sender: str
    """HOST:PORT of the sender."""


class Arrivals:
    """An open UDP port. Times are seconds of one monotonic clock, `now()`, with an arbitrary zero.

    On Linux the kernel timestamps each datagram on arrival, so that intervals are those of the network and not of a
    busy Python process (which wakes milliseconds late). Those timestamps use the time of day, which NTP may set at any
    moment, so only the age of a datagram is taken from them. On other systems the time is taken after waking.
    """

    def __init__(self, port: int, host: str = "0.0.0.0") -> None:
        """
        Parameters
        ----------
        port : UDP port; 0 lets the system choose one
        host : IPv4 address to bind to

        Raises
        ------
        BridgeError : the port cannot be opened
        """
        self.shared = port != 0 and not _is_free(host, port)
        """Whether another program had the port open: each datagram reaches only one of the two."""
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
        """The port that was opened."""

    def now(self) -> float:
        """Current time, seconds of the monotonic clock that arrival times use."""
        return time.monotonic()

    def of_day(self, at_s: float) -> float:
        """Convert a time of this clock to local seconds since midnight, in [0, 86400)."""
        now = datetime.now()
        of_day_s = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        return (of_day_s - (self.now() - at_s)) % 86400

    def receive(self, timeout_s: float) -> tuple[bytes, float] | None:
        """The next datagram and its arrival time, seconds; None when none arrives within `timeout_s`."""
        arrival = self.receive_from(timeout_s)
        return None if arrival is None else arrival[:2]

    def receive_from(self, timeout_s: float) -> Arrival | None:
        """The next datagram with arrival time and sender; None when none arrives within `timeout_s`."""
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
        """Close the socket. Harmless twice."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _age_s(stamped_s: float) -> float:
    """Age of a time-of-day timestamp, seconds; 0 when the system's time was set in between."""
    age_s = time.time() - stamped_s
    return age_s if 0 <= age_s <= _OLDEST_S else 0.0


def _as_text(sender: tuple[str, int]) -> str:
    return f"{sender[0]}:{sender[1]}"


def _is_free(host: str, port: int) -> bool:
    """Whether the port can be bound exclusively. Binding it shared, as Unreal does, succeeds even if another program
    has it open."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as exclusive:
        try:
            exclusive.bind((host, port))
        except OSError:
            return False
    return True
