"""Checks whether packets leave this machine, and whether the receiver's port is closed (ICMP port unreachable)."""

from __future__ import annotations

import socket

from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.targets import Target
from livelink_bridge.doctor.finding import Finding

REFUSAL_S = 0.4
"""Seconds to wait for an ICMP port-unreachable answer."""
PROBES = 3
PROBE = b"\0"
"""Too short for Unreal, which ignores it silently (docs/protocol.md, section 1.4)."""


def reach(target: Target, machine: Machine, answer_s: float = REFUSAL_S) -> Finding | None:
    """Send a few bytes, which the receiver ignores, to another machine.

    Parameters
    ----------
    target : receiver
    machine : for the system's count of sent packets
    answer_s : seconds to wait for an ICMP answer

    Returns
    -------
    None for protocols whose receivers might not ignore the bytes
    """
    if target.scheme != "livelink" or target.found.ip.is_multicast or target.local:
        return None
    what = f"packets to {target.found.ip}"
    before = _sent(machine)
    try:
        refused = _refused(target, answer_s)
    except OSError as error:
        return Finding("fail", what, f"cannot be sent: {error.strerror or error}; look for a firewall on this machine")
    after = _sent(machine)
    if refused:
        text = (
            f"UDP port {target.port} is closed there (ICMP port unreachable); start Unreal there and add the ARKit "
            "source"
        )
        return Finding("fail", what, text)
    if before is not None and after is not None and after < before + PROBES:
        return Finding(
            "warn", what, "the system's count of sent packets does not rise; look for a firewall on this machine"
        )
    return Finding("ok", what, "leave this machine; no refusal, so a program listens, or a firewall there drops them")


def _refused(target: Target, answer_s: float) -> bool:
    """Raises OSError where a probe cannot be sent."""
    with socket.socket(target.found.family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.settimeout(answer_s / PROBES)
        sock.connect(target.found.address)
        for _ in range(PROBES):
            try:
                sock.send(PROBE)
                sock.recv(64)
            except TimeoutError:
                continue
            except ConnectionError:
                return True
    return False


def _sent(machine: Machine) -> int | None:
    """UDP datagrams sent by this machine since its start; None when unknown."""
    rows = [line.split() for line in machine.read("proc/net/snmp").splitlines() if line.startswith("Udp:")]
    if machine.platform != "linux" or len(rows) < 2 or "OutDatagrams" not in rows[0]:
        return None
    return int(rows[1][rows[0].index("OutDatagrams")])
