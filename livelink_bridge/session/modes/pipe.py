"""`play -`: audio that another program writes into a pipe."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.core.clock import Clock
from livelink_bridge.face.face import Face
from livelink_bridge.reporting.metrics import Status, Summary
from livelink_bridge.session.model_thread import warm_up
from livelink_bridge.session.modes.follow import follow, ignore_status
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.sources.pipe import PipeSource
from speech_to_face.base import SpeechToFace


def run_pipe(
    source: PipeSource,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    *,
    clock: Clock,
    stop: threading.Event,
    chain: InputChain | None = None,
    on_status: Callable[[Status], None] = ignore_status,
) -> Summary:
    """Play what a program writes into a pipe, until all was played or `stop` is set.

    Where the audio is damaged it is played up to there, and its error raised afterwards.
    """
    over = threading.Event()

    def watch(status: Status) -> None:
        on_status(status)
        if source.played_out() or stop.is_set():
            over.set()

    warm_up(model)
    with open_sinks(outputs) as sinks, closing(source):
        summary = follow(
            source, model, face, outputs, sinks, clock=clock, stop=over, chain=chain, on_status=watch, timing=source
        )
    if source.failure:
        raise source.failure
    return summary
