"""Checks whether a program listens at a target, as far as this machine can tell."""

from __future__ import annotations

import ipaddress

from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.ports import UdpSocket, how_to_see, udp_sockets
from livelink_bridge.doctor.checks.targets import Target
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.udp_port import Arrivals

ANY = ("0.0.0.0", "::")
"""Addresses of a socket that is bound to all addresses."""


def receiver(target: Target, machine: Machine) -> Finding:
    """The listening program on this machine; for another machine a note that it cannot be seen from here."""
    if target.local:
        return _local(target, machine)
    text = (
        f"{target.found}; what listens there cannot be seen from here: run `livelink-bridge monitor --port "
        f"{target.port}` there"
    )
    return Finding("ok", target.uri, text)


def _local(target: Target, machine: Machine) -> Finding:
    sockets = udp_sockets()
    held = None if sockets is None else holders(sockets, target.port)
    if not held:
        return _by_opening(target, machine)
    names = " and ".join(sorted({f"{holder} on {holder.own[0]}" for holder in held}))
    receiving = [holder for holder in held if receives(holder, str(target.found.ip))]
    if not receiving:
        text = (
            f"UDP port {target.port} is held by {names}, which does not receive at {target.found.ip}: send to that "
            "address instead"
        )
        return Finding("fail", target.uri, text)
    if len(receiving) > 1:
        text = (
            f"UDP port {target.port} is held by {names}: each packet reaches only one of them; close all but the "
            "right one"
        )
        return Finding("warn", target.uri, text)
    return Finding("ok", target.uri, f"UDP port {target.port} is held by {names}")


def holders(sockets: list[UdpSocket], port: int) -> list[UdpSocket]:
    """The sockets bound to `port` for receiving; connected ones, which receive from one sender only, are left out."""
    return [found for found in sockets if found.own[1] == port and found.other is None]


def receives(holder: UdpSocket, ip: str) -> bool:
    """Whether a packet to the address `ip` reaches the socket."""
    own = holder.own[0].partition("%")[0]
    return own in ANY or ipaddress.ip_address(own) == ipaddress.ip_address(ip)


def _by_opening(target: Target, machine: Machine) -> Finding:
    """Where the system names no program: check whether the port can be opened."""
    port = target.port
    try:
        with Arrivals(port, "127.0.0.1") as arrivals:
            shared = arrivals.shared
    except BridgeError:
        shared = True  # held exclusively by another program
    if shared:
        text = f"UDP port {port} is in use: a program listens there (Unreal, or a monitor left running); to see which, "
        return Finding("ok", target.uri, text + how_to_see(port, machine.platform))
    start = "Unreal with an ARKit source on it" if target.scheme == "livelink" else "the receiver"
    text = f"UDP port {port} is free: nothing listens there; start {start}, or `livelink-bridge monitor --port {port}`"
    return Finding("warn", target.uri, text)
