"""A live source followed until it is stopped: the microphone, a pipe, the speech server and the Python API use this."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.workers import Runner
from livelink_bridge.face.face import Face
from livelink_bridge.remote_control.server import Server
from livelink_bridge.reporting.metrics import Status, Summary
from livelink_bridge.session.live import LiveSession, VoiceMonitorConfig, run_sessions
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.remote import ControlPort, OnStart, ignore_start, live_interface, open_control
from livelink_bridge.session.subject import recorders
from livelink_bridge.sinks import Sink
from livelink_bridge.sources import Source
from livelink_bridge.timing.arrival_clock import Timing
from speech_to_face.base import SpeechToFace

ChainOf = Callable[[str], InputChain | None]
"""A microphone's name -> its input chain."""


def ignore_status(_status: Status) -> None:
    """For callers that show no status."""


def no_chain(_name: str) -> InputChain | None:
    """For microphones without an input chain."""
    return None


def follow(
    source: Source,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    sinks: list[Sink],
    *,
    clock: Clock,
    stop: threading.Event,
    chain: InputChain | None = None,
    monitor: VoiceMonitorConfig | None = None,
    control_port: ControlPort | None = None,
    on_status: Callable[[Status], None] = ignore_status,
    on_start: OnStart = ignore_start,
    timing: Timing | None = None,
) -> Summary:
    """Follow a live source until `stop` is set. When the source fails the face decays to neutral and packets keep
    coming.

    Parameters
    ----------
    source, sinks : opened; the caller closes them
    chain : the input chain; None only mixes down and resamples
    monitor : the monitor output; None plays nothing
    control_port : port and allowed hosts of remote control; needs `outputs` that are `remote_controlled`
    on_status : called four times a second
    on_start : called once with what can be controlled of the session
    timing : when frames are due, where the source plays its audio itself; None learns it from the arrivals

    Raises
    ------
    DeviceError for a monitor output, BridgeError for a control port that cannot be opened.
    """
    face.reset()
    with Runner(clock) as runner:
        session = LiveSession(
            source,
            model,
            face,
            outputs,
            sinks,
            clock=clock,
            stop=runner.stop,
            chain=chain,
            monitor=monitor,
            timing=timing,
        )
        control = open_remote_control([session], control_port, on_start, clock)
        run_sessions(
            [session],
            runner,
            clock=clock,
            stop=stop,
            control=control,
            on_status=lambda: on_status(session.reporter.status()),
        )
    return session.reporter.summary()


def open_remote_control(
    sessions: Sequence[LiveSession], control_port: ControlPort | None, on_start: OnStart, clock: Clock
) -> Server | None:
    """Tell `on_start` what can be controlled, and open the control port if one is configured."""
    remote = live_interface(sessions, clock)
    on_start(remote, {session.subject: session.reporter for session in sessions})
    if control_port is None:
        return None
    kept = recorders(sessions[0].sinks) if len(sessions) == 1 else []
    return open_control(control_port, remote, kept[-1].folder if kept else None, clock)
