"""Why the face does not move: one finding per thing that has to be right.

Each check looks at one thing, changes nothing, and answers in words: what is so, and what to do about it. `examine`
makes them all.
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
"""How long other senders are listened for."""


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
    """Every check, in the order in which sound becomes a face.

    Parameters
    ----------
    uris : where poses go
    load : loads the model that would be used
    subject, device_id : what would be sent as; of several performers the first
    listen_s : how long other senders to ports of this machine are listened for, 0 for not at all
    machine : what is read of this machine
    inputs : opens the microphone of each performer, by subject; None is the system's input
    """
    opens = inputs or {subject: lambda: open_source("mic:", clock=clock)}
    machine = machine or Machine()
    yield program.python()
    yield program.package("torch")
    yield program.model(load, clock)
    for performer, open_input in opens.items():
        heard = microphone.audio_input(open_input)
        yield heard if len(opens) == 1 else replace(heard, what=f"audio input of {performer}")
    for performer in opens:
        yield names.subject_name(performer)
    found: list[targets.Target] = []
    for uri in uris:
        home = targets.at_home(uri)
        if home is not None:
            yield home
            continue
        try:
            found.append(targets.find(uri))
        except BridgeError as error:
            yield targets.malformed(uri, error)
            continue
        yield from road(found[-1], machine)
    yield from targets.together(found)
    yield from around(found, subject, device_id, listen_s, machine)
    yield probe.packet_to_ourselves()
    if any(target.scheme == "livelink" for target in found):
        yield from hints.unreal(subject)


def road(target: targets.Target, machine: Machine) -> Iterator[Finding]:
    """From this machine to one receiver."""
    for finding in (receiver(target, machine), network.way(target, machine), reachability.leaving(target, machine)):
        if finding is not None:
            yield finding


def around(
    found: list[targets.Target], subject: str, device_id: str | None, listen_s: float, machine: Machine
) -> Iterator[Finding]:
    """What stands between and beside: firewalls, other senders."""
    ports = {target.port: target for target in found if target.local}
    for target in ports.values():
        yield from traffic.others(target, subject, device_id, listen_s, machine)
    if found:
        yield firewall.firewall(found[0].port, machine)
    away = next((target for target in found if not target.local), None)
    if away is not None:
        yield firewall.there(away.port)
