"""Diagnoses why a face does not move: one finding per precondition.

Each check examines one thing, changes nothing, and returns a finding: the state, and how to fix it. `examine` runs all
checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from livelink_bridge.core.clock import Clock
from livelink_bridge.doctor import hints, probe
from livelink_bridge.doctor.checks import firewall, microphone, names, network, program, reachability, targets, traffic
from livelink_bridge.doctor.checks.listeners import receiver
from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError
from livelink_bridge.sources import Source, open_source
from speech_to_face.base import SpeechToFace

__all__ = ["Finding", "Machine", "examine"]

LISTEN_S = 1.0
"""Seconds to listen for other senders."""


def examine(
    uris: tuple[str, ...],
    load: Callable[[], SpeechToFace],
    clock: Clock,
    *,
    subject: str = "LiveLinkBridge",
    device_id: str | None = None,
    listen_s: float = LISTEN_S,
    machine: Machine | None = None,
    inputs: Mapping[str, Callable[[], Source]] | None = None,
) -> Iterator[Finding]:
    """Run every check, in the order of the pipeline from audio to face.

    Parameters
    ----------
    uris : targets
    load : loads the model of the session
    clock : for the speed of the model
    subject, device_id : of the session; of several performers the first
    listen_s : seconds to listen for other senders to ports of this machine; 0: do not listen
    machine : files and commands of this machine
    inputs : opens the microphone of each performer, by subject; None is the system's default input
    """
    opens = inputs or {subject: lambda: open_source("mic:", clock=clock)}
    machine = machine or Machine()
    yield program.python()
    yield program.package("torch")
    yield program.model(load, clock)
    for performer, open_input in opens.items():
        finding = microphone.audio_input(open_input)
        yield finding if len(opens) == 1 else replace(finding, what=f"audio input of {performer}")
    for performer in opens:
        yield names.subject_name(performer)
    found: list[targets.Target] = []
    for uri in uris:
        local_sink = targets.local_sink(uri)
        if local_sink is not None:
            yield local_sink
            continue
        try:
            found.append(targets.find(uri))
        except BridgeError as error:
            yield targets.malformed(uri, error)
            continue
        yield from check_route(found[-1], machine)
    yield from targets.check_conflicts(found)
    yield from check_neighbours(found, subject, device_id, listen_s, machine)
    yield probe.loopback_packet()
    if any(target.scheme == "livelink" for target in found):
        yield from hints.unreal(subject)


def check_route(target: targets.Target, machine: Machine) -> Iterator[Finding]:
    """Check the path from this machine to one receiver."""
    for finding in (receiver(target, machine), network.route(target, machine), reachability.reach(target, machine)):
        if finding is not None:
            yield finding


def check_neighbours(
    found: list[targets.Target], subject: str, device_id: str | None, listen_s: float, machine: Machine
) -> Iterator[Finding]:
    """Check for firewalls and other senders.

    Parameters
    ----------
    found : resolved targets
    subject, device_id, listen_s, machine : see `examine`
    """
    ports = {target.port: target for target in found if target.local}
    for target in ports.values():
        yield from traffic.others(target, subject, device_id, listen_s, machine)
    if found:
        yield firewall.firewall(found[0].port, machine)
    away = next((target for target in found if not target.local), None)
    if away is not None:
        yield firewall.remote_firewall(away.port)
