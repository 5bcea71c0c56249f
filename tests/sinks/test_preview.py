"""The live face: the newest pose and nothing older, and how long it takes to be seen."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.errors import UsageError
from livelink_bridge.sinks import Sink
from livelink_bridge.sinks.preview import OPEN, REMEMBERED, PreviewSink
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.stamp import Stamp

STAMP = Stamp(100, 0.5, Fraction(60), 1.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(50.0)


@pytest.fixture
def sink(clock):
    made: Sink = PreviewSink("preview:", subject="Ada", clock=clock)
    yield made
    made.close()


def pose(value: float) -> np.ndarray:
    return np.full(61, value, np.float32)


def test_it_gives_the_newest_pose_with_its_number_stamp_and_time(sink, clock):
    assert sink.latest() is None
    for number in range(5):
        sink.send(pose(number / 10), STAMP)
        clock.advance(1 / 60)
    newest = sink.latest()
    assert (newest.number, newest.weights[0], newest.stamp, sink.sent) == (4, np.float32(0.4), STAMP, 5)
    assert newest.sent_s == pytest.approx(50 + 4 / 60)


def test_it_keeps_no_reference_to_what_it_was_sent(sink):
    weights = pose(0.5)
    sink.send(weights, STAMP)
    weights[:] = 9
    assert sink.latest().weights[0] == 0.5


def test_the_delay_is_from_sending_to_the_page_s_word(sink, clock):
    for number, drawn_after_s in enumerate([0.010, 0.020, 0.030]):
        sink.send(pose(0), STAMP)
        clock.advance(drawn_after_s)
        sink.acknowledge(number)
    delay = sink.delay()
    assert (delay.poses, delay.p50_ms, delay.skipped) == (3, pytest.approx(20), 0)
    assert delay.p95_ms == pytest.approx(29) and delay.fps == 3


def test_a_slow_browser_skips_poses(sink, clock):
    for number in range(60):
        sink.send(pose(0), STAMP)
        clock.advance(1 / 60)
        if number % 3 == 0:
            sink.acknowledge(number)
    delay = sink.delay()
    assert (delay.poses, delay.skipped) == (20, 38)
    assert delay.fps == pytest.approx(20, abs=1)


def test_two_tabs_count_once_and_words_out_of_order_are_ignored(sink, clock):
    for _ in range(3):
        sink.send(pose(0), STAMP)
    clock.advance(0.01)
    sink.acknowledge(1)
    clock.advance(1)
    for number in (1, 0, 1):
        sink.acknowledge(number)
    assert sink.delay().poses == 1 and sink.delay().p50_ms == pytest.approx(10)


@pytest.mark.parametrize("number", [-1, 99, 1.0, "1", None, True, math.nan, 10**30])
def test_a_page_may_say_anything(sink, number):
    sink.send(pose(0), STAMP)
    sink.send(pose(0), STAMP)
    sink.acknowledge(number)
    assert sink.delay().poses == 0


def test_a_word_that_comes_seconds_late_tells_no_delay(sink):
    for _ in range(REMEMBERED + 1):
        sink.send(pose(0), STAMP)
    sink.acknowledge(0)
    assert sink.delay().poses == 0
    sink.acknowledge(1)
    assert sink.delay().poses == 1


def test_what_is_measured_is_bounded(sink, monkeypatch):
    for number in range(4096 + 500):
        sink.send(pose(0), STAMP)
        sink.acknowledge(number)
    assert sink.delay().poses == 4096


def test_what_is_measured_is_the_last_minute_s_at_any_rate(sink, clock):
    for number in range(24 * 90):
        sink.send(pose(0), STAMP)
        clock.advance(1 / 24)
        sink.acknowledge(number)
    assert sink.delay().poses == pytest.approx(24 * 60, abs=1)
    clock.advance(61)
    assert sink.delay().poses == 0


def test_before_the_first_word_there_are_no_figures(sink):
    delay = sink.delay()
    assert delay.poses == 0 and math.isnan(delay.p50_ms) and delay.fps == 0


def test_open_sinks_are_found_and_closed_ones_are_not():
    one, two = PreviewSink(), PreviewSink(subject="Bob")
    assert OPEN.sinks()[-2:] == (one, two)
    one.close()
    one.close()
    assert one not in OPEN.sinks() and two in OPEN.sinks()
    two.close()
    two.send(pose(0), STAMP)
    assert two.latest() is None and two.sent == 0


def test_anything_behind_the_colon_is_a_usage_error():
    before = OPEN.sinks()
    with pytest.raises(UsageError, match="expected preview:"):
        PreviewSink("preview:8080")
    assert OPEN.sinks() == before


def test_a_page_that_has_stopped_drawing_draws_nothing_a_second(sink, clock):
    sink.send(pose(0), STAMP)
    sink.acknowledge(0)
    assert sink.delay().fps == 1
    clock.advance(2)
    assert sink.delay().fps == 0


def test_who_waits_for_poses_is_told_of_each_and_of_the_end(sink):
    told: list[tuple[int, bool]] = []
    end, end_other = sink.subscribe(lambda: told.append((sink.sent, sink.closed))), sink.subscribe(lambda: None)
    sink.send(pose(0), STAMP)
    end_other()
    sink.send(pose(0), STAMP)
    sink.close()
    end(), end()
    sink.send(pose(0), STAMP)
    assert told == [(1, False), (2, False), (2, True)]
