"""A socket on loopback with the sinks that send to it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from pythonosc.osc_bundle import OscBundle

from livelink_bridge.sinks import Sink

Made = TypeVar("Made", bound=Sink)


class Inbox(Generic[Made]):
    """`sink("option=value")` makes a sink that sends here."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self._make = make
        self._sinks: list[Made] = []

    def sink(self, query: str = "") -> Made:
        self._sinks.append(self._make(f"127.0.0.1:{self.socket.getsockname()[1]}{query and '?'}{query}"))
        return self._sinks[-1]

    def datagrams(self) -> list[bytes]:
        """All that came: on loopback a datagram is there when send returns."""
        self.socket.setblocking(False)
        found = []
        while True:
            try:
                found.append(self.socket.recv(65536))
            except BlockingIOError:
                return found

    def messages(self) -> list[tuple[str, list[Any]]]:
        return [(each.address, each.params) for datagram in self.datagrams() for each in OscBundle(datagram)]

    def close(self) -> None:
        for sink in self._sinks:
            sink.close()
        self.socket.close()


@contextmanager
def inbox(make: Callable[[str], Made]) -> Iterator[Inbox[Made]]:
    """`make` is given HOST:PORT and what follows it in a URI."""
    made = Inbox(make)
    try:
        yield made
    finally:
        made.close()
