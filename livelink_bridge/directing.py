"""Who directs a session from outside: the control port, and what of the session it acts on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livelink_bridge.clock import Clock
from livelink_bridge.control.live_stage import LiveStage
from livelink_bridge.control.peers import read_peers
from livelink_bridge.control.server import Server
from livelink_bridge.control.targets import LiveTargets
from livelink_bridge.control.voice import DirectedVoice
from livelink_bridge.performance import Performance, recorders


@dataclass(frozen=True, slots=True)
class Direction:
    """Where and by whom a session may be directed."""

    port: int
    allow: tuple[str, ...] = ()
    """IPv4 addresses or networks; none is this machine alone."""


def open_control(direction: Direction, performances: Sequence[Performance], clock: Clock) -> Server:
    """The control port of performances whose outputs are `directed`; it has to be run. Raises BridgeError for a port that is taken.

    Takes are recorded by remote control where there is one performer: a take has one slate, one number and one subject.
    """
    first = performances[0]
    recorder = next(iter(recorders(first.sinks)), None) if len(performances) == 1 else None
    voices = {made.subject: DirectedVoice(made.face, made.front, made.source.name) for made in performances}
    targets = {made.subject: sink for made in performances for sink in made.sinks if isinstance(sink, LiveTargets)}
    stage = LiveStage(voices, targets, recorder, timecode=lambda: first.session.timecode or "00:00:00:00")
    return Server(stage, read_peers(direction.allow), port=direction.port, clock=clock, takes=recorder.folder if recorder else None)
