"""Targets of datagrams, receivers of them, and a network that tests make up."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livelink_bridge.errors import SinkError
from livelink_bridge.network.udp_route import ResolvedAddress
from livelink_bridge.network.udp_target import UDP_OPTIONS, UdpTarget
from livelink_bridge.network.uri import Address, read_uri
from livelink_bridge.testing.stand_ins import ManualClock


@contextmanager
def receiver(host: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        sock.settimeout(5)
        yield sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def address(text: str) -> Address:
    return read_uri(f"livelink://{text}", UDP_OPTIONS)


@contextmanager
def target(text: str, **made_with: object) -> Iterator[UdpTarget]:
    made = UdpTarget(address(text), **made_with)  # type: ignore[arg-type]
    yield made
    made.close()


class FakeSocket:
    """Fails to send with the errors it was given, one a call, then takes everything."""

    def __init__(self, *errors: OSError | None) -> None:
        self.errors = list(errors)
        self.taken: list[bytes] = []
        self.closed = False

    def send(self, datagram: bytes) -> int:
        if self.closed:
            raise OSError(errno.EBADF, "Bad file descriptor")
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.taken.append(datagram)
        return len(datagram)

    def close(self) -> None:
        self.closed = True


class Network:
    """A network with one receiver, whose address and ways a test sets; what the target starts beside itself runs when
    told."""

    def __init__(self, *sockets: FakeSocket) -> None:
        self.ip = "192.168.1.20"
        self.unknown = False
        self.sockets = list(sockets)
        self.looked_up = 0
        self.waiting: list[Callable[[], None]] = []
        self.clock = ManualClock()

    def resolve(self, wanted: Address) -> ResolvedAddress:
        self.looked_up += 1
        if self.unknown:
            raise SinkError("unknown host")
        return ResolvedAddress(socket.AF_INET, (self.ip, wanted.port))

    def connect(self, _address: Address, _found: ResolvedAddress) -> FakeSocket:
        return self.sockets.pop(0)

    def run(self) -> int:
        ran = len(self.waiting)
        while self.waiting:
            self.waiting.pop(0)()
        return ran

    def target(self, text: str = "stage.local:11111") -> UdpTarget:
        return UdpTarget(
            address(text),
            clock=self.clock,
            resolve=self.resolve,
            connect=self.connect,  # type: ignore[arg-type]
            start=self.waiting.append,
        )


def refused() -> OSError:
    return ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
