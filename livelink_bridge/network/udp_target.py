"""A UDP receiver that survives changes of its address, restarts of its machine and network outages."""

from __future__ import annotations

import errno
import logging
import math
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livelink_bridge.core.clock import Clock, MonotonicClock
from livelink_bridge.errors import BridgeError, SinkError
from livelink_bridge.network.udp_route import UDP_OPTIONS, ResolvedAddress, connect, is_hostname, resolve
from livelink_bridge.network.uri import Address

__all__ = ["UDP_OPTIONS", "Delivery", "UdpSink", "UdpTarget"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
"""Bounds of the pause between two attempts to resolve a receiver again, seconds. A show should not wait longer after a
cable is plugged in again."""

_REFUSED_S = 2.0
"""How long a refusal counts, seconds: a busy machine may send only one ICMP refusal per second."""
_FULL = {errno.ENOBUFS, errno.ENOMEM}
"""Errors of macOS and the BSDs, and of Linux and Windows under load, where other systems report EAGAIN: the send queue
is full, the route is fine."""

LONGEST_RESOLVE_S = 4.0
"""Seconds to wait for the first name lookup. The system's own limit may be 30 s and cannot be interrupted; the waiting
thread must return before a program that ends gives up on its threads."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Counters of a target's datagrams."""

    address: str
    """Current destination: resolved IP address and port."""
    sent: int
    """Datagrams that left this machine."""
    refused: int
    """ICMP port-unreachable answers: no program listens on the port."""
    lost: int
    """Datagrams that the system did not accept."""
    renewed: int
    """Times the target was reconnected: to another address, or with a new socket after a network outage."""


class UdpTarget:
    """One receiver. Sending never blocks and never raises.

    The constructor resolves its name, which may take seconds. It is resolved again, on a separate thread and at
    increasing intervals, when the receiver refuses datagrams or the network does not accept them; sending continues
    meanwhile.
    """

    def __init__(
        self,
        address: Address,
        *,
        clock: Clock | None = None,
        resolve: Callable[[Address], ResolvedAddress] = resolve,
        connect: Callable[[Address, ResolvedAddress], socket.socket] = connect,
        start: Callable[[Callable[[], None]], object] | None = None,
        resolve_s: float = LONGEST_RESOLVE_S,
    ) -> None:
        """
        Parameters
        ----------
        address : receiver
        clock, resolve, connect : injected for tests
        start : runs a slow function on another thread; default: a daemon thread
        resolve_s : seconds to wait for the first name lookup

        Raises
        ------
        SinkError : unknown host, or no route to it
        """
        self._address = address
        self._look_up, self._connect, self._start = resolve, connect, start or _run_in_background
        self._found = resolve_within(resolve_s, address, resolve)
        self._socket = connect(address, self._found)
        self._clock = clock or MonotonicClock()
        self._backoff = Backoff(self._clock)
        self._lock = threading.Lock()
        """Guards the next two attributes, which the lookup thread writes."""
        self._fresh: tuple[ResolvedAddress, socket.socket] | None = None
        self._closed = False
        self._looking = False
        self._down = False
        self._unrefused_since_s: float | None = None
        self._refused_s = -math.inf
        self._was_received = False
        self.sent = 0
        self.refused = 0
        self.lost = 0
        self.renewed = 0

    @property
    def found(self) -> ResolvedAddress:
        """Current destination."""
        return self._found

    @property
    def delivery(self) -> Delivery:
        """The counters, and the current destination."""
        return Delivery(str(self._found), self.sent, self.refused, self.lost, self.renewed)

    @property
    def unreachable(self) -> str | None:
        """Message that no program listens on the port, while the receiving machine reports so; None otherwise."""
        if self._clock.now() - self._refused_s > _REFUSED_S:
            return None
        return f"nothing listens on port {self._address.port} {'any more' if self._was_received else 'yet'}"

    @property
    def on_this_machine(self) -> bool:
        """Whether the receiver is on this machine."""
        try:
            return self._found.ip.is_loopback or self._socket.getsockname()[0] == self._found.address[0]
        except OSError:
            return False

    def send(self, datagram: bytes) -> bool:
        """Send one datagram. True when it left this machine, which does not mean that it arrived; False when the
        receiver refused it or the system did not accept it."""
        if self._fresh is not None:
            self._switch()
        if self._unrefused_since_s is None:
            self._unrefused_since_s = self._clock.now()
        try:
            self._send_past_refusal(datagram)
        except ConnectionError:  # refused again on the retry, so this one was not sent
            self.refused += 1
            return False
        except OSError as error:
            if isinstance(error, BlockingIOError) or error.errno in _FULL:
                self.lost += 1
            else:
                self._lose(error)
            return False
        self.sent += 1
        if self._down:
            self._down = False
            _log.info(
                "%s: sending to %s works again; %d datagrams were lost", self._address.uri, self._found, self.lost
            )
        return True

    def _send_past_refusal(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except ConnectionError:
            # The system reports the refusal of an earlier datagram instead of sending this one; the receiver may have
            # started since.
            self.refused += 1
            self._note_refusal()
            if is_hostname(self._address.host):  # the name may resolve to another address by now
                self._find_again(again_if_same=False)
            self._socket.send(datagram)

    def _note_refusal(self) -> None:
        now_s = self._clock.now()
        assert self._unrefused_since_s is not None
        self._was_received |= now_s - self._unrefused_since_s > _REFUSED_S
        self._refused_s = self._unrefused_since_s = now_s

    def _lose(self, error: OSError) -> None:
        self.lost += 1
        if not self._closed:
            if not self._down:
                _log.warning(
                    "%s: a datagram could not be sent: %s; will keep trying", self._address.uri, error.strerror or error
                )
            self._down = True
            self._find_again(again_if_same=True)

    def _find_again(self, *, again_if_same: bool) -> None:
        if self._looking or not self._backoff.due():
            return
        self._looking = True
        try:
            self._start(lambda: self._find(again_if_same))
        except RuntimeError:  # no thread available, or the program is ending
            self._looking = False

    def _find(self, again_if_same: bool) -> None:
        """On another thread: resolve the name and prepare a new socket."""
        try:
            found = self._look_up(self._address)
            if found == self._found and not again_if_same:
                return
            fresh = found, self._connect(self._address, found)
            with self._lock:
                if self._closed:
                    fresh[1].close()
                else:
                    self._fresh = fresh
        except BridgeError as error:
            _log.debug("could not reconnect: %s", error)
        finally:
            self._looking = False

    def _switch(self) -> None:
        """Use the prepared socket from now on."""
        with self._lock:
            if self._fresh is None:
                return
            self._socket.close()
            before, (self._found, self._socket), self._fresh = self._found, self._fresh, None
        self.renewed += 1
        if self._found != before:
            _log.info("%s: now sending to %s, no longer to %s", self._address.uri, self._found, before)

    def close(self) -> None:
        """Close the sockets. Harmless twice; does not wait for a name lookup in progress."""
        with self._lock:
            self._closed = True
            if self._fresh is not None:
                self._fresh[1].close()
                self._fresh = None
            self._socket.close()


def resolve_within(
    longest_s: float, address: Address, resolve: Callable[[Address], ResolvedAddress]
) -> ResolvedAddress:
    """Run `resolve` on a thread of its own.

    Parameters
    ----------
    longest_s : seconds to wait
    address : receiver
    resolve : the function to run

    Raises
    ------
    SinkError : it takes longer than `longest_s`; otherwise whatever `resolve` raises
    """
    results: list[ResolvedAddress | BaseException] = []

    def run() -> None:
        try:
            results.append(resolve(address))
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run, name="udp-look-up", daemon=True)
    thread.start()
    thread.join(longest_s)
    if not results:
        raise SinkError(
            f"{address.uri}: the name server did not resolve {address.host!r} within {longest_s:g} s; give an address "
            "instead"
        )
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


class Backoff:
    """Paces retries: the first at once, then after pauses that double; a quiet period resets them."""

    def __init__(self, clock: Clock, first_s: float = FIRST_PAUSE_S, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._clock = clock
        self._first_s = first_s
        self._longest_s = longest_s
        self._pause_s = 0.0
        self._next_s = clock.now()

    def due(self) -> bool:
        """Whether to retry now; if so, the next pause begins."""
        now_s = self._clock.now()
        if now_s < self._next_s:
            return False
        quiet = now_s >= self._next_s + self._longest_s
        self._pause_s = self._first_s if quiet or not self._pause_s else min(2 * self._pause_s, self._longest_s)
        self._next_s = now_s + self._pause_s
        return True


def _run_in_background(work: Callable[[], None]) -> None:
    """Run on a daemon thread, so that the program can end: the system's name lookup may take a minute and cannot be
    interrupted."""
    threading.Thread(target=work, name="udp-look-up", daemon=True).start()


class UdpSink:
    """Base of sinks with one UDP receiver. A subclass adds its MouthClose rule and a `send` that passes the datagrams
    of a frame to `_deliver`. `sent` and `errors` count frames, however many datagrams each takes.
    """

    def __init__(self, address: Address) -> None:
        self.name = address.uri
        self.sent = 0
        """Frames that left this machine."""
        self.errors = 0
        """Frames that could not be sent (ICMP port unreachable or OS error)."""
        self._target = UdpTarget(address)

    @property
    def trouble(self) -> str | None:
        """Why frames do not arrive, if known; None otherwise."""
        return self._target.unreachable

    def _deliver(self, datagrams: Iterable[bytes]) -> bool:
        """Send one frame. False when one of its datagrams did not leave this machine."""
        before = self._target.refused + self._target.lost
        sent = all([self._target.send(datagram) for datagram in datagrams])
        self.errors += self._target.refused + self._target.lost != before
        return sent

    @property
    def delivery(self) -> Delivery:
        """Counters of the datagrams."""
        return self._target.delivery

    def close(self) -> None:
        """Close the socket. Harmless twice."""
        self._target.close()
