"""iFacialMocap: the phone app's text to whoever is named, and to whoever asks as one would ask the phone."""

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

MOST_ASKERS = 8
"""Receivers answered at a time: who asks when there are more takes the place of the one that has not asked for
longest."""
DEAF_AFTER = 120
"""Refused datagrams, two seconds of them, after which an asker is taken to be closed. It may ask again."""

_READ_PER_POSE = 8
_LONGEST_HANDSHAKE = 512
_MOST_TOLD = 32

_log = logging.getLogger(__name__)


def read_listen(text: str) -> tuple[str, int] | None:
    """`off`, PORT or ADDRESS:PORT: where handshakes are heard. Raises ValueError."""
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
    """`ifacialmocap://HOST:PORT?listen=PORT`. HOST gets version 1 unasked from the first pose on, and another version
    if it asks.

    Handshakes are heard on UDP 49983 of this machine, at any time, and answered to port 49983 of the asker, as the
    phone does. They are not when HOST is this machine: the receiver there holds that port itself, so one has to be
    given. MouthClose as ARKit means it.
    """

    closure: LipRule = "arkit"

    def __init__(self, uri: str, *, answer_port: int = PORT) -> None:
        """`answer_port` is where askers listen. Raises UsageError for a malformed URI, SinkError for an unknown
        host."""
        address = read_uri(uri, IFACIALMOCAP_OPTIONS)
        super().__init__(address)
        self._version: Version = 1
        self._askers = Askers(answer_port)
        heard_at = ("0.0.0.0", PORT) if not self._target.on_this_machine else None
        self._door = open_door(uri, address.options.get("listen", heard_at))
        self._told_of_tcp = False

    @property
    def asking(self) -> tuple[Delivery, ...]:
        """The receivers that asked and are answered, the one that asked last at the end."""
        return self._askers.deliveries

    @property
    def listens_on(self) -> tuple[str, int] | None:
        """Where handshakes are heard; None where they are not."""
        return self._door.getsockname()[:2] if self._door is not None else None

    def send(self, weights: Weights, stamp: Stamp) -> None:
        self._hear()
        text = encode(weights, self._version)
        self.sent += self._deliver([text])
        if self._askers:
            self._askers.send({self._version: text}, weights)

    def close(self) -> None:
        super().close()
        self._askers.close()
        if self._door is not None:
            self._door.close()
            self._door = None

    def _hear(self) -> None:
        """Read what has arrived, a few datagrams at most: a flood of them must not hold a pose up."""
        if self._door is None:
            return
        for _ in range(_READ_PER_POSE):
            try:
                asked, asker = self._door.recvfrom(_LONGEST_HANDSHAKE)
            except BlockingIOError:
                return
            except OSError:  # too long for a handshake, or an earlier answer's refusal
                continue
            self._admit(asked, str(asker[0]))

    def _admit(self, asked: bytes, host: str) -> None:
        try:
            version = read_handshake(asked)
        except WireError as error:
            if asked.startswith(HANDSHAKE_TCP) and not self._told_of_tcp:
                self._told_of_tcp = True
                _log.warning("%s: %s asks for %s; set it to UDP", self.name, host, error.reason.partition(";")[0])
            return
        if (host, self._askers.port) == self._target.found.address[:2]:
            self._version = version
        else:
            self._askers.admit(host, version)


@dataclass(slots=True)
class _Asker:
    target: UdpTarget
    version: Version
    refused_before: int = 0
    """Refusals until it last asked."""


class Askers:
    """Receivers that asked: few, each with the version it wants, the one that asked last at the end."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._by_host: dict[str, _Asker] = {}
        self._told = 0

    def __bool__(self) -> bool:
        return bool(self._by_host)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        return tuple(asker.target.delivery for asker in tuple(self._by_host.values()))

    def admit(self, host: str, version: Version) -> None:
        """Answer it from now on."""
        asker = self._by_host.pop(host, None) or self._new(host, version)
        if asker is None:
            return
        asker.version, asker.refused_before = version, asker.target.refused
        while len(self._by_host) >= MOST_ASKERS:
            self._drop(next(iter(self._by_host)), "others asked since")
        self._by_host[host] = asker

    def send(self, texts: dict[Version, bytes], weights: Weights) -> None:
        """The pose to each in its version; `texts` are those already made."""
        for host, asker in tuple(self._by_host.items()):
            if asker.version not in texts:
                texts[asker.version] = encode(weights, asker.version)
            asker.target.send(texts[asker.version])
            if asker.target.refused - asker.refused_before >= DEAF_AFTER:
                self._drop(host, "nobody listens there")

    def close(self) -> None:
        for asker in self._by_host.values():
            asker.target.close()
        self._by_host.clear()

    def _new(self, host: str, version: Version) -> _Asker | None:
        try:
            target = UdpTarget(Address(f"ifacialmocap, asked by {host}", host, self.port))
        except BridgeError as error:
            _log.warning("%s", error)
            return None
        self._told += 1
        _log.log(_level(self._told), "iFacialMocap: %s asked for version %d and gets it", host, version)
        return _Asker(target, version)

    def _drop(self, host: str, reason: str) -> None:
        self._by_host.pop(host).target.close()
        _log.log(_level(self._told), "iFacialMocap: %s gets no more: %s", host, reason)


def _level(told: int) -> int:
    """Whoever forges askers must not fill the log."""
    return logging.INFO if told <= _MOST_TOLD else logging.DEBUG


def open_door(uri: str, at: tuple[str, int] | None) -> socket.socket | None:
    """Where handshakes are heard; None, with a warning, where that cannot be: who is named in the URI gets its packets
    all the same."""
    if at is None:
        return None
    sock = socket.socket(socket.AF_INET6 if ":" in at[0] else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind(at)
    except OSError as error:
        sock.close()
        why = error.strerror or error
        _log.warning(
            "%s: handshakes cannot be heard on %s port %d: %s; give another with listen=, or listen=off", uri, *at, why
        )
        return None
    return sock
