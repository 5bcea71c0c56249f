"""`--mic`: one voice from a microphone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing

from livelink_bridge.core.clock import Clock
from livelink_bridge.face.face import Face
from livelink_bridge.reporting.metrics import Status, Summary
from livelink_bridge.session.live import VoiceMonitorConfig
from livelink_bridge.session.model_thread import warm_up
from livelink_bridge.session.modes.follow import ChainOf, follow, ignore_status, no_chain
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.remote import ControlPort, OnStart, ignore_start
from livelink_bridge.sinks import Sink
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from speech_to_face.base import SpeechToFace


def run_live(
    spec: Input,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    *,
    clock: Clock,
    stop: threading.Event,
    chain: ChainOf = no_chain,
    monitor: VoiceMonitorConfig | None = None,
    control_port: ControlPort | None = None,
    more: Sequence[Sink] = (),
    on_status: Callable[[Status], None] = ignore_status,
    on_start: OnStart = ignore_start,
) -> Summary:
    """Follow a microphone until `stop` is set. One that is unplugged is opened again when it is back.

    Parameters
    ----------
    spec : which microphone
    chain : makes the input chain for the microphone's name
    monitor : the monitor output; None plays nothing
    control_port : port and allowed hosts of remote control; needs `outputs` that are `remote_controlled`
    more : the caller's own sinks, which the caller closes
    on_status : called four times a second
    on_start : called once with what can be controlled of the session

    Raises
    ------
    DeviceError for a microphone or an output that cannot be opened, UsageError and SinkError for receivers.
    """
    warm_up(model)
    with open_sinks(outputs) as sinks, closing(MicrophoneSource(spec, clock=clock)) as source:
        made = chain(source.name)
        return follow(
            source,
            model,
            face,
            outputs,
            [*sinks, *more],
            clock=clock,
            stop=stop,
            chain=made,
            monitor=monitor,
            control_port=control_port,
            on_status=on_status,
            on_start=on_start,
        )
