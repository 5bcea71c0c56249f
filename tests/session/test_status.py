"""A session's status and summary, read from its parts."""

from __future__ import annotations

import threading
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.reporting.metrics import Device, Level, Losses, Metrics, Target
from livelink_bridge.reporting.status_text import status_text
from livelink_bridge.session.sender import Sender
from livelink_bridge.session.status import StatusReporter
from livelink_bridge.testing.stand_ins import CollectSink, ListSource, LoudnessModel, ManualClock
from livelink_bridge.timing.arrival_clock import FixedTiming
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import RATES, counting

RATE = 48000


def session(*, live: bool = True, fps: int = 60, **optional) -> StatusReporter:
    """A session whose last block was heard just now."""
    clock, metrics, source = ManualClock(100.0), Metrics(), ListSource([], live=live)
    source.name, source.sample_rate = "Yeti", RATE
    poses: Channel[FaceFrame] = Channel(4)
    sink = CollectSink()
    timebase = Timebase(clock, counting(Fraction(fps)))
    sender = Sender(
        JitterBuffer(poses),
        [sink],
        FixedTiming(100.0),
        fps=Fraction(fps),
        clock=clock,
        stop=threading.Event(),
        metrics=metrics,
        timebase=timebase,
    )
    metrics.heard_at_s = clock.now()
    return StatusReporter(source, Animator(LoudnessModel(), Face()), poses, sender, [sink], metrics, clock, **optional)


def delayed(session: StatusReporter, *delays_ms: float, step_ms: float = 2.0) -> StatusReporter:
    for delay_ms in delays_ms:
        session.metrics.delays_s.add(delay_ms / 1000, session.clock.now())
        session.metrics.steps_s.add(step_ms / 1000, session.clock.now())
    return session


def test_a_session_that_has_just_begun_knows_its_ends_and_nothing_else() -> None:
    status = session().status()
    assert (status.state, status.trouble, status.fps, status.delay) == ("live", None, 0.0, None)
    assert (status.gate, status.mood, status.voice_out, status.timecode) == (None, None, None, None)
    assert status.wanted_fps == pytest.approx(60)
    assert status.device == Device("Yeti", RATE)
    assert status.targets == (Target("collect:", 0, 0),)
    assert (status.level, status.losses) == (Level(), Losses())


def test_a_live_source_that_delivers_nothing_is_in_trouble_after_a_second() -> None:
    silent = session()
    silent.clock.advance(0.9)
    assert silent.status().trouble is None
    silent.clock.advance(0.2)
    assert silent.status().state == silent.status().trouble == "no sound arrives"


def test_trouble_is_named_in_the_state() -> None:
    lost = session()
    lost.source.trouble = "microphone 'Yeti' stopped"
    assert lost.status().state == "no sound: microphone 'Yeti' stopped"
    lost.metrics.failure = "it burns"
    assert lost.status().trouble == "no sound: it burns"


def test_a_file_is_playing_however_long_ago_it_was_read() -> None:
    playing = session(live=False)
    playing.clock.advance(10)
    assert (playing.status().state, playing.status().trouble) == ("playing", None)


def test_the_parts_of_a_delay_add_up_to_its_median() -> None:
    made = delayed(session(fps=24, added_s=0.040), 130, 131, 132)
    delay = made.status().delay
    assert delay is not None and delay.parts is not None
    assert delay.median_ms == pytest.approx(131)
    parts = delay.parts
    assert parts.lookahead_ms == pytest.approx(1000 * 4 / 60)
    assert (parts.compute_ms, parts.added_ms) == pytest.approx((2, 40))
    assert parts.resampling_ms == pytest.approx(1000 * made.sender.grid.wait_s)
    assert parts.pacing_ms == pytest.approx(131 - 1000 * 4 / 60 - 2 - 1000 * made.sender.grid.wait_s - 40)


def test_sound_that_is_there_before_it_is_heard_costs_no_look_ahead() -> None:
    played, paced = delayed(session(live=False), 80), delayed(session(added_s=0.1), 101)
    for made in (played, paced):
        assert made.status().delay is not None
        assert made.status().delay.parts is None


def test_a_microphone_says_what_its_device_holds_and_how_often_it_was_found_again() -> None:
    made = delayed(session(), 71)
    assert made.status().delay.capture_ms is None
    made.source.latency_s, made.source.reopened = 0.012, 2
    status = made.status()
    assert status.delay.capture_ms == pytest.approx(12)
    assert status.device.reopened == 2


def test_level_gain_and_gate_are_those_of_the_front() -> None:
    meter = SimpleNamespace(rms_dbfs=-23.0, peak_dbfs=-9.0, held_peak_dbfs=-8.0, clipped_per_s=12)
    made = session(chain=SimpleNamespace(meter=meter, gain_db=3.5, gate=0.4, gated=True))
    made.metrics.level_dbfs = -99.0
    status = made.status()
    assert status.level == Level(-23.0, -9.0, -8.0, 12, 3.5)
    assert status.gate == 0.4
    assert "gate 40 % open" in status_text(status)
    made.chain.gated = False
    assert made.status().gate is None


def test_where_no_sound_arrives_no_level_is_told() -> None:
    meter = SimpleNamespace(rms_dbfs=-23.0, peak_dbfs=-9.0, held_peak_dbfs=-8.0, clipped_per_s=12)
    made = session(chain=SimpleNamespace(meter=meter, gain_db=3.5, gate=0.4, gated=True))
    made.clock.advance(2)
    assert made.status().level == Level()
    assert "level" not in status_text(made.status())


def test_a_delay_is_that_of_the_last_minute_by_the_clock() -> None:
    made = delayed(session(fps=24), 500)
    made.clock.advance(61)
    assert made.status().delay is None
    delayed(made, 130)
    assert made.status().delay.median_ms == pytest.approx(130)
    assert made.summary().delay_ms == pytest.approx(130)
    made.clock.advance(61)
    assert made.summary().delay_ms == pytest.approx(130), "of the last minute that had poses"


def test_a_target_says_why_poses_do_not_arrive_in_status_and_summary() -> None:
    made = session()
    made.sinks[0].errors, made.sinks[0].trouble = 3, "nothing listens on port 9 yet"
    assert made.status().targets == (Target("collect:", 0, 3, "nothing listens on port 9 yet"),)
    assert "collect:: 3 not delivered: nothing listens on port 9 yet" in status_text(made.status())
    assert made.summary().troubles == ("collect:: nothing listens on port 9 yet",)


def test_the_mood_is_told_unless_it_is_neutral() -> None:
    face = Face(mood=Mood.parse("happy:0.4"))
    made = session(face=face)
    assert made.status().mood == "happy:0.4"
    face.set_mood(Mood())
    assert made.status().mood is None


def test_the_timecode_is_the_label_of_the_last_pose_sent() -> None:
    made = session(timebase=Timebase(ManualClock(), RATES["25"]))
    made.metrics.frame = 25 * 3600 + 26
    assert made.status().timecode == "01:00:01:01"


def test_a_voice_on_an_output_tells_how_far_off_it_is() -> None:
    follower = SimpleNamespace(error_s=-0.0005, drift_ppm=12.0)
    voice = (
        session(voice_out=SimpleNamespace(name="Speakers", late_s=0.002, follower=follower, trouble=None))
        .status()
        .voice_out
    )
    assert voice is not None
    assert (voice.device, voice.offset_ms, voice.drift_ppm, voice.trouble) == (
        "Speakers",
        pytest.approx(1.5),
        12.0,
        None,
    )


def test_losses_of_all_parts_are_in_status_and_summary_alike() -> None:
    made = session()
    made.source.dropped, made.source.overflows = 1, 2
    made.animator.gaps, made.animator.bad_poses = 3, 4
    made.sender.poses.held, made.sender.poses.skipped, made.sender.grid.late = 5, 6, 7
    for index in range(made.poses.capacity + 8):
        made.poses.put(FaceFrame(np.zeros(61, np.float32), index))
    made.sinks[0].errors = 9
    assert made.status().losses == Losses(dropped=15, held=5, overflows=2, gaps=3, bad_poses=4, late_ticks=7)
    summary = made.summary()
    assert (summary.dropped, summary.held, summary.overflows, summary.gaps, summary.bad_poses, summary.late_ticks) == (
        15,
        5,
        2,
        3,
        4,
        7,
    )
    assert (summary.sink_errors, made.status().targets[0].errors) == (9, 9)
