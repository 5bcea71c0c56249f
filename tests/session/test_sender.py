import threading
from fractions import Fraction

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES, JitterBuffer
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.sender import Sender
from livelink_bridge.testing.stand_ins import CollectSink, ManualClock
from livelink_bridge.timing.arrival_clock import FixedTiming
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import counting

JAW, CLOSE = CHANNELS_61.index("JawOpen"), CHANNELS_61.index("MouthClose")
TAIL = HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES


def face(index: int, jaw: float = 0.5, close: float = 0.2) -> FaceFrame:
    weights = np.zeros(61, np.float32)
    weights[[JAW, CLOSE]] = jaw, close
    return FaceFrame(weights, index)


class Stopping(ManualClock):
    """Sets `stop` once it has been waited on `ticks` times."""

    def __init__(self, ticks: int, stop: threading.Event, **options) -> None:
        super().__init__(100.0, **options)
        self._ticks, self._stop = ticks, stop

    def wait_until(self, deadline_s: float, stop: threading.Event) -> bool:
        self._ticks -= 1
        if self._ticks < 0:
            self._stop.set()
        return super().wait_until(deadline_s, stop)


def sender(
    poses: Channel[FaceFrame], sinks, clock: Clock, stop: threading.Event, fps: int = 60, metrics: Metrics | None = None
) -> Sender:
    base = Timebase(clock, counting(Fraction(fps)))
    return Sender(
        JitterBuffer(poses),
        sinks,
        FixedTiming(100.0),
        fps=Fraction(fps),
        clock=clock,
        stop=stop,
        metrics=metrics or Metrics(),
        timebase=base,
    )


def recording(frames: int) -> Channel[FaceFrame]:
    channel: Channel[FaceFrame] = Channel(frames + 1)
    for index in range(frames):
        channel.put(face(index, index / frames))
    channel.close()
    return channel


def test_each_pose_is_sent_once_and_the_file_ends_neutral():
    sink, clock = CollectSink(), ManualClock(100.0)
    sender(recording(60), [sink], clock, threading.Event()).run()
    assert sink.sent == 60 + TAIL
    np.testing.assert_allclose(sink.weights[:60, JAW], np.arange(60) / 60, atol=1e-6)
    assert not sink.weights[-NEUTRAL_FRAMES:].any()
    assert clock.now() == pytest.approx(100 + (60 + TAIL - 1) / 60)


def test_stopping_in_the_middle_of_a_word_eases_to_neutral_on_the_same_beat():
    stop, sink = threading.Event(), CollectSink()
    clock = Stopping(20, stop)
    sender(recording(60), [sink], clock, stop).run()
    assert sink.sent == 20 + TAIL
    jaw = sink.weights[:, JAW]
    assert jaw[19] == jaw[20] == pytest.approx(19 / 60)
    assert np.abs(np.diff(jaw[19:])).max() < 0.05
    assert not sink.weights[-NEUTRAL_FRAMES:].any()
    assert [stamp.frame for stamp in sink.stamps] == list(range(sink.stamps[0].frame, sink.stamps[0].frame + sink.sent))


def test_a_failing_sink_is_left_out_and_the_others_end_neutral():
    good, bad = CollectSink(), CollectSink(failure=RuntimeError("disk on fire"))
    with pytest.raises(RuntimeError, match="disk on fire"):
        sender(recording(60), [good, bad], ManualClock(100.0), threading.Event()).run()
    assert good.sent > NEUTRAL_FRAMES
    assert not good.weights[-NEUTRAL_FRAMES:].any()


class FullDisk(CollectSink):
    """Takes so many poses and no more."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def send(self, weights, stamp) -> None:
        if self.sent == self._room:
            raise OSError("no space left")
        super().send(weights, stamp)


def test_a_sink_that_fails_while_the_face_comes_to_rest_does_not_keep_the_others_from_it():
    good = CollectSink()
    with pytest.raises(OSError, match="no space left"):
        sender(recording(60), [FullDisk(65), good, FullDisk(70)], ManualClock(100.0), threading.Event()).run()
    assert good.sent == 60 + TAIL
    assert not good.weights[-NEUTRAL_FRAMES:].any()


def test_packets_keep_coming_when_no_pose_does():
    stop, sink = threading.Event(), CollectSink()
    channel: Channel[FaceFrame] = Channel(10)
    channel.put(face(0))
    sender(channel, [sink], Stopping(600, stop), stop).run()
    assert sink.sent == 600 + NEUTRAL_FRAMES
    assert not sink.weights[30:].any()


def test_a_stall_is_skipped_over_never_made_up_for():
    sink = CollectSink()
    clock = ManualClock(100.0, time_of_day_s=60.008, overslept_s=iter([0.0] * 10 + [0.105] + [0.0] * 200))
    sending = sender(recording(60), [sink], clock, threading.Event())
    sending.run()
    frames = np.diff([stamp.frame for stamp in sink.stamps])
    assert (frames == 1).sum() == len(frames) - 1
    assert frames.max() == 7
    assert sending.grid.late == 6
    assert sink.sent == 60 - 6 + TAIL


def test_each_sink_gets_its_own_lip_rule():
    arkit, metahuman = CollectSink("arkit"), CollectSink("metahuman")
    channel: Channel[FaceFrame] = Channel(3)
    channel.put(face(0, jaw=0.2, close=0.2))
    channel.close()
    sender(channel, [arkit, metahuman], ManualClock(100.0), threading.Event()).run()
    differing = np.unique(np.nonzero(arkit.weights != metahuman.weights)[1])
    assert set(differing) <= {CLOSE}
    assert arkit.weights[0, CLOSE] == pytest.approx(0.2)


def test_at_30_fps_the_stamps_count_thirtieths():
    sink = CollectSink()
    clock = ManualClock(100.0, time_of_day_s=3600.0)
    sender(recording(60), [sink], clock, threading.Event(), fps=30).run()
    assert {stamp.rate for stamp in sink.stamps} == {Fraction(30)}
    assert sink.stamps[0].frame == 3600 * 30
    np.testing.assert_allclose(sink.weights[:30, JAW], np.arange(0, 60, 2) / 60, atol=1e-6)


def test_the_delay_of_fresh_poses_is_measured():
    metrics, sink = Metrics(), CollectSink()
    clock = ManualClock(100.0, overslept_s=iter([0.002] * 500))
    sender(recording(60), [sink], clock, threading.Event(), metrics=metrics).run()
    assert metrics.delays_s.count == 60
    assert metrics.delays_s.percentile(50) == pytest.approx(0.002, abs=1e-6)
    assert metrics.fps(clock.now()) == pytest.approx(60, abs=0.1)
