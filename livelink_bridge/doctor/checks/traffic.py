"""Checks for other senders to a port of this machine: two senders of one subject make a face jump."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from livelink_bridge.doctor.checks.listeners import holders
from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.ports import udp_sockets
from livelink_bridge.doctor.checks.targets import Target
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError
from livelink_bridge.monitor.monitor import listen
from livelink_bridge.network.udp_port import Arrivals

MAX_SHOWN = 6
"""Largest number of findings per list."""


def others(target: Target, subject: str, device_id: str | None, seconds: float, machine: Machine) -> Iterator[Finding]:
    """Find other senders to a port of this machine. It listens only while no other program has the port open: two
    listeners would take packets from each other.

    Parameters
    ----------
    target : the port
    subject, device_id : of the session
    seconds : how long to listen; 0: do not
    machine : unused, for a uniform signature
    """
    what = f"other senders to {target.port}"
    sockets = udp_sockets() or []
    sending = sorted({str(found) for found in sockets if found.other is not None and found.other[1] == target.port})
    if sending:
        text = (
            f"{' and '.join(sending)} sends there already: fine if that is your session, wrong for a second sender of "
            "its subject"
        )
        yield Finding("warn", what, text)
    if holders(sockets, target.port) or not seconds or not _free(target.port):
        if not sending:
            text = "not checked while a program has the port; close it and run `livelink-bridge monitor"
            yield Finding("note", what, f"{text} --port {target.port}`")
        return
    try:
        summary: Any = listen(target.port, seconds)
    except BridgeError as error:
        yield Finding("note", what, str(error))
        return
    yield from _findings(what, summary, subject, device_id)


def _free(port: int) -> bool:
    """Whether no other program has the port, as far as opening it shows."""
    try:
        with Arrivals(port) as arrivals:
            return not arrivals.shared
    except BridgeError:
        return False


def _findings(what: str, summary: dict[str, Any], subject: str, device_id: str | None) -> Iterator[Finding]:
    if not summary["datagrams"]:
        yield Finding("ok", what, f"none in {summary['listened_s']:.1f} s")
        return
    for found in summary["subjects"][:MAX_SHOWN]:
        yield _subject(what, found, subject, device_id)
    for entry in [*summary["ignored"], *summary["warnings"]][:MAX_SHOWN]:
        sender = f" (from {entry['sender']})" if entry["sender"] else ""
        yield Finding("warn", what, f"{entry['count']} x {entry['text']}{sender}; {entry['remedy']}")


def _subject(what: str, found: dict[str, Any], subject: str, device_id: str | None) -> Finding:
    sender = f"{found['subject']!r} from {found['sender']}"
    if found["subject"].casefold() == subject.casefold():
        return Finding("warn", what, f"{sender} has your subject's name: stop it, or choose another --subject")
    if found["device_id"] == device_id:
        return Finding("warn", what, f"{sender} has your device id: Unreal removes one subject for the other; stop it")
    return Finding("ok", what, f"{sender}, a different subject")
