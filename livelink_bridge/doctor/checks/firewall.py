"""Checks this machine's firewall as far as it is readable, and gives the command that opens the receiver's."""

from __future__ import annotations

import re

from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.finding import Finding

NETSH = 'netsh advfirewall firewall add rule name="Live Link {port}" dir=in action=allow protocol=UDP localport={port}'
"""Command that opens a port on Windows, for an administrator."""

_DROPS = re.compile(r"hook (input|output) [^}]*?policy drop")
_POLICY = re.compile(r"^-P (INPUT|OUTPUT) (?:DROP|REJECT)", re.MULTILINE)


def firewall(port: int, machine: Machine) -> Finding:
    """This machine's firewall: it matters for packets from other machines, and where it blocks outgoing ones."""
    if machine.platform == "win32":
        return Finding(
            "note", "firewall", f"packets from other machines need, as administrator: {NETSH.format(port=port)}"
        )
    if machine.platform != "linux":
        text = (
            "if it is on (System Settings > Network > Firewall), let Unreal in; packets from others arrive at UDP "
            f"port {port}"
        )
        return Finding("note", "firewall", text)
    return _linux(port, machine)


def remote_firewall(port: int) -> Finding:
    """Hint about the firewall of a receiver on another machine, which cannot be checked from here."""
    text = (
        f"the receiver's matters: on Windows there, as administrator: {NETSH.format(port=port)}; and set its "
        "network to Private"
    )
    return Finding("note", "firewall", text)


def _linux(port: int, machine: Machine) -> Finding:
    blocked = {
        direction.lower() for direction in (*_DROPS.findall(_nft(machine)), *_POLICY.findall(_iptables(machine)))
    }
    if "output" in blocked:
        text = (
            f"drops outgoing packets unless a rule allows them; allow UDP port {port}: sudo iptables -I OUTPUT -p udp "
            f"--dport {port} -j ACCEPT"
        )
        return Finding("warn", "firewall", text)
    names = _programs(machine)
    if not names and not blocked:
        return Finding("ok", "firewall", "none found on this machine")
    opens = {"ufw": f"sudo ufw allow {port}/udp", "firewalld": f"sudo firewall-cmd --add-port={port}/udp"}
    line = opens.get(names[0], "") if names else f"sudo iptables -I INPUT -p udp --dport {port} -j ACCEPT"
    text = f"{' and '.join(names) or 'a rule'} is on; this machine's own packets pass, those from others need: {line}"
    return Finding("note", "firewall", text)


def _programs(machine: Machine) -> list[str]:
    on = re.search(r"^ENABLED=yes", machine.read("etc/ufw/ufw.conf"), re.MULTILINE)
    running = (machine.run("firewall-cmd", "--state") or "").strip() == "running"
    return [name for name, found in (("ufw", on), ("firewalld", running)) if found]


def _nft(machine: Machine) -> str:
    """Readable for administrators only; empty for other users."""
    return machine.run("nft", "list", "ruleset") or ""


def _iptables(machine: Machine) -> str:
    return machine.run("iptables", "-S") or ""
