"""Remote control of a session: what can be controlled, on this machine and through the control port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from livelink_bridge.core.clock import Clock
from livelink_bridge.network.peers import read_peers
from livelink_bridge.remote_control.live_target import LiveStage
from livelink_bridge.remote_control.server import Server
from livelink_bridge.remote_control.voice import DirectedVoice
from livelink_bridge.session.live import LiveSession
from livelink_bridge.session.status import StatusReporter
from livelink_bridge.session.subject import recorders
from livelink_bridge.sinks.live_targets import LiveTargets


@dataclass(frozen=True, slots=True)
class Direction:
    """The control port and the hosts that may use it."""

    port: int
    allow: tuple[str, ...] = ()
    """IPv4 addresses or networks; empty is this machine alone."""


OnStage = Callable[[LiveStage, Mapping[str, StatusReporter]], None]
"""Called with what can be controlled of a session that begins, and the reporter of each subject."""


def no_stage(_stage: LiveStage, _sessions: Mapping[str, StatusReporter]) -> None:
    """For callers that control nothing."""


def on_both_stages(one: OnStage, other: OnStage) -> OnStage:
    """Calls two."""

    def given(stage: LiveStage, sessions: Mapping[str, StatusReporter]) -> None:
        one(stage, sessions)
        other(stage, sessions)

    return given


def stage_of(sessions: Sequence[LiveSession], clock: Clock) -> LiveStage:
    """What can be controlled of sessions.

    Takes are recorded by remote control where there is one performer: a take has one slate, one number and one subject.
    Of several recorders of one subject, that which was added last records on demand: one of `--record` may run from the
    start to the end.
    """
    first = sessions[0]
    by_subject = {made.subject: recorders(made.sinks)[-1] for made in sessions if recorders(made.sinks)}
    recorder = by_subject.get(first.subject) if len(sessions) == 1 else None
    voices = {
        made.subject: DirectedVoice(made.face, made.chain, made.source.name, mute=made.mute, clock=clock)
        for made in sessions
    }
    targets = {made.subject: sink for made in sessions for sink in made.sinks if isinstance(sink, LiveTargets)}
    return LiveStage(
        voices, targets, recorder, timecode=lambda: first.reporter.timecode or "00:00:00:00", recorders=by_subject
    )


def open_control(direction: Direction, stage: LiveStage, takes: Path | None, clock: Clock) -> Server:
    """The control port of a stage whose outputs are `directed`; `run` it on a thread. `takes` is where takes are
    recorded.

    Raises BridgeError for a port that is taken.
    """
    server = Server(stage, read_peers(direction.allow), port=direction.port, clock=clock, takes=takes)
    stage.tell_takes(server.started_here, server.stopped_here)
    return server
