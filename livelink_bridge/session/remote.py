"""Remote control of a session: what can be controlled, on this machine and through the control port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from livelink_bridge.core.clock import Clock
from livelink_bridge.network.peers import read_peers
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.remote_control.server import Server
from livelink_bridge.remote_control.voice import RemoteVoice
from livelink_bridge.session.live import LiveSession
from livelink_bridge.session.status import StatusReporter
from livelink_bridge.session.subject import recorders
from livelink_bridge.sinks.live_targets import LiveTargets


@dataclass(frozen=True, slots=True)
class ControlPort:
    """The control port and the hosts that may use it."""

    port: int
    allow: tuple[str, ...] = ()
    """IPv4 addresses or networks; empty is this machine alone."""


OnStart = Callable[[LiveInterface, Mapping[str, StatusReporter]], None]
"""Called once at the start of a session, with its remote control and the status reporter of each subject."""


def ignore_start(_remote: LiveInterface, _sessions: Mapping[str, StatusReporter]) -> None:
    """For callers that control nothing."""


def call_both(one: OnStart, other: OnStart) -> OnStart:
    """Calls `one`, then `other`."""

    def both(remote: LiveInterface, sessions: Mapping[str, StatusReporter]) -> None:
        one(remote, sessions)
        other(remote, sessions)

    return both


def live_interface(sessions: Sequence[LiveSession], clock: Clock) -> LiveInterface:
    """The remote control of one or several performers' sessions.

    Remote control records takes only with one performer: a take has one slate, one number and one subject. Of several
    recorders of one subject, the last added records on demand: one of `--record` may run for the whole session.
    """
    first = sessions[0]
    by_subject = {made.subject: recorders(made.sinks)[-1] for made in sessions if recorders(made.sinks)}
    recorder = by_subject.get(first.subject) if len(sessions) == 1 else None
    voices = {
        made.subject: RemoteVoice(made.face, made.chain, made.source.name, mute=made.mute, clock=clock)
        for made in sessions
    }
    targets = {made.subject: sink for made in sessions for sink in made.sinks if isinstance(sink, LiveTargets)}
    return LiveInterface(
        voices, targets, recorder, timecode=lambda: first.reporter.timecode or "00:00:00:00", recorders=by_subject
    )


def open_control(control_port: ControlPort, remote: LiveInterface, takes: Path | None, clock: Clock) -> Server:
    """Open the control port; the caller runs the server on a thread.

    Parameters
    ----------
    control_port : port and allowed hosts
    remote : the session to control
    takes : folder of recorded takes; None if takes are not recorded
    clock : monotonic clock

    Raises BridgeError if the port is in use.
    """
    server = Server(remote, read_peers(control_port.allow), port=control_port.port, clock=clock, takes=takes)
    remote.on_local_takes(server.local_take_started, server.local_take_stopped)
    return server
