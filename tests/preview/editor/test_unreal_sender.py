"""What the page plays goes to receivers at the rate that was asked for, and what goes wrong there is said."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.errors import SinkError
from livelink_bridge.preview.editor import unreal_sender
from livelink_bridge.preview.editor.unreal_sender import Unreal
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.testing.stand_ins import CollectSink, ManualClock

OPEN = np.full(61, 0.5, np.float32)


class Failing(CollectSink):
    """A receiver whose third pose fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._later = error

    def send(self, weights, stamp):
        super().send(weights, stamp)
        if self.sent == 3:
            raise self._later


def sending(monkeypatch, sink, clock, *, fps=60):
    """A sender of the page whose one receiver is `sink`."""

    @contextmanager
    def opened(_outputs):
        yield [sink]

    monkeypatch.setattr(unreal_sender, "open_sinks", opened)
    return Unreal(Outputs(("livelink://127.0.0.1:11111",), "Anna", Fraction(fps)), clock)


def run_to_its_end(sender, pose_at=lambda _side, _time_s: OPEN):
    sender.start(pose_at)
    sender._thread.join(10)
    assert not sender.running


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_the_way_back_to_neutral_keeps_the_rate_that_was_asked_for(monkeypatch, fps):
    clock, sink = ManualClock(100.0), CollectSink()
    sender = sending(monkeypatch, sink, clock, fps=fps)
    clock.at(101.0, lambda _clock: sender._stop.set())
    run_to_its_end(sender)
    times = np.array([stamp.of_day_s for stamp in sink.stamps])
    assert np.diff(times) == pytest.approx(1 / fps, abs=1e-6)
    values = sink.weights[:, 0]
    assert np.count_nonzero(values == 0) == pytest.approx(12 / 60 * fps, abs=1) and values[-1] == 0 and values[0] == 0.5
    easing = np.count_nonzero((values > 0) & (values < 0.5))
    assert easing == pytest.approx(14 / 60 * fps, abs=1)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SinkError("the host is gone"), "the host is gone"),
        (ZeroDivisionError("by nought"), "ZeroDivisionError: by nought"),
    ],
)
def test_a_receiver_that_fails_is_told_with_its_reason_and_in_the_log(monkeypatch, caplog, error, words):
    sender = sending(monkeypatch, Failing(error), ManualClock())
    run_to_its_end(sender)
    assert sender.trouble == f"nothing is sent to livelink://127.0.0.1:11111 any more: {words}"
    assert sender.trouble in caplog.text


def test_a_pose_that_cannot_be_made_is_told_too_and_sending_may_begin_again(monkeypatch):
    clock, sink = ManualClock(), CollectSink()
    sender = sending(monkeypatch, sink, clock)
    run_to_its_end(sender, lambda _side, _time_s: {}["no pose"])
    assert "KeyError" in sender.trouble and (sender.failures, sink.sent) == (1, 0)
    clock.at(1.0, lambda _clock: sender._stop.set())
    run_to_its_end(sender)
    assert sender.failures == 1 and sink.sent > 60


def test_two_tabs_that_send_at_once_start_one_sender(monkeypatch):
    both_here, opened = threading.Barrier(2), []

    @contextmanager
    def slow(_outputs):
        opened.append(threading.current_thread().name)
        try:
            both_here.wait(0.3)
        except threading.BrokenBarrierError:
            pass  # the other one waits for this one
        yield [CollectSink()]

    monkeypatch.setattr(unreal_sender, "open_sinks", slow)
    sender = Unreal(Outputs(("livelink://127.0.0.1:11111",), "Anna"), MonotonicClock())
    tabs = [threading.Thread(target=sender.start, args=(lambda _side, _time_s: OPEN,), name="tab") for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(10)
    sender.stop()
    assert opened == ["tab", "unreal"] and not sender.running
