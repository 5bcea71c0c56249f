"""iFacialMocap sink: sends the phone app's text to the receiver in the URI, and to receivers that request it with a
handshake, as the phone does."""

from __future__ import annotations

import ipaddress
import logging
import socket
from dataclasses import dataclass

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.errors import BridgeError, WireError
from livelink_bridge.network.udp_target import UDP_OPTIONS, Delivery, UdpSink, UdpTarget
from livelink_bridge.network.uri import Address, read_uri
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.ifacialmocap import HANDSHAKE_TCP, PORT, Version, encode, read_handshake

MAX_SUBSCRIBERS = 8
"""Receivers served at a time: a further one replaces the one whose last handshake is oldest."""
DROP_AFTER = 120
"""Refused datagrams, two seconds of them, after which a subscriber is dropped. It may send another handshake."""

_READ_PER_FRAME = 8
_LONGEST_HANDSHAKE = 512
_MAX_LOGGED = 32

_log = logging.getLogger(__name__)


def read_listen(text: str) -> tuple[str, int] | None:
    """Parse `off`, PORT or ADDRESS:PORT: where to receive handshakes; None for off. Raises ValueError."""
    if text == "off":
        return None
    host, _, port = text.rpartition(":")
    try:
        ipaddress.ip_address(host := host.strip("[]") or "0.0.0.0")
        if port.isdecimal() and 1 <= int(port) <= 65535:
            return host, int(port)
    except ValueError:
        pass
    raise ValueError(
        f"off, a port from 1 to 65535, or one of this machine's addresses and a port such as 127.0.0.2:{PORT}"
    )


IFACIALMOCAP_OPTIONS = {**UDP_OPTIONS, "listen": read_listen}


class IFacialMocapSink(UdpSink):
    """`ifacialmocap://HOST:PORT?listen=PORT`. HOST gets version 1 from the first frame on, without a handshake, and
    version 2 if it requests that.

    The sink receives handshakes on UDP port 49983 of this machine at any time and answers to port 49983 of the
    requesting machine, as the phone does. When HOST is this machine, the receiver itself holds that port, so handshakes
    need `listen=`. MouthClose as ARKit defines it.
    """

    closure: LipRule = "arkit"

    def __init__(self, uri: str, *, answer_port: int = PORT) -> None:
        """
        Parameters
        ----------
        uri : see the class
        answer_port : UDP port of the receivers that send handshakes

        Raises
        ------
        UsageError : malformed URI
        SinkError : unknown host
        """
        address = read_uri(uri, IFACIALMOCAP_OPTIONS)
        super().__init__(address)
        self._version: Version = 1
        self._subscribers = Subscribers(answer_port)
        default = ("0.0.0.0", PORT) if not self._target.on_this_machine else None
        self._handshakes = open_handshake_socket(uri, address.options.get("listen", default))
        self._tcp_logged = False

    @property
    def subscribers(self) -> tuple[Delivery, ...]:
        """The receivers served because of a handshake, the most recent handshake last."""
        return self._subscribers.deliveries

    @property
    def listens_on(self) -> tuple[str, int] | None:
        """Address and port that receive handshakes; None when none are received."""
        return self._handshakes.getsockname()[:2] if self._handshakes is not None else None

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Send one frame to the receiver and the subscribers; see `Sink.send`."""
        self._read_handshakes()
        text = encode(weights, self._version)
        self.sent += self._deliver([text])
        if self._subscribers:
            self._subscribers.send({self._version: text}, weights)

    def close(self) -> None:
        """Close all sockets. Harmless twice."""
        super().close()
        self._subscribers.close()
        if self._handshakes is not None:
            self._handshakes.close()
            self._handshakes = None

    def _read_handshakes(self) -> None:
        """Read a few of the datagrams that have arrived: a flood of them must not delay a frame."""
        if self._handshakes is None:
            return
        for _ in range(_READ_PER_FRAME):
            try:
                request, sender = self._handshakes.recvfrom(_LONGEST_HANDSHAKE)
            except BlockingIOError:
                return
            except OSError:  # too long for a handshake, or the refusal of an earlier answer
                continue
            self._accept(request, str(sender[0]))

    def _accept(self, request: bytes, host: str) -> None:
        try:
            version = read_handshake(request)
        except WireError:
            if request.startswith(HANDSHAKE_TCP) and not self._tcp_logged:
                self._tcp_logged = True
                _log.warning("%s: %s sent a handshake for TCP, which is not supported; set it to UDP", self.name, host)
            return
        if (host, self._subscribers.port) == self._target.found.address[:2]:
            self._version = version
        else:
            self._subscribers.add(host, version)


@dataclass(slots=True)
class _Subscriber:
    target: UdpTarget
    version: Version
    refused_before: int = 0
    """Refusals until its last handshake."""


class Subscribers:
    """Receivers that sent a handshake: at most MAX_SUBSCRIBERS, each with the version it requested, the most recent
    handshake last."""

    def __init__(self, port: int) -> None:
        self.port = port
        """UDP port of all subscribers."""
        self._by_host: dict[str, _Subscriber] = {}
        self._logged = 0

    def __bool__(self) -> bool:
        return bool(self._by_host)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Counters of each subscriber's datagrams."""
        return tuple(subscriber.target.delivery for subscriber in tuple(self._by_host.values()))

    def add(self, host: str, version: Version) -> None:
        """Serve `host` in `version` from now on."""
        subscriber = self._by_host.pop(host, None) or self._new(host, version)
        if subscriber is None:
            return
        subscriber.version, subscriber.refused_before = version, subscriber.target.refused
        while len(self._by_host) >= MAX_SUBSCRIBERS:
            self._drop(next(iter(self._by_host)), "too many receivers, others asked more recently")
        self._by_host[host] = subscriber

    def send(self, texts: dict[Version, bytes], weights: Weights) -> None:
        """Send one frame to each subscriber in its version.

        Parameters
        ----------
        texts : datagrams encoded so far, by version; missing ones are added
        weights : float32 (61,) in wire order
        """
        for host, subscriber in tuple(self._by_host.items()):
            if subscriber.version not in texts:
                texts[subscriber.version] = encode(weights, subscriber.version)
            subscriber.target.send(texts[subscriber.version])
            if subscriber.target.refused - subscriber.refused_before >= DROP_AFTER:
                self._drop(host, "nothing listens there")

    def close(self) -> None:
        """Close the sockets of all subscribers."""
        for subscriber in self._by_host.values():
            subscriber.target.close()
        self._by_host.clear()

    def _new(self, host: str, version: Version) -> _Subscriber | None:
        try:
            target = UdpTarget(Address(f"ifacialmocap, asked by {host}", host, self.port))
        except BridgeError as error:
            _log.warning("%s", error)
            return None
        self._logged += 1
        _log.log(_level(self._logged), "iFacialMocap: %s asked for version %d and gets it", host, version)
        return _Subscriber(target, version)

    def _drop(self, host: str, reason: str) -> None:
        self._by_host.pop(host).target.close()
        _log.log(_level(self._logged), "iFacialMocap: no longer sending to %s: %s", host, reason)


def _level(logged: int) -> int:
    """Log level of the next line: forged handshakes must not fill the log."""
    return logging.INFO if logged <= _MAX_LOGGED else logging.DEBUG


def open_handshake_socket(uri: str, at: tuple[str, int] | None) -> socket.socket | None:
    """Bind the socket that receives handshakes.

    Parameters
    ----------
    uri : the sink's, for the warning
    at : IP address and port; None opens nothing

    Returns
    -------
    The socket; None, after a warning, where it cannot be bound: the receiver in the URI still gets its packets
    """
    if at is None:
        return None
    sock = socket.socket(socket.AF_INET6 if ":" in at[0] else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind(at)
    except OSError as error:
        sock.close()
        _log.warning(
            "%s: handshakes cannot be received on %s port %d: %s; give another with listen=, or listen=off",
            uri,
            *at,
            error.strerror or error,
        )
        return None
    return sock
