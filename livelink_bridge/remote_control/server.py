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
"""Where Switchboard expects a phone."""
_LONGEST = 65535
_WAKE_S = 0.1
_MOST_MESSAGES = 64
"""In one datagram; the rest of it is left out."""
_DATAGRAMS_PER_S = 500
"""Beyond this, after a burst of as many, they wait in the system's buffer and are lost there: the face comes first."""
_AGAIN_S = 5.0

_log = logging.getLogger(__name__)


class Server:
    """Listening from the moment it is made; `run` is the thread's body and `stop` its cancel, for a `Runner`."""

    def __init__(
        self, stage: RemoteInterface, peers: Peers, *, port: int = PORT, clock: Clock, takes: Path | None = None
    ) -> None:
        """`takes` is the folder takes are recorded into; `port` 0 takes any that is free. Raises BridgeError where it
        cannot be opened."""
        self.strangers = 0
        """Datagrams of peers that are not allowed."""
        self.session = RemoteProtocol(stage, peers, clock=clock, takes=takes)
        self._complaints = self.session.complaints
        self._peers, self._clock = peers, clock
        self._socket = _listen(peers.host, port)
        self.port: int = self._socket.getsockname()[1]
        self._transport = Transport(takes, clock=clock, complaints=self._complaints)
        self._allowance = TokenBucket(_DATAGRAMS_PER_S, clock.now())
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Listen until `stop`."""
        try:
            while not self._stopping.is_set():
                self._receive()
        finally:
            with self._lock:
                self._do(self.session.leave())
            self._transport.close()
            self._socket.close()

    def stop(self) -> None:
        """End `run`, from any thread. Harmless twice."""
        self._stopping.set()

    def started_here(self, slate: str, take: int) -> None:
        """Tell everybody that a take was begun on this machine. From any thread."""
        with self._lock:
            self._do(self.session.started_here(slate, take))

    def stopped_here(self) -> None:
        """Tell everybody that a take was ended on this machine. From any thread."""
        with self._lock:
            self._do(self.session.stopped_here())

    def _receive(self) -> None:
        try:
            datagram, sender = self._socket.recvfrom(_LONGEST)
        except TimeoutError:
            return
        except ConnectionError:  # nobody listens where a reply went; Windows says so here
            return
        except OSError as error:
            self._complaints.add("receive", f"nothing can be received: {error.strerror or error}", again_s=_AGAIN_S)
            self._clock.wait_until(self._clock.now() + _WAKE_S, self._stopping)
            return
        now_s = self._clock.now()
        self._clock.wait_until(now_s + self._allowance.wait_s(now_s), self._stopping)
        self.hear(Endpoint(*sender), datagram)

    def hear(self, peer: Endpoint, datagram: bytes) -> None:
        """Heed one datagram. Never raises for what is in it."""
        if not self._peers.allows(peer.host):
            self.strangers += 1
            self._complaints.add(
                f"stranger {peer.host}", f"{peer.host} is not heard; to let it in, add --control-allow {peer.host}"
            )
            return
        try:
            messages = decode(datagram)
        except WireError as error:
            self._complaints.add(f"not OSC {peer.host}", f"{peer} sent {len(datagram)} bytes that are not OSC: {error}")
            return
        if len(messages) > _MOST_MESSAGES:
            self._complaints.add(
                f"many {peer.host}", f"{peer} sent {len(messages)} messages at once, expected at most {_MOST_MESSAGES}"
            )
        for message in messages[:_MOST_MESSAGES]:
            self._obey(peer, message)

    def _obey(self, peer: Endpoint, message: Message) -> None:
        try:
            with self._lock:
                self._do(self.session.hear(peer, message.address, message.arguments))
        except Exception as error:  # a mistake of ours in one message's way: the others are still obeyed
            line = f"{message.address} from {peer.host} has failed: {type(error).__name__}: {error}; please report it"
            self._complaints.add(f"failed {message.address}", line)

    def _do(self, outcomes: Iterable[Reply | Fetch]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Fetch):
                self._fetch(outcome)
            else:
                self._reply(outcome)

    def _reply(self, reply: Reply) -> None:
        try:
            self._socket.sendto(encode(reply), reply.to)
        except ConnectionError:
            pass  # an earlier reply was refused; this one comes again with the next question
        except OSError as error:
            line = f"{reply.address} cannot be sent to {reply.to}: {error.strerror or error}"
            self._complaints.add(f"reply {reply.to.host}", line, again_s=_AGAIN_S)

    def _fetch(self, fetch: Fetch) -> None:
        try:
            self._transport.send(fetch)
        except ControlError as error:
            self._complaints.add(
                f"transport {fetch.to.host}", f"/Transport from {fetch.to.host}: {error}", again_s=_AGAIN_S
            )


def encode(reply: Reply) -> bytes:
    """A reply as OSC: texts s, whole numbers i, others f."""
    return osc_message(reply.address, *reply.arguments).raw


def _listen(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BridgeError(
            f"control port {port} on {host} cannot be opened: {reason}; close what holds it or choose another with "
            "--control"
        ) from None
    sock.settimeout(_WAKE_S)
    return sock
