"""Takes played: the right face at the right time on every wire, with their sound, ending neutral."""

from __future__ import annotations

import itertools
import logging
import threading
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from cases import case

from arkit_mapping.channels import index_of
from arkit_mapping.character.closure import closed_lips
from arkit_mapping.takes.csv import Take, read_take
from arkit_mapping.takes.edit import timecode, trim
from livelink_bridge.devices.portaudio import SoundSystem
from livelink_bridge.errors import DeviceError, SourceError, UsageError
from livelink_bridge.face.jitter_buffer import NEUTRAL_FRAMES
from livelink_bridge.reporting.metrics import Level, Status
from livelink_bridge.reporting.status_text import status_text
from livelink_bridge.session.modes import replay as replay_module
from livelink_bridge.session.modes.replay import SEAM_POSES, TakePlay, TakeTimebase, replay, run_replay
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.playback import speaker as speaker_module
from livelink_bridge.session.playback.speaker import Speaker
from livelink_bridge.testing.shared_clock import SharedClock
from livelink_bridge.testing.stand_ins import CollectSink, FakePortAudio, ManualClock
from livelink_bridge.testing.takes import app_folder, app_take, face
from livelink_bridge.timing.arrival_clock import FixedTiming
from livelink_bridge.timing.scheduler import TickScheduler
from livelink_bridge.timing.shown import Shown
from livelink_bridge.timing.timecode import RATES, counting

JAW, CLOSE, YAW = index_of("JawOpen"), index_of("MouthClose"), index_of("HeadYaw")
NOWHERE = Outputs((), "Talker")
START = 10 * 3600.0


def numbered(rows: int, rate: int = 60, start_s: float = START) -> Take:
    """A take whose JawOpen is a thousandth of a second's worth: value = seconds from its first row."""
    times_s = start_s + np.arange(rows) / rate
    values = np.zeros((rows, 61), np.float32)
    values[:, JAW] = times_s - start_s
    return Take(values, times_s, rate)


def frames(play: TakePlay, most: int = 10_000) -> np.ndarray:
    """float32 (n, 61): the poses, which are numbered from 0 on without a hole."""
    found = list(itertools.islice(play.frames(), most))
    assert [frame.index for frame in found] == list(range(len(found)))
    return np.array([frame.weights for frame in found])


def play_to(*sinks: CollectSink, play: TakePlay, outputs: Outputs = NOWHERE, **options):
    options = {"clock": SharedClock(), "stop": threading.Event(), "speaker": None} | options
    return replay(play, outputs, list(sinks), **options)


@pytest.mark.parametrize("rate", [24, 30, 60, 120])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_poses_follow_the_timecode_at_any_rate_and_speed(rate, speed):
    poses = frames(TakePlay(numbered(rate + 1, rate), "t", speed))
    np.testing.assert_allclose(poses[:, JAW], np.arange(len(poses)) * speed / 60, atol=1e-6)
    assert len(poses) == 1 + 60 / speed


def test_an_app_take_with_rows_missing_is_filled_in_by_timecode(tmp_path):
    home = app_folder(tmp_path, face(120))
    csv = home / "MySlate_167_iPhone_cal.csv"
    times_s = app_take(csv, face(120), step=1.001, lost=range(30, 50))
    poses = frames(TakePlay(read_take(csv), "t"))
    assert len(poses) == 120
    rows = np.delete(face(120), range(30, 50), axis=0)
    np.testing.assert_allclose(
        poses[:, JAW], np.interp(times_s[0] + np.arange(120) / 60, times_s, rows[:, JAW]), atol=2e-3
    )
    assert (np.diff(poses[30:50, JAW], 2) < 2e-4).all()


def test_what_the_phone_measured_out_of_range_is_cut_and_the_take_itself_left_alone():
    take = numbered(10)
    take.values[:, JAW] = np.linspace(-1, 2, 10)
    take.values[:, YAW] = -0.5
    poses = frames(TakePlay(take, "t"))
    assert (poses[:, JAW].min(), poses[:, JAW].max(), poses[0, YAW]) == (0.0, 1.0, -0.5)
    assert take.values[0, JAW] == -1


def test_a_loop_goes_over_from_its_end_to_its_beginning_and_begins_exactly_again():
    take = numbered(31)
    poses = frames(TakePlay(take, "t", loop=True), most=3 * (31 + SEAM_POSES))
    one = poses[: 31 + SEAM_POSES]
    np.testing.assert_array_equal(poses, np.tile(one, (3, 1)))
    assert (np.diff(one[30:, JAW]) < 0).all()
    assert np.abs(np.diff(poses[:, JAW])).max() < 0.1


@pytest.mark.parametrize("speed", [0.0, 0.05, 11.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_a_usage_error(speed):
    with pytest.raises(UsageError, match="expected 0.1 to 10"):
        TakePlay(numbered(3), "t", speed)


def test_a_loop_cannot_carry_the_takes_own_time():
    with pytest.raises(UsageError, match="--loop and --original-timecode"):
        TakePlay(numbered(3), "t", loop=True, original_timecode=True)


def test_original_timecode_is_that_of_the_moment_shown_exactly():
    for start_s in [START, 86399.5]:
        for speed in [0.5, 1.0, 2.0]:
            for rate in ["60", "30", "24", "29.97df", "59.94"]:
                with case(rate, speed, start_s):
                    play = TakePlay(numbered(600, start_s=start_s), "t", speed, original_timecode=True)
                    clock = ManualClock(12345.678)
                    grid = TickScheduler(60, FixedTiming(clock.now() + 0.05))
                    timebase = TakeTimebase(clock, RATES[rate], play, grid.shown)
                    before = -1.0
                    for _ in range(300):
                        tick = grid.next(clock.now())
                        clock.wait_until(tick.deadline_s, threading.Event())
                        stamp = timebase.stamp(tick.deadline_s)
                        shown_s = start_s + speed * float(tick.position) / 60
                        assert stamp.frame + stamp.subframe == pytest.approx(RATES[rate].frames_at(shown_s), abs=2e-6)
                        assert stamp.of_day_s == pytest.approx(shown_s % 86400, abs=1e-6)
                        assert stamp.frame + stamp.subframe > before
                        assert 0 <= stamp.subframe < 1
                        before = stamp.frame + stamp.subframe
                    assert timebase.stamp(tick.deadline_s).rate == RATES[rate].exact


def test_a_playback_clock_that_is_set_back_never_turns_the_time_back():
    shown = Shown()
    timebase = TakeTimebase(ManualClock(), counting(Fraction(60)), TakePlay(numbered(60), "t"), shown)
    stamps = []
    for number in range(40):
        shown.write(0.0, 0.1 if number > 20 else 0.0)
        stamps.append(timebase.stamp(number / 60))
    assert (np.diff([stamp.frame + stamp.subframe for stamp in stamps]) > 0).all()


def test_a_take_is_sent_whole_under_each_receivers_lip_rule_and_ends_neutral():
    take = numbered(25)
    take.values[:, CLOSE] = 0.95 * take.values[:, JAW]
    arkit, metahuman = CollectSink("arkit"), CollectSink("metahuman")
    summary = play_to(arkit, metahuman, play=TakePlay(take, "t"))
    sent = arkit.weights
    last = int(sent[:, JAW].argmax())
    np.testing.assert_allclose(sent[: last + 1, CLOSE], 0.95 * sent[: last + 1, JAW], atol=1e-6)
    assert sent[last, JAW] == pytest.approx(24 / 60)
    np.testing.assert_allclose(metahuman.weights, closed_lips(sent, "metahuman"), atol=1e-6)
    assert (sent[-1] == 0).all() and (sent[-NEUTRAL_FRAMES:] == 0).all()
    assert summary.sent == len(sent)
    assert summary.seconds == pytest.approx(25 / 60)


def test_packets_carry_the_takes_own_time_through_the_sender():
    sink = CollectSink()
    play_to(
        sink,
        play=TakePlay(numbered(20), "t", original_timecode=True),
        outputs=Outputs((), "Talker", counting=RATES["30"]),
    )
    shown = int(sink.weights[:, JAW].argmax())
    frames_sent = np.array([stamp.frame + stamp.subframe for stamp in sink.stamps])
    np.testing.assert_allclose(frames_sent[: shown + 1], 30 * (START + sink.weights[: shown + 1, JAW]), atol=1e-3)
    assert timecode(sink.stamps[0].of_day_s).startswith("10:00:00:0")


def test_stopping_a_loop_ends_neutral():
    sink, stop = CollectSink(), threading.Event()
    play_to(
        sink,
        play=TakePlay(numbered(6), "t", loop=True),
        stop=stop,
        on_status=lambda status: status.sent > 30 and stop.set(),
    )
    assert sink.sent > 30
    assert not sink.weights[-NEUTRAL_FRAMES:].any()


class TimedSink(CollectSink):
    """Knows when each pose came."""

    def __init__(self, clock: SharedClock) -> None:
        super().__init__()
        self._clock = clock
        self.at_s: list[float] = []

    def send(self, weights, stamp):
        self.at_s.append(self._clock.now())
        super().send(weights, stamp)


def listening(devices: FakePortAudio, clock: SharedClock, over: threading.Event) -> threading.Thread:
    """A device that asks for 10 ms of sound every 10 ms, once it is opened."""

    def run() -> None:
        while clock.wait_until(clock.now() + 0.01, over):
            for stream in devices.streams:
                stream.play(80)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_face_keeps_to_the_sound_that_is_heard(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "s.wav", np.full(8000, 0.5), 8000)
    clock, devices, over, speakers = SharedClock(), FakePortAudio(), threading.Event(), []

    def fake(source, **options):
        speakers.append(Speaker(source, system=SoundSystem(devices), **options))
        return speakers[0]

    monkeypatch.setattr(speaker_module, "Speaker", fake)
    sink = TimedSink(clock)
    monkeypatch.setattr(replay_module, "open_sinks", lambda outputs: contextlib_of([sink]))
    thread = listening(devices, clock, over)
    told: list[Status] = []
    try:
        run_replay(
            TakePlay(numbered(31), "t"),
            tmp_path / "s.wav",
            NOWHERE,
            clock=clock,
            stop=threading.Event(),
            on_status=told.append,
        )
    finally:
        over.set()
        thread.join(5)
    shown = sink.weights[:, JAW]
    last = int(shown.argmax())
    late_s = np.array(sink.at_s[1:last]) - speakers[0].zero_s - shown[1:last]
    assert len(late_s) > 15
    assert np.abs(late_s).max() < 0.002, "the device's 50 ms of latency is counted in"
    assert devices.streams[0].closed
    levels_dbfs = [status.level.rms_dbfs for status in told]
    assert any(level_dbfs is not None and level_dbfs > -60 for level_dbfs in levels_dbfs), (
        "the level is that of what is heard"
    )


def test_a_replay_without_sound_tells_no_level():
    told: list[Status] = []
    play_to(CollectSink(), play=TakePlay(numbered(6), "t"), on_status=told.append)
    assert told and {status.level for status in told} == {Level()}
    assert "level" not in status_text(told[-1])


class contextlib_of:
    """A context manager around something that needs no closing."""

    def __init__(self, content):
        self._content = content

    def __enter__(self):
        return self._content

    def __exit__(self, *_failure):
        return None


def test_without_an_output_the_face_moves_alone_and_says_so_once(tmp_path, monkeypatch, caplog):
    soundfile.write(tmp_path / "s.wav", np.zeros(800), 8000)

    def refuse(*_arguments, **_options):
        raise DeviceError("no audio output: nothing there")

    monkeypatch.setattr(speaker_module, "Speaker", refuse)
    sink = CollectSink()
    monkeypatch.setattr(replay_module, "open_sinks", lambda outputs: contextlib_of([sink]))
    run_replay(TakePlay(numbered(6), "t"), tmp_path / "s.wav", NOWHERE, clock=SharedClock(), stop=threading.Event())
    assert sink.weights[:, JAW].max() > 0
    assert caplog.text.count("nothing there; going on without sound") == 1


def test_sound_that_cannot_be_read_is_said_before_anything_is_sent(tmp_path):
    (tmp_path / "s.wav").write_text("no sound")
    with pytest.raises(SourceError, match="is not audio"):
        run_replay(TakePlay(numbered(6), "t"), tmp_path / "s.wav", NOWHERE, clock=SharedClock(), stop=threading.Event())


def test_a_face_lost_for_long_is_told(caplog):
    caplog.set_level(logging.WARNING)
    take = numbered(120)
    take.times_s[60:] += 11.0
    replay_module.tell_long_gaps(TakePlay(take, "day.csv"))
    assert "day.csv has no rows for 11.0 s after 10:00:00:59.000" in caplog.text


def test_a_trimmed_take_begins_with_its_own_first_row():
    take = numbered(120)
    poses = frames(TakePlay(trim(take, START + 0.5, START + 1.0), "t"))
    np.testing.assert_allclose(poses[:, JAW], 0.5 + np.arange(31) / 60, atol=1e-6)
