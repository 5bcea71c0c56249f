"""A place datagrams go."""

from __future__ import annotations

import logging
import socket

from livelink_bridge.errors import SinkError
from livelink_bridge.sinks.uri import Address

_log = logging.getLogger(__name__)


class UdpTarget:
    """One receiver, its host looked up once. Sending never waits and never raises."""

    def __init__(self, address: Address) -> None:
        self._uri = address.uri
        self._socket = _connect(address.uri, address.host, address.port)
        self.refused = 0
        """Datagrams for which the receiving machine said that nobody listens on the port."""
        self.lost = 0
        """Datagrams the system could not take."""

    def send(self, datagram: bytes) -> bool:
        """True when the datagram left this machine."""
        try:
            self._send_past_refusal(datagram)
        except OSError as error:
            if not self.lost:
                _log.warning("%s: a datagram could not be sent: %s", self._uri, error.strerror or error)
            self.lost += 1
            return False
        return True

    def _send_past_refusal(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except ConnectionError:
            # The system reports an earlier datagram's refusal instead of sending this one; the receiver may have started since.
            self.refused += 1
            try:
                self._socket.send(datagram)
            except ConnectionError:
                pass

    def close(self) -> None:
        self._socket.close()


def _connect(uri: str, host: str, port: int) -> socket.socket:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise SinkError(f"{uri}: unknown host {host!r}; check the name or give an address such as 192.168.1.20") from None
    # Unreal binds IPv4, so "localhost" must not become ::1.
    family, kind, protocol, _, address = min(addresses, key=lambda found: found[0] != socket.AF_INET)
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.connect(address)
    except OSError as error:
        sock.close()
        raise SinkError(f"{uri}: no way to {host}: {error.strerror}") from error
    return sock
