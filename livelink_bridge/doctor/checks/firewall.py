"""Firewalls: what can be read of this machine's, and the line that opens the receiver's."""

from __future__ import annotations

import re

from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.finding import Finding

NETSH = 'netsh advfirewall firewall add rule name="Live Link {port}" dir=in action=allow protocol=UDP localport={port}'
"""What lets a port in on Windows, typed as administrator."""

_DROPS = re.compile(r"hook (input|output) [^}]*?policy drop")
_POLICY = re.compile(r"^-P (INPUT|OUTPUT) (?:DROP|REJECT)", re.MULTILINE)


def firewall(port: int, machine: Machine) -> Finding:
    """This machine's: it counts for packets that come in from others, and where it stops what goes out."""
    if machine.platform == "win32":
        return Finding(
            "note", "firewall", f"packets from other machines need, as administrator: {NETSH.format(port=port)}"
        )
    if machine.platform != "linux":
        text = (
            "if it is on (System Settings > Network > Firewall), let Unreal in; packets from others come to UDP "
            f"port {port}"
        )
        return Finding("note", "firewall", text)
    return _linux(port, machine)


def there(port: int) -> Finding:
    """A receiver's on another machine, which cannot be seen."""
    text = (
        f"the receiver's counts: on Windows there, as administrator: {NETSH.format(port=port)}; and set its "
        "network to Private"
    )
    return Finding("note", "firewall", text)


def _linux(port: int, machine: Machine) -> Finding:
    stopped = {
        direction.lower() for direction in (*_DROPS.findall(_nft(machine)), *_POLICY.findall(_iptables(machine)))
    }
    if "output" in stopped:
        text = (
            f"drops what goes out unless a rule lets it; allow UDP port {port}: sudo iptables -I OUTPUT -p udp "
            f"--dport {port} -j ACCEPT"
        )
        return Finding("warn", "firewall", text)
    names = _programs(machine)
    if not names and not stopped:
        return Finding("ok", "firewall", "none is seen on this machine")
    opens = {"ufw": f"sudo ufw allow {port}/udp", "firewalld": f"sudo firewall-cmd --add-port={port}/udp"}
    line = opens.get(names[0], "") if names else f"sudo iptables -I INPUT -p udp --dport {port} -j ACCEPT"
    text = f"{' and '.join(names) or 'a rule'} is on; this machine's own packets pass, those of others need: {line}"
    return Finding("note", "firewall", text)


def _programs(machine: Machine) -> list[str]:
    on = re.search(r"^ENABLED=yes", machine.read("etc/ufw/ufw.conf"), re.MULTILINE)
    running = (machine.run("firewall-cmd", "--state") or "").strip() == "running"
    return [name for name, found in (("ufw", on), ("firewalld", running)) if found]


def _nft(machine: Machine) -> str:
    """Readable to administrators only; nothing to others."""
    return machine.run("nft", "list", "ruleset") or ""


def _iptables(machine: Machine) -> str:
    return machine.run("iptables", "-S") or ""
