"""The control port: one UDP socket, one thread."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterable
from pathlib import Path

from livelink_bridge.core.clock import Clock
from livelink_bridge.errors import BridgeError, WireError
from livelink_bridge.network.access import TokenBucket
from livelink_bridge.network.peers import Endpoint, Peers
from livelink_bridge.remote_control.interface import RemoteInterface
from livelink_bridge.remote_control.messages import ControlError, Fetch, Reply
from livelink_bridge.remote_control.protocol import RemoteProtocol
from livelink_bridge.remote_control.transport import Transport
from livelink_bridge.wire.osc.decode import Message, decode
from livelink_bridge.wire.osc.encode import message as osc_message

PORT = 8000
"""The port at which Switchboard expects a phone."""
_MAX_DATAGRAM = 65535
_POLL_S = 0.1
_MAX_MESSAGES = 64
"""Per datagram; further messages in it are ignored."""
_DATAGRAMS_PER_S = 500
"""Rate limit, with bursts of the same number. Further datagrams wait in the socket's buffer and are dropped there, so
that a flood takes no time from the face."""
_LOG_INTERVAL_S = 5.0

_log = logging.getLogger(__name__)


class Server:
    """The control port. The constructor binds it; `run` is the thread's body and `stop` ends it, for a `Runner`."""

    def __init__(
        self, remote: RemoteInterface, peers: Peers, *, port: int = PORT, clock: Clock, takes: Path | None = None
    ) -> None:
        """
        Parameters
        ----------
        remote : the session to control
        peers : the address to bind and the addresses that may send messages
        port : UDP port; 0 takes any free one
        clock : for the rate limit and the rate of log lines
        takes : folder of recorded takes, whose files peers may request

        Raises BridgeError if the port cannot be opened.
        """
        self.refused = 0
        """Datagrams from peers that are not allowed."""
        self.session = RemoteProtocol(remote, peers, clock=clock, takes=takes)
        self._problems = self.session.problems
        self._peers, self._clock = peers, clock
        self._socket = _open_port(peers.host, port)
        self.port: int = self._socket.getsockname()[1]
        self._transport = Transport(takes, clock=clock, problems=self._problems)
        self._allowance = TokenBucket(_DATAGRAMS_PER_S, clock.now())
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Receive and carry out messages until `stop`."""
        try:
            while not self._stopping.is_set():
                self._receive()
        finally:
            with self._lock:
                self._carry_out(self.session.leave())
            self._transport.close()
            self._socket.close()

    def stop(self) -> None:
        """End `run`, from any thread. Harmless twice."""
        self._stopping.set()

    def local_take_started(self, slate: str, take: int) -> None:
        """Tell all send targets that a take was started on this machine. Thread-safe."""
        with self._lock:
            self._carry_out(self.session.local_take_started(slate, take))

    def local_take_stopped(self) -> None:
        """Tell all send targets that a take was ended on this machine. Thread-safe."""
        with self._lock:
            self._carry_out(self.session.local_take_stopped())

    def _receive(self) -> None:
        try:
            datagram, sender = self._socket.recvfrom(_MAX_DATAGRAM)
        except TimeoutError:
            return
        except ConnectionError:  # Windows reports the ICMP port unreachable of an earlier reply here
            return
        except OSError as error:
            self._problems.add(
                "receive", f"nothing can be received: {error.strerror or error}", interval_s=_LOG_INTERVAL_S
            )
            self._clock.wait_until(self._clock.now() + _POLL_S, self._stopping)
            return
        now_s = self._clock.now()
        self._clock.wait_until(now_s + self._allowance.wait_s(now_s), self._stopping)
        self.handle(Endpoint(*sender), datagram)

    def handle(self, peer: Endpoint, datagram: bytes) -> None:
        """Decode and carry out one datagram. Never raises for its contents."""
        if not self._peers.allows(peer.host):
            self.refused += 1
            self._problems.add(
                f"stranger {peer.host}",
                f"{peer.host} is not an allowed peer; to allow it, add --control-allow {peer.host}",
            )
            return
        try:
            messages = decode(datagram)
        except WireError as error:
            self._problems.add(f"not OSC {peer.host}", f"{peer} sent {len(datagram)} bytes that are not OSC: {error}")
            return
        if len(messages) > _MAX_MESSAGES:
            self._problems.add(
                f"many {peer.host}", f"{peer} sent {len(messages)} messages at once, expected at most {_MAX_MESSAGES}"
            )
        for message in messages[:_MAX_MESSAGES]:
            self._handle_message(peer, message)

    def _handle_message(self, peer: Endpoint, message: Message) -> None:
        try:
            with self._lock:
                self._carry_out(self.session.handle(peer, message.address, message.arguments))
        except Exception as error:  # a bug in one action must not end remote control
            line = f"{message.address} from {peer.host} has failed: {type(error).__name__}: {error}; please report it"
            self._problems.add(f"failed {message.address}", line)

    def _carry_out(self, outcomes: Iterable[Reply | Fetch]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Fetch):
                self._fetch(outcome)
            else:
                self._reply(outcome)

    def _reply(self, reply: Reply) -> None:
        try:
            self._socket.sendto(encode(reply), reply.to)
        except ConnectionError:
            pass  # an earlier reply was refused; the peer's next request is answered again
        except OSError as error:
            line = f"{reply.address} cannot be sent to {reply.to}: {error.strerror or error}"
            self._problems.add(f"reply {reply.to.host}", line, interval_s=_LOG_INTERVAL_S)

    def _fetch(self, fetch: Fetch) -> None:
        try:
            self._transport.send(fetch)
        except ControlError as error:
            self._problems.add(
                f"transport {fetch.to.host}", f"/Transport from {fetch.to.host}: {error}", interval_s=_LOG_INTERVAL_S
            )


def encode(reply: Reply) -> bytes:
    """A reply as an OSC message: str as s, int as i, float as f."""
    return osc_message(reply.address, *reply.arguments).raw


def _open_port(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BridgeError(
            f"control port {port} on {host} cannot be opened: {reason}; close the program that holds it or choose "
            "another with --control"
        ) from None
    sock.settimeout(_POLL_S)
    return sock
