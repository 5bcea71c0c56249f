"""Peers that may use the remote control: addresses and networks. No socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import NamedTuple

LOOPBACK = IPv4Network("127.0.0.0/8")


class Endpoint(NamedTuple):
    """An IPv4 address and a port, as sockets use them."""

    host: str
    """Dotted IPv4 address."""
    port: int
    """1 to 65535."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Peers:
    """The allowed peers: the given networks only, or this machine when none is given."""

    networks: tuple[IPv4Network, ...] = ()
    """Allowed networks; empty: 127.0.0.0/8."""

    @property
    def host(self) -> str:
        """Address to bind the control port to: this machine only, unless networks are given."""
        return "0.0.0.0" if self.networks else "127.0.0.1"

    def allows(self, host: str) -> bool:
        """Whether messages from the IPv4 address `host` are accepted, and answers may be sent to it."""
        try:
            address = IPv4Address(host)
        except AddressValueError:
            return False
        return any(address in network for network in self.networks or (LOOPBACK,))


def read_peers(texts: Sequence[str]) -> Peers:
    """Parse addresses (192.168.1.20) and networks (192.168.1.0/24). Raises ValueError that states what was
    expected."""
    try:
        return Peers(tuple(IPv4Network(text.strip(), strict=False) for text in texts))
    except ValueError:
        raise ValueError("IPv4 addresses or networks, such as 192.168.1.20 or 192.168.1.0/24") from None
