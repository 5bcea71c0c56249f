"""A day of live sound on a clock that nobody has to wait for."""

from __future__ import annotations

import sys
import threading
from fractions import Fraction

import numpy as np
import pytest

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.sender import Sender
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.arrival_clock import ArrivalClock
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import RATES

RATE = 48000
BLOCK = 480
PPM = 150e-6
"""By which the sound device's clock runs fast."""
LOOKAHEAD_POSES = 4
POSE = np.full(61, 0.25, np.float32)
SILENT = np.zeros(BLOCK, np.float32)


class Studio(ManualClock):
    """A clock that brings the sound of the time that passes: what the model's thread would do is done while the sender
    waits."""

    def __init__(self, poses: Channel[FaceFrame], timing: ArrivalClock) -> None:
        super().__init__(0.0, time_of_day_s=80000.0)
        self._poses, self._timing = poses, timing
        self._rng = np.random.default_rng(1)
        self._block = self._pose = 0
        self.arrives_s = self._arrival()

    def wait_until(self, deadline_s: float, stop: threading.Event) -> bool:
        while self.arrives_s <= deadline_s:
            self._hear()
        return super().wait_until(deadline_s, stop)

    def _arrival(self) -> float:
        return (self._block + 1) * BLOCK / (RATE * (1 + PPM)) + float(self._rng.exponential(0.0005))

    def _hear(self) -> None:
        block = AudioBlock(SILENT, RATE, self._block * BLOCK, self.arrives_s)
        self._timing.heard(block)
        while (self._pose + LOOKAHEAD_POSES) * RATE <= block.end * FRAME_RATE:
            self._timing.ready(self._pose, self.arrives_s + 0.001)
            self._poses.put(FaceFrame(POSE, self._pose))
            self._pose += 1
        self._block += 1
        self.arrives_s = self._arrival()


class Audience:
    """A sink that keeps what can go wrong in a day, and not the day."""

    name, closure, errors, sent = "audience:", "arkit", 0, 0

    def __init__(self, clock: Studio, until_s: float, stop: threading.Event) -> None:
        self._clock, self._until_s, self._stop = clock, until_s, stop
        self.frames: tuple[int, int] | None = None
        self.largest_step = self.repeated = 0
        self._before = (-1, 0.0)
        self.blocks_early = 0

    def send(self, weights, stamp) -> None:
        first, last = self.frames or (stamp.frame, stamp.frame - 1)
        self.largest_step = max(self.largest_step, stamp.frame - last)
        assert (stamp.frame, stamp.subframe) > self._before
        self.repeated += stamp.frame == last
        self.frames, self._before = (first, stamp.frame), (stamp.frame, stamp.subframe)
        self.sent += 1
        if self.sent == 20_000:
            self.blocks_early = sys.getallocatedblocks()
        if self._clock.now() >= self._until_s:
            self._stop.set()

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("hours", [0.1, pytest.param(24, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_a_live_session_neither_drifts_nor_grows_nor_misses_a_frame(hours, capsys):
    poses: Channel[FaceFrame] = Channel(30, "newest")
    timing, metrics, stop = ArrivalClock(), Metrics(), threading.Event()
    clock = Studio(poses, timing)
    audience = Audience(clock, hours * 3600, stop)
    clock.wait_until(0.5, stop)
    base = Timebase(clock, RATES["60"])
    sender = Sender(
        JitterBuffer(poses),
        [audience],
        timing,
        fps=Fraction(60),
        clock=clock,
        stop=stop,
        metrics=metrics,
        timebase=base,
    )
    sender.run()
    grown = sys.getallocatedblocks() - audience.blocks_early
    delays_ms = 1000 * metrics.delays_s.values()
    first, last = audience.frames
    with capsys.disabled():
        print(  # noqa: T201 - promised, and to be seen in the log of every run
            f"\n{hours:g} h on a clock of its own: {audience.sent} packets, {sender.grid.late} late ticks, "
            f"{sender.poses.held} held, "
            f"{sender.poses.skipped + poses.dropped} dropped, delay {np.median(delays_ms):.1f} ms (p99 "
            f"{np.percentile(delays_ms, 99):.1f})"
            f", "
            f"{grown:+d} objects"
        )
    assert sender.grid.late == 0
    # While the beat is found; then for a tick now and then, when a block comes later than hardly any does.
    assert sender.poses.held + sender.poses.skipped + poses.dropped <= 15 + audience.sent / 1000
    assert audience.largest_step <= 2
    # Packets follow the sound's clock, frame numbers the machine's.
    assert audience.sent == pytest.approx(hours * 3600 * 60 * (1 + PPM), abs=120)
    assert last - first == pytest.approx(hours * 3600 * 60, abs=120)
    assert audience.repeated <= 2 + 1.1 * hours * 3600 * 60 * PPM, (
        "a number is given twice for every frame the sound is ahead"
    )
    assert np.median(delays_ms) < 1000 * LOOKAHEAD_POSES / 60 + 25
    assert grown < 2000, "nothing piles up"
