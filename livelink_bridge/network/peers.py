"""Who is heard. No socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import NamedTuple

LOOPBACK = IPv4Network("127.0.0.0/8")


class Endpoint(NamedTuple):
    """An IPv4 address and a port, as sockets have them."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Peers:
    """This machine alone, or the networks that are named and nobody else."""

    networks: tuple[IPv4Network, ...] = ()

    @property
    def host(self) -> str:
        """What the control port is bound to: only this machine unless others are named."""
        return "0.0.0.0" if self.networks else "127.0.0.1"

    def allows(self, host: str) -> bool:
        """Whether the IPv4 address `host` is heard, and may be told something."""
        try:
            address = IPv4Address(host)
        except AddressValueError:
            return False
        return any(address in network for network in self.networks or (LOOPBACK,))


def read_peers(texts: Sequence[str]) -> Peers:
    """Addresses (192.168.1.20) or networks (192.168.1.0/24). Raises ValueError that says what was expected."""
    try:
        return Peers(tuple(IPv4Network(text.strip(), strict=False) for text in texts))
    except ValueError:
        raise ValueError("IPv4 addresses or networks, such as 192.168.1.20 or 192.168.1.0/24") from None
