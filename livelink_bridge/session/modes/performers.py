"""`--performer`: several voices and their faces in one process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from livelink_bridge.core.clock import Clock
from livelink_bridge.core.workers import Runner
from livelink_bridge.face.face import Face
from livelink_bridge.reporting.metrics import Status, Summary
from livelink_bridge.session.live import LiveSession, VoiceMonitorConfig, run_sessions
from livelink_bridge.session.model_thread import warm_up
from livelink_bridge.session.modes.follow import ChainOf, no_chain, open_remote_control
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.remote import ControlPort, OnStart, ignore_start
from livelink_bridge.sinks import Sink
from livelink_bridge.sources import Source
from livelink_bridge.sources.demux import open_microphones
from livelink_bridge.sources.microphone import Input
from speech_to_face.base import SpeechToFace


@dataclass(frozen=True, slots=True)
class Performer:
    """One voice of several, its face and where the face goes."""

    spec: Input
    face: Face
    outputs: Outputs
    chain: ChainOf = no_chain
    monitor: VoiceMonitorConfig | None = None
    more: Sequence[Sink] = ()
    """The caller's own sinks, which the caller closes."""


def run_performers(
    performers: Sequence[Performer],
    model: SpeechToFace,
    *,
    clock: Clock,
    stop: threading.Event,
    on_status: Callable[[dict[str, Status]], None],
    control_port: ControlPort | None = None,
    on_start: OnStart = ignore_start,
) -> dict[str, Summary]:
    """Follow several microphones, or channels of one, until `stop` is set.

    Returns a summary for each subject; `on_status` gets a status for each. Raises DeviceError for a microphone that
    cannot be opened, UsageError and SinkError for receivers.
    """
    warm_up(model)
    with ExitStack() as stack:
        sinks = [stack.enter_context(open_sinks(performer.outputs)) for performer in performers]
        sources, demuxes = open_microphones([performer.spec for performer in performers], clock)
        for close in [source.close for source in sources] + [demux.close for demux in demuxes]:
            stack.callback(close)
        with Runner(clock) as runner:
            sessions: list[LiveSession] = []
            for performer, source, targets in zip(performers, sources, sinks, strict=True):
                sessions.append(_session(performer, source, model, targets, clock, runner.stop))
                stack.callback(sessions[-1].close)
            for number, demux in enumerate(demuxes, 1):
                runner.start(f"microphone {number}", demux.run, cancel=demux.close)
            control = open_remote_control(sessions, control_port, on_start, clock)
            run_sessions(
                sessions,
                runner,
                clock=clock,
                stop=stop,
                control=control,
                on_status=lambda: on_status({session.subject: session.reporter.status() for session in sessions}),
            )
    return {session.subject: session.reporter.summary() for session in sessions}


def _session(
    performer: Performer,
    source: Source,
    model: SpeechToFace,
    targets: Sequence[Sink],
    clock: Clock,
    stop: threading.Event,
) -> LiveSession:
    return LiveSession(
        source,
        model,
        performer.face,
        performer.outputs,
        [*targets, *performer.more],
        clock=clock,
        stop=stop,
        chain=performer.chain(source.name),
        monitor=performer.monitor,
    )
