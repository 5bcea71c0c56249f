"""A clock that jumps: a lid that was shut for an hour, a time server that was wrong for a day."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest
from faulty import JumpingClock

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.sender import Sender
from livelink_bridge.testing.stand_ins import CollectSink
from livelink_bridge.timing.arrival_clock import FixedTiming
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import RATES


def sent_by(clock: JumpingClock, poses: int = 120) -> tuple[CollectSink, Sender]:
    """A recording shown on a clock."""
    channel: Channel[FaceFrame] = Channel(poses + 1)
    for index in range(poses):
        channel.put(FaceFrame(np.full(61, 0.5, np.float32), index))
    channel.close()
    sink = CollectSink()
    sender = Sender(
        JitterBuffer(channel),
        [sink],
        FixedTiming(100.0),
        fps=Fraction(60),
        clock=clock,
        stop=threading.Event(),
        metrics=Metrics(),
        timebase=Timebase(clock, RATES["60"]),
    )
    sender.run()
    return sink, sender


@pytest.mark.parametrize("hours", [1, 30])
def test_hours_that_pass_unseen_are_left_out_and_never_made_up_for_in_a_burst(hours: int) -> None:
    clock = JumpingClock(at=40, jump_s=3600.0 * hours)
    sink, sender = sent_by(clock)
    assert sink.sent < 120, "what was due while nobody looked is gone"
    assert sender.grid.late == pytest.approx(3600 * hours * 60, abs=2)
    assert not sink.weights[-1].any(), "and the face ends neutral"


@pytest.mark.parametrize("hours", [-5, -0.5, 0.5, 5])
def test_a_time_of_day_that_jumps_neither_stops_packets_nor_turns_frame_numbers_back(hours: float) -> None:
    sink, sender = sent_by(JumpingClock(at=40, of_day_s=3600.0 * hours))
    assert sink.sent >= 120 and sender.grid.late == 0
    frames = np.array([stamp.frame for stamp in sink.stamps])
    assert (np.diff(frames) == 1).all(), "the session's own beat counts on; the time of day was asked once"
