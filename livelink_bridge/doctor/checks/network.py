"""Checks the network route to a receiver: interface, router, VPN; broadcast and multicast."""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
from dataclasses import dataclass

from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.targets import Target
from livelink_bridge.doctor.finding import Finding

VPN = re.compile(r"(tun|tap|utun|wg|ppp|ipsec|tailscale|zt|nordlynx|proton|cscotun|vpn)", re.IGNORECASE)
"""Interface names of VPN programs."""
CONTAINER = re.compile(r"(docker|br-|veth|virbr|podman|cni|lxc|vmnet|vboxnet|vEthernet)", re.IGNORECASE)
"""Interface names of containers and virtual machines."""
_UP, _GATEWAY = 0x1, 0x2


@dataclass(frozen=True, slots=True)
class Route:
    """Route of packets to an address."""

    own: str
    """Source address of the packets."""
    interface: str | None
    """Network interface; None when unknown."""
    router: str | None
    """None when the receiver is on the same network."""
    wireless: bool = False
    """Whether the interface is Wi-Fi."""


def route(target: Target, machine: Machine) -> Finding | None:
    """Check the route to a receiver; None for this machine itself."""
    ip = target.found.ip
    if target.local:
        return None
    what = f"route to {ip}"
    if ip.is_multicast:
        text = (
            "multicast reaches receivers that join the group, and Unreal's ARKit source joins none; send to each "
            "machine's own address"
        )
        return Finding("warn", what, text)
    if ip.version == 6 and target.scheme == "livelink":
        return Finding("warn", what, "is IPv6, and Unreal listens on IPv4; give the machine's IPv4 address")
    own = own_address(target)
    if own is None:
        return Finding("fail", what, "this machine has no route there; check the cable, the Wi-Fi and the address")
    found = Route(own, *_linux_route(machine, str(ip))) if machine.platform == "linux" else Route(own, None, None)
    if ip == ipaddress.ip_address("255.255.255.255") or str(ip).endswith(".255"):
        text = (
            f"from {own}; if {ip} is a broadcast, every machine gets it, slowly over Wi-Fi; the receiver's own "
            "address is better"
        )
        return Finding("note", what, text)
    return _judged(what, found, str(ip))


def _judged(what: str, found: Route, ip: str) -> Finding:
    path = f"from {found.own}" + (f" by {found.interface}" if found.interface else "")
    if found.own == ip:
        return Finding("ok", what, f"{path}: this machine itself")
    if found.interface and VPN.match(found.interface):
        text = (
            f"{path}, which looks like a VPN: leave the VPN, or add ?interface=ADDRESS of the right network to the URI"
        )
        return Finding("warn", what, text)
    if found.interface and CONTAINER.match(found.interface):
        return Finding("warn", what, f"{path}, a network of containers or virtual machines; is Unreal in one?")
    if found.router:
        text = (
            f"{path} through the router {found.router}: another network; put both machines on one, or let UDP pass "
            "the router"
        )
        return Finding("warn", what, text)
    if found.interface is None and not same_network(found.own, ip):
        return Finding("warn", what, f"{path}: the addresses look like two networks; put both machines on one")
    if found.wireless:
        return Finding(
            "note", what, f"{path}, which is Wi-Fi: if it stutters use a cable; guest networks keep machines apart"
        )
    return Finding("ok", what, f"{path}, directly")


def own_address(target: Target) -> str | None:
    """Source address of packets to a receiver: that of a connected socket, which sends nothing. None when there is no
    route."""
    with socket.socket(target.found.family, socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.connect(target.found.address)
            return str(sock.getsockname()[0])
        except OSError:
            return None


def same_network(own: str, other: str) -> bool:
    """Guess, without the netmask, whether two IP addresses are on one network: /24 for IPv4, as in most homes and
    studios; always True for IPv6."""
    a, b = ipaddress.ip_address(own), ipaddress.ip_address(other)
    return a.version == b.version and (a.version == 6 or int(a) >> 8 == int(b) >> 8)


def _linux_route(machine: Machine, ip: str) -> tuple[str | None, str | None, bool]:
    """Interface, router and whether it is Wi-Fi, from the kernel's routing table: the most specific match."""
    if ipaddress.ip_address(ip).version == 6:
        return None, None, False
    (destination,) = struct.unpack("=I", socket.inet_aton(ip))
    best: tuple[int, int, str, str] | None = None
    for line in machine.read("proc/net/route").splitlines()[1:]:
        cells = line.split()
        if len(cells) < 8 or not int(cells[3], 16) & _UP:
            continue
        network, mask, metric = int(cells[1], 16), int(cells[7], 16), int(cells[6])
        rank = (-mask.bit_count(), metric, cells[0], cells[2] if int(cells[3], 16) & _GATEWAY else "")
        if destination & mask == network and (best is None or rank < best):
            best = rank
    if best is None:
        return None, None, False
    router = socket.inet_ntoa(struct.pack("=I", int(best[3], 16))) if best[3] else None
    return best[2], router, (machine.root / "sys/class/net" / best[2] / "wireless").exists()
