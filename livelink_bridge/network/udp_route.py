"""Resolves a receiver's name and connects a UDP socket to it through the requested network interface."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.network.uri import Address, Reader

SocketAddress = tuple[Any, ...]
"""Address as Python's sockets use it: (host, port) for IPv4, (host, port, flow, scope) for IPv6."""


@dataclass(frozen=True, slots=True)
class ResolvedAddress:
    """A receiver's resolved address."""

    family: int
    """AF_INET or AF_INET6."""
    address: SocketAddress
    """Host, port and, for IPv6, flow and scope."""

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """The IP address, without its scope."""
        return ipaddress.ip_address(str(self.address[0]).partition("%")[0])

    def __str__(self) -> str:
        host, port = self.address[:2]
        return f"[{host}]:{port}" if self.family == socket.AF_INET6 else f"{host}:{port}"


def read_interface(text: str) -> str:
    """Parse the option `interface`: one of this machine's addresses, or (IPv6) an interface name. Raises ValueError."""
    if not re.fullmatch(r"[\w.:%-]+", text):
        raise ValueError(
            "an address of this machine such as 192.168.1.10, or for IPv6 an interface's name such as eth0"
        )
    return text


def read_ttl(text: str) -> int:
    """Parse the option `ttl`: routers that a datagram may pass, 1 to 255. Raises ValueError."""
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= 255:
        raise ValueError("a whole number from 1 to 255")
    return int(text)


UDP_OPTIONS: Mapping[str, Reader] = {"interface": read_interface, "ttl": read_ttl}
"""URI options of every UDP receiver."""


def is_hostname(host: str) -> bool:
    """Whether a host is a name, which may resolve to another address later, and not an IP address."""
    return _ip(host) is None


def resolve(address: Address) -> ResolvedAddress:
    """Resolve the receiver's current address; may take seconds. An interface given by its address decides between IPv4
    and IPv6.

    Raises
    ------
    SinkError : unknown host, or no address of the interface's IP version
    """
    own = _ip(address.options.get("interface", ""))
    try:
        answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        answers = []
    if not answers:
        reason = f"unknown host {address.host!r}; check the name or give an address such as 192.168.1.20"
        raise SinkError(f"{address.uri}: {reason}")
    families = {4: socket.AF_INET, 6: socket.AF_INET6}
    fitting = [answer for answer in answers if own is None or answer[0] == families[own.version]]
    if not fitting:
        raise SinkError(
            f"{address.uri}: {address.host!r} has no IPv{own.version if own else 4} address, which its interface is of"
        )
    # Unreal binds IPv4, so "localhost" must not become ::1.
    family, _, _, _, found = min(fitting, key=lambda answer: answer[0] != socket.AF_INET)
    return ResolvedAddress(family, found)


def connect(address: Address, found: ResolvedAddress) -> socket.socket:
    """A non-blocking UDP socket connected to `found`.

    Raises
    ------
    SinkError : the system has no route to the receiver
    UsageError : an interface name where IPv4 needs an address
    """
    sock = socket.socket(found.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        _set_ttl(sock, found, address.options.get("ttl"))
        if found.family == socket.AF_INET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            _bind_ipv4(sock, address, found)
        else:
            found = _bind_ipv6(sock, address, found)
        sock.connect(found.address)
    except OSError as error:
        sock.close()
        raise SinkError(f"{address.uri}: no route to {address.host}: {error.strerror or error}") from error
    except BaseException:
        sock.close()
        raise
    return sock


def _set_ttl(sock: socket.socket, found: ResolvedAddress, ttl: int | None) -> None:
    """Without `ttl`, multicast stays on the local network and unicast uses the system's default."""
    if ttl is None:
        return
    if found.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL if found.ip.is_multicast else socket.IP_TTL, ttl)
    else:
        hops = socket.IPV6_MULTICAST_HOPS if found.ip.is_multicast else socket.IPV6_UNICAST_HOPS
        sock.setsockopt(socket.IPPROTO_IPV6, hops, ttl)


def _bind_ipv4(sock: socket.socket, address: Address, found: ResolvedAddress) -> None:
    own = address.options.get("interface")
    if own is None:
        return
    if _ip(own) is None:
        raise UsageError(
            f"{address.uri}: interface is {own!r}, expected its address such as 192.168.1.10, as {found} is IPv4"
        )
    _bind(sock, address, (own, 0))
    if found.ip.is_multicast:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))


def _bind_ipv6(sock: socket.socket, address: Address, found: ResolvedAddress) -> ResolvedAddress:
    """Bind to the interface; adds its number to an address that is only unique per network and has no scope."""
    own = address.options.get("interface")
    if own is None:
        return found
    if _ip(own) is None:
        number = _number_of(address, own)
    else:
        here: SocketAddress = socket.getaddrinfo(
            own, 0, socket.AF_INET6, socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0][4]
        _bind(sock, address, here)
        number = int(here[3])
    if found.ip.is_multicast and number:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
    host, port, flow, scope = found.address
    local = found.ip.is_multicast or found.ip.is_link_local
    return ResolvedAddress(found.family, (host, port, flow, scope or number)) if local else found


def _number_of(address: Address, name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        available = ", ".join(known for _, known in socket.if_nameindex())
        raise SinkError(f"{address.uri}: this machine has no interface {name!r}; it has {available}") from None


def _bind(sock: socket.socket, address: Address, own: SocketAddress) -> None:
    try:
        sock.bind(own)
    except OSError as error:
        reason = error.strerror or error
        raise SinkError(
            f"{address.uri}: cannot send from {own[0]}: {reason}; expected an address that this machine has"
        ) from error


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
