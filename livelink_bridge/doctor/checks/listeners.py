"""Whether somebody listens where poses go, as far as this machine can tell."""

from __future__ import annotations

import ipaddress

from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.ports import UdpSocket, how_to_see, udp_sockets
from livelink_bridge.doctor.checks.targets import Target
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.udp_port import Arrivals

ANY = ("0.0.0.0", "::")


def receiver(target: Target, machine: Machine) -> Finding:
    """Who listens: on this machine by name, on another only that it is not seen from here."""
    if target.local:
        return _local(target, machine)
    text = (
        f"{target.found}; what listens there is not seen from here: run `livelink-bridge monitor --port "
        f"{target.port}` there"
    )
    return Finding("ok", target.uri, text)


def _local(target: Target, machine: Machine) -> Finding:
    sockets = udp_sockets()
    held = None if sockets is None else holders(sockets, target.port)
    if not held:
        return _by_opening(target, machine)
    names = " and ".join(sorted({f"{holder} on {holder.own[0]}" for holder in held}))
    hearing = [holder for holder in held if hears(holder, str(target.found.ip))]
    if not hearing:
        text = (
            f"UDP port {target.port} is held by {names}, which does not hear {target.found.ip}: send to that "
            "address instead"
        )
        return Finding("fail", target.uri, text)
    if len(hearing) > 1:
        text = (
            f"UDP port {target.port} is held by {names}: each packet reaches only one of them; close all but the "
            "one that is meant"
        )
        return Finding("warn", target.uri, text)
    return Finding("ok", target.uri, f"UDP port {target.port} is held by {names}")


def holders(sockets: list[UdpSocket], port: int) -> list[UdpSocket]:
    """Who has the port to receive on it; a socket that is connected hears one sender only and is left out."""
    return [found for found in sockets if found.own[1] == port and found.other is None]


def hears(holder: UdpSocket, ip: str) -> bool:
    """Whether a packet to this address reaches the socket."""
    own = holder.own[0].partition("%")[0]
    return own in ANY or ipaddress.ip_address(own) == ipaddress.ip_address(ip)


def _by_opening(target: Target, machine: Machine) -> Finding:
    """Where the system names nobody: whether the port can be had."""
    port = target.port
    try:
        with Arrivals(port, "127.0.0.1") as arrivals:
            shared = arrivals.shared
    except BridgeError:
        shared = True  # a program that does not share it has it
    if shared:
        text = f"UDP port {port} is in use: a program listens there (Unreal, or a monitor left running); to see which, "
        return Finding("ok", target.uri, text + how_to_see(port, machine.platform))
    start = "Unreal with an ARKit source on it" if target.scheme == "livelink" else "the receiver"
    text = f"UDP port {port} is free: nothing listens there; start {start}, or `livelink-bridge monitor --port {port}`"
    return Finding("warn", target.uri, text)
