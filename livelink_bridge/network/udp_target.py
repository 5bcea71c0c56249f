"""A place datagrams go, whatever happens to its name, its machine and the network in between."""

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
from livelink_bridge.network.udp_route import UDP_OPTIONS, Found, connect, is_name, look_up
from livelink_bridge.network.uri import Address

__all__ = ["UDP_OPTIONS", "Delivery", "UdpSink", "UdpTarget"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
"""Between two attempts to find a receiver again. A show does not wait longer for a cable that is back."""

_DEAF_S = 2.0
"""How long a refusal counts: a machine that is asked often may refuse only once a second."""
_FULL = {errno.ENOBUFS, errno.ENOMEM}
"""What macOS and the BSDs say, Linux and Windows under load, where another system says EAGAIN: the queue is full, the
way is good."""

LONGEST_LOOK_UP_S = 4.0
"""The system's own limit may be half a minute, and nothing can interrupt it: whoever waits has to be free before a
program that ends gives up on its threads."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a target's datagrams until now."""

    address: str
    """Where they go: the address that the host's name was found to have, and the port."""
    sent: int
    """Datagrams that left this machine."""
    refused: int
    """Times the receiving machine said that nobody listens on the port."""
    lost: int
    """Datagrams that the system could not take."""
    renewed: int
    """Times the receiver was found anew: at another address, or by a new socket after the network was away."""


class UdpTarget:
    """One receiver. Sending never waits and never raises.

    Its name is looked up when it is made, which may take seconds, and again when its machine refuses datagrams or the
    network takes
    none: in a thread of its own, at a pace that slows down, while sending goes on as before.
    """

    def __init__(
        self,
        address: Address,
        *,
        clock: Clock | None = None,
        look_up: Callable[[Address], Found] = look_up,
        connect: Callable[[Address, Found], socket.socket] = connect,
        start: Callable[[Callable[[], None]], object] | None = None,
        look_up_s: float = LONGEST_LOOK_UP_S,
    ) -> None:
        """`start` runs what takes long beside the sender. Raises SinkError for a host that is unknown or that there is
        no way to."""
        self._address = address
        self._look_up, self._connect, self._start = look_up, connect, start or _beside
        self._found = within(look_up_s, address, look_up)
        self._socket = connect(address, self._found)
        self._clock = clock or MonotonicClock()
        self._pace = Pace(self._clock)
        self._lock = threading.Lock()
        """Over the next two, which the looking-up thread writes."""
        self._fresh: tuple[Found, socket.socket] | None = None
        self._closed = False
        self._looking = False
        self._down = False
        self._unrefused_since_s: float | None = None
        self._refused_s = -math.inf
        self._was_heard = False
        self.sent = 0
        self.refused = 0
        self.lost = 0
        self.renewed = 0

    @property
    def found(self) -> Found:
        """Where datagrams go now."""
        return self._found

    @property
    def delivery(self) -> Delivery:
        return Delivery(str(self._found), self.sent, self.refused, self.lost, self.renewed)

    @property
    def unheard(self) -> str | None:
        """That nobody listens where datagrams go, for as long as the receiving machine says so; None otherwise."""
        if self._clock.now() - self._refused_s > _DEAF_S:
            return None
        return f"nobody listens on port {self._address.port} {'any more' if self._was_heard else 'yet'}"

    @property
    def on_this_machine(self) -> bool:
        """Whether what is sent comes out where it went in."""
        try:
            return self._found.ip.is_loopback or self._socket.getsockname()[0] == self._found.address[0]
        except OSError:
            return False

    def send(self, datagram: bytes) -> bool:
        """True when the datagram left this machine, which is all that is known of it; False when the system took
        none."""
        if self._fresh is not None:
            self._move()
        if self._unrefused_since_s is None:
            self._unrefused_since_s = self._clock.now()
        try:
            self._send_past_refusal(datagram)
        except ConnectionError:  # a second time, so this one was not sent
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
                "%s: datagrams leave again, for %s; %d were lost until now", self._address.uri, self._found, self.lost
            )
        return True

    def _send_past_refusal(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except ConnectionError:
            # The system reports an earlier datagram's refusal instead of sending this one; the receiver may have
            # started since.
            self.refused += 1
            self._hear_refusal()
            if is_name(self._address.host):  # its machine may have another address by now
                self._find_again(again_if_same=False)
            self._socket.send(datagram)

    def _hear_refusal(self) -> None:
        now_s = self._clock.now()
        assert self._unrefused_since_s is not None
        self._was_heard |= now_s - self._unrefused_since_s > _DEAF_S
        self._refused_s = self._unrefused_since_s = now_s

    def _lose(self, error: OSError) -> None:
        self.lost += 1
        if not self._closed:
            if not self._down:
                _log.warning(
                    "%s: a datagram could not be sent: %s; trying on", self._address.uri, error.strerror or error
                )
            self._down = True
            self._find_again(again_if_same=True)

    def _find_again(self, *, again_if_same: bool) -> None:
        if self._looking or not self._pace.due():
            return
        self._looking = True
        try:
            self._start(lambda: self._find(again_if_same))
        except RuntimeError:  # no thread to be had, or the program is ending
            self._looking = False

    def _find(self, again_if_same: bool) -> None:
        """Beside the sender: look the name up and have a new socket ready."""
        try:
            found = self._look_up(self._address)
            if found == self._found and not again_if_same:
                return
            made = found, self._connect(self._address, found)
            with self._lock:
                if self._closed:
                    made[1].close()
                else:
                    self._fresh = made
        except BridgeError as error:
            _log.debug("not found again: %s", error)
        finally:
            self._looking = False

    def _move(self) -> None:
        """Send to the receiver's new address, or by a new socket, from now on."""
        with self._lock:
            if self._fresh is None:
                return
            self._socket.close()
            before, (self._found, self._socket), self._fresh = self._found, self._fresh, None
        self.renewed += 1
        if self._found != before:
            _log.info("%s: sends to %s now, no longer to %s", self._address.uri, self._found, before)

    def close(self) -> None:
        """Free the sockets. Harmless twice; does not wait for a name that is being looked up."""
        with self._lock:
            self._closed = True
            if self._fresh is not None:
                self._fresh[1].close()
                self._fresh = None
            self._socket.close()


def within(longest_s: float, address: Address, look_up: Callable[[Address], Found]) -> Found:
    """What `look_up` says, on a thread of its own. Raises what it raises, and SinkError where it takes longer than
    `longest_s`."""
    answers: list[Found | BaseException] = []

    def ask() -> None:
        try:
            answers.append(look_up(address))
        except BaseException as error:
            answers.append(error)

    asking = threading.Thread(target=ask, name="udp-look-up", daemon=True)
    asking.start()
    asking.join(longest_s)
    if not answers:
        raise SinkError(
            f"{address.uri}: the name server says nothing of {address.host!r} within {longest_s:g} s; give an address "
            "instead"
        )
    if isinstance(answers[0], BaseException):
        raise answers[0]
    return answers[0]


class Pace:
    """When to try again: at once, then after pauses that double; a quiet while makes them short again."""

    def __init__(self, clock: Clock, first_s: float = FIRST_PAUSE_S, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._clock = clock
        self._first_s = first_s
        self._longest_s = longest_s
        self._pause_s = 0.0
        self._next_s = clock.now()

    def due(self) -> bool:
        """Whether it is time; if so, the next pause begins."""
        now_s = self._clock.now()
        if now_s < self._next_s:
            return False
        quiet = now_s >= self._next_s + self._longest_s
        self._pause_s = self._first_s if quiet or not self._pause_s else min(2 * self._pause_s, self._longest_s)
        self._next_s = now_s + self._pause_s
        return True


def _beside(work: Callable[[], None]) -> None:
    """In a thread that does not keep the program from ending: nothing can interrupt the system's looking-up, which may
    take a minute."""
    threading.Thread(target=work, name="udp-look-up", daemon=True).start()


class UdpSink:
    """What sinks with one receiver of datagrams have in common; each adds its lip rule and `send`, which passes a
    pose's datagrams to `_deliver`. `sent` and `errors` count poses, however many datagrams each takes.
    """

    def __init__(self, address: Address) -> None:
        self.name = address.uri
        self.sent = 0
        """Poses that left this machine."""
        self.errors = 0
        """Poses that were refused, since nobody listens, or that the system could not send."""
        self._target = UdpTarget(address)

    @property
    def trouble(self) -> str | None:
        """Why poses do not arrive, as far as that is known."""
        return self._target.unheard

    def _deliver(self, datagrams: Iterable[bytes]) -> bool:
        """Send one pose. False when a datagram of it did not leave this machine."""
        before = self._target.refused + self._target.lost
        left = all([self._target.send(datagram) for datagram in datagrams])
        self.errors += self._target.refused + self._target.lost != before
        return left

    @property
    def delivery(self) -> Delivery:
        """What became of the datagrams."""
        return self._target.delivery

    def close(self) -> None:
        self._target.close()
