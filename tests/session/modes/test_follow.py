"""A live source followed until it is stopped, by itself or with remote control beside it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import DeviceError
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES
from livelink_bridge.remote_control.server import Server
from livelink_bridge.reporting.metrics import Status
from livelink_bridge.session.modes import microphone
from livelink_bridge.session.modes.follow import follow
from livelink_bridge.session.modes.microphone import run_live
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.remote import ControlPort
from livelink_bridge.sources.microphone import Input
from livelink_bridge.testing.shared_clock import SharedClock
from livelink_bridge.testing.stand_ins import CollectSink, ListSource, LoudnessModel

JAW = CHANNELS_61.index("JawOpen")
TAIL = HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES
NOWHERE = Outputs((), "Talker")


class PacedSource(ListSource):
    """Hands over each block when its last sample was spoken."""

    def __init__(self, clock, blocks, *, failure=None):
        super().__init__(blocks, live=True, failure=failure)
        self._clock = clock

    def blocks(self):
        stop, opened_s = threading.Event(), self._clock.now()
        for block in super().blocks():
            self._clock.wait_until(opened_s + block.end / block.sample_rate, stop)
            yield AudioBlock(block.samples, block.sample_rate, block.start, self._clock.now())


def paced(clock: SharedClock, seconds: float, failure: Exception | None = None) -> PacedSource:
    at_s = np.arange(round(seconds * 48000)) / 48000
    blocks = ListSource.of_samples((0.2 * np.sin(2 * np.pi * 200 * at_s)).astype(np.float32), 48000, 200)
    return PacedSource(clock, list(blocks.blocks()), failure=failure)


def test_live_sound_moves_the_face_and_when_the_microphone_fails_it_rests(caplog):
    clock, sink, stop = SharedClock(), CollectSink(), threading.Event()
    statuses: list[Status] = []

    def watch(status: Status) -> None:
        statuses.append(status)
        if status.sent > 120:
            stop.set()

    source = paced(clock, 1.0, failure=DeviceError("microphone 'Desk' stopped"))
    summary = follow(source, LoudnessModel(), Face(), NOWHERE, [sink], clock=clock, stop=stop, on_status=watch)
    jaw = sink.weights[:, JAW]
    assert jaw.max() > 0.5
    assert not sink.weights[-NEUTRAL_FRAMES:].any()
    assert sink.sent > 120
    assert {"live", "no sound: microphone 'Desk' stopped"} <= {status.state for status in statuses}
    assert summary.delay_ms == pytest.approx(1000 * 4 / 60 + 0.3, abs=0.01), (
        "the look-ahead and what keeps a tick from the edge"
    )
    assert summary.gaps == 0
    assert "the face stays neutral" in caplog.text


def test_a_remote_control_that_fails_is_said_once_and_the_face_goes_on(monkeypatch, caplog):
    """A bug in what stands beside the show does not end it."""
    clock, sink, stop, failed = SharedClock(), CollectSink(), threading.Event(), threading.Event()

    def fail(_server) -> None:
        failed.set()
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(Server, "_receive", fail)

    def watch(status: Status) -> None:
        if failed.is_set() and status.sent > 60:
            stop.set()

    outputs = Outputs((), "Talker", remote_controlled=True)
    follow(
        paced(clock, 1.5),
        LoudnessModel(),
        Face(),
        outputs,
        [sink],
        clock=clock,
        stop=stop,
        on_status=watch,
        control_port=ControlPort(0),
    )
    assert stop.is_set(), "it ran until it was told to stop"
    assert not sink.weights[-NEUTRAL_FRAMES:].any()
    assert [record.getMessage() for record in caplog.records if "has failed" in record.getMessage()] == [
        "remote control has failed: ZeroDivisionError: a mistake of ours; going on without it"
    ]


def test_a_microphone_that_is_not_there_stops_before_anything_is_sent(monkeypatch):
    def none(*_args: object, **_options: object) -> None:
        raise DeviceError("no microphone")

    monkeypatch.setattr(microphone, "MicrophoneSource", none)
    with pytest.raises(DeviceError, match="no microphone"):
        run_live(Input(), LoudnessModel(), Face(), NOWHERE, clock=SharedClock(), stop=threading.Event())
