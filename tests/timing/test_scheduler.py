import math
import threading
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.timing.arrival_clock import ArrivalClock, FixedTiming, WindowedMinMax
from livelink_bridge.timing.scheduler import TickScheduler


@dataclass
class Settable:
    zero_s: float | None = None

    def heard_s(self, index: int) -> float | None:
        return None if self.zero_s is None else self.zero_s + index / 60


def run(grid: TickScheduler, ticks: int, start_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    now_s, seen = start_s, []
    for _ in range(ticks):
        tick = grid.next(now_s)
        now_s = tick.deadline_s + 0.0002
        seen.append((tick.deadline_s, int(tick.position)))
    return np.array([at for at, _ in seen]), np.array([index for _, index in seen])


def test_deadlines_are_absolute_so_errors_do_not_add_up():
    deadlines, indices = run(TickScheduler(60, FixedTiming(5.0)), 36000, start_s=5.0)
    np.testing.assert_allclose(deadlines, 5 + np.arange(36000) / 60, atol=1e-8)
    assert (indices == np.arange(36000)).all()


def test_at_30_fps_every_second_pose_is_due():
    deadlines, indices = run(TickScheduler(30, FixedTiming(0.0)), 10)
    assert indices.tolist() == list(range(0, 20, 2))
    assert np.diff(deadlines) == pytest.approx(np.full(9, 1 / 30))


def test_ticks_that_are_past_are_left_out_and_counted():
    grid = TickScheduler(60, FixedTiming(0.0))
    grid.next(0.0)
    tick = grid.next(0.0999)
    assert tick.deadline_s == pytest.approx(0.1)
    assert int(tick.position) == 6
    assert grid.late == 5


def test_before_the_first_sound_the_grid_beats_on_its_own_and_shows_nothing():
    deadlines, indices = run(TickScheduler(60, Settable()), 5, start_s=3.0)
    np.testing.assert_allclose(deadlines, 3 + np.arange(5) / 60)
    assert (indices == -1).all()


def test_the_beat_bends_slowly_towards_the_sounds_clock():
    timing = Settable(0.0)
    grid = TickScheduler(60, timing)
    run(grid, 10)
    timing.zero_s = 0.005
    deadlines, indices = run(grid, 600)
    assert np.abs(np.diff(deadlines) - 1 / 60).max() <= 0.01 / 60 + 1e-9
    assert (np.diff(indices) == 1).all()
    assert deadlines[-1] - indices[-1] / 60 == pytest.approx(0.005, abs=1e-5)


@pytest.mark.parametrize("jump_s", [0.25, -0.25])
def test_a_jump_of_the_timing_changes_the_poses_not_the_beat(jump_s):
    timing = Settable(0.0)
    grid = TickScheduler(60, timing)
    before, _ = run(grid, 10)
    timing.zero_s = jump_s
    deadlines, indices = run(grid, 10, start_s=before[-1])
    assert np.abs(np.diff([before[-1], *deadlines]) - 1 / 60).max() <= 0.01 / 60 + 1e-9
    assert (deadlines - indices / 60)[-1] == pytest.approx(jump_s, abs=0.009)
    assert grid.shifted == 15


def test_extremes_forget_what_is_old_and_ignore_the_worst_parts():
    highest = WindowedMinMax("highest", 1.0, 30)
    for second in range(30):
        highest.add(second, 1.0)
        highest.add(second + 0.5, 50.0 if second in (4, 9) else 2.0)
    assert highest.extreme() == 50.0
    assert highest.extreme(2) == 2.0
    lowest = WindowedMinMax("lowest", 0.5, 8)
    for at_s, value in [(0.0, -9.0), (1.0, 3.0), (2.0, 2.0), (4.6, 4.0)]:
        lowest.add(at_s, value)
    assert lowest.extreme() == -9.0
    for at_s in range(5, 13):
        lowest.add(at_s, 7.0)
    assert lowest.extreme() == 7.0


@dataclass(frozen=True)
class Sent:
    at_s: np.ndarray
    index: np.ndarray
    shown: np.ndarray
    said_s: np.ndarray


def simulate(
    minutes: float,
    *,
    block_samples: int,
    clock_ppm: float,
    jitter_s: float,
    stall_every_s: float = 0.0,
    stall_s: float = 0.03,
) -> Sent:
    """A 48 kHz device whose blocks arrive late by chance, a model with 4 / 60 s of look-ahead, and the sender's
    grid."""
    rng = np.random.default_rng(7)
    rate, true_rate = 48000, 48000 * (1 + clock_ppm * 1e-6)
    timing = ArrivalClock()
    blocks = round(minutes * 60 * rate / block_samples)
    arrivals = (np.arange(1, blocks + 1) * block_samples) / true_rate + rng.uniform(0, jitter_s, blocks)
    if stall_every_s:
        every = round(stall_every_s * rate / block_samples)
        arrivals[every // 2 :: every] += stall_s
    arrivals = np.maximum.accumulate(arrivals)
    computing_s = rng.uniform(0.0006, 0.002, blocks)
    lookahead, filtered = 4 * 800, 72
    grid: TickScheduler | None = None
    tick, ready_index, sent = None, 0, []
    silence = np.zeros(block_samples, np.float32)
    for number in range(blocks):
        done_s = arrivals[number] + computing_s[number]
        while tick is not None and grid is not None and tick.deadline_s < done_s:
            sent.append((tick.deadline_s, int(tick.position), min(int(tick.position), ready_index - 1)))
            tick = grid.next(tick.deadline_s + 0.0002)
        timing.heard(AudioBlock(silence, rate, number * block_samples, arrivals[number]))
        while ready_index * 800 + lookahead + filtered <= (number + 1) * block_samples:
            timing.ready(ready_index, done_s)
            ready_index += 1
        if grid is None and timing.zero_s is not None:
            grid = TickScheduler(60, timing)
            tick = grid.next(done_s)
    at_s, index, shown = (np.array(column) for column in zip(*sent, strict=True))
    return Sent(at_s, index.astype(int), shown.astype(int), index * 800 / true_rate)


@pytest.mark.parametrize("clock_ppm", [100, -100])
@pytest.mark.parametrize("block_samples", [480, 200])
def test_every_pose_is_sent_once_for_minutes_on_jittery_sound(clock_ppm, block_samples):
    sent = simulate(3, block_samples=block_samples, clock_ppm=clock_ppm, jitter_s=0.003)
    settled = sent.at_s > 35
    assert (np.diff(sent.index[settled]) == 1).all()
    assert (sent.shown[settled] == sent.index[settled]).all()
    intervals_ms = 1000 * np.diff(sent.at_s[settled])
    assert intervals_ms.std() <= 0.1
    assert np.abs(intervals_ms - 1000 / 60).max() <= 0.2


@pytest.mark.parametrize(("block_samples", "limit_ms"), [(480, 77 + 5), (200, 77)])
def test_sound_to_send_stays_close_to_the_look_ahead(block_samples, limit_ms):
    # Counted from the earliest moment a sample can be handed over, so a block of 10 ms adds its own half.
    sent = simulate(3, block_samples=block_samples, clock_ppm=100, jitter_s=0.002)
    delays_ms = 1000 * (sent.at_s - sent.said_s)
    assert np.median(delays_ms) <= limit_ms
    assert np.percentile(delays_ms[sent.at_s > 35], 99) <= limit_ms + 0.5


def test_rare_stalls_of_the_machine_do_not_delay_everything_after_them():
    sent = simulate(3, block_samples=200, clock_ppm=0, jitter_s=0.002, stall_every_s=20)
    assert np.median(1000 * (sent.at_s - sent.said_s)) <= 77
    late = sent.shown != sent.index
    assert late.mean() < 0.005


def test_a_machine_that_keeps_stalling_does_not_put_the_face_behind_the_voice():
    sent = simulate(2, block_samples=200, clock_ppm=0, jitter_s=0.002, stall_every_s=1.5, stall_s=0.12)
    assert np.median(1000 * (sent.at_s - sent.said_s)) <= 85
    late = sent.index - sent.shown
    assert (late > 0).mean() < 0.2 and late.max() <= 0.14 * 60


def test_a_device_that_delivers_lumps_is_waited_for():
    sent = simulate(2, block_samples=1024, clock_ppm=0, jitter_s=0.002)
    settled = sent.at_s > 35
    assert (sent.shown[settled] != sent.index[settled]).mean() < 0.001


def test_lost_sound_is_found_again_without_breaking_the_beat():
    timing = ArrivalClock()

    def listen(start: int, blocks: int, zero_s: float) -> None:
        for number in range(blocks):
            block = AudioBlock(
                np.zeros(200, np.float32), 48000, start + number * 200, zero_s + (start + (number + 1) * 200) / 48000
            )
            timing.heard(block)
            if number % 4 == 3:
                timing.ready(block.end // 800 - 4, block.arrived_s + 0.001)

    listen(0, 240, 10.0)
    first = timing.zero_s
    timing.restart()
    listen(48000 + 800 * 9, 240, 10.0 + 0.03)
    assert first is not None and timing.zero_s == pytest.approx(first + 0.03, abs=0.002)


def test_the_sender_can_read_while_the_model_learns():
    timing = ArrivalClock()
    block = AudioBlock(np.zeros(200, np.float32), 48000, 0, 1.0)
    done = threading.Event()

    def learn() -> None:
        for number in range(2000):
            timing.heard(AudioBlock(block.samples, 48000, number * 200, 1 + number / 240))
            timing.ready(number // 4, 1.07 + number / 240)
        done.set()

    thread = threading.Thread(target=learn)
    thread.start()
    while not done.is_set():
        zero_s = timing.zero_s
        assert zero_s is None or zero_s == pytest.approx(1.07, abs=0.1)
    thread.join(5)


def test_delays_are_counted_from_the_moment_the_device_handed_the_sound_over():
    timing = ArrivalClock()
    for number in range(30):  # blocks of 10 ms, each 3 ms late
        timing.heard(AudioBlock(np.zeros(480, np.float32), 48000, number * 480, 5 + (number + 1) * 0.01 + 0.003))
    for index in range(4):
        timing.ready(index, 5.4)
    # Pose 1 is said at 16.7 ms, inside the second block, which came at 23 ms.
    assert [timing.heard_s(index) for index in range(3)] == pytest.approx([5.013, 5.023, 5.043])
    assert timing.heard_s(7) is None


@pytest.mark.parametrize(
    ("fps", "wait_ms"),
    [(60, 0), (30, 0), (24, 1000 / 120), (25, 1000 / 75), (50, 1000 / 75), (Fraction(60000, 1001), 1000 / 60 * 0.999)],
)
def test_any_rate_shows_evenly_spaced_moments_each_when_the_pose_after_it_is_due(fps, wait_ms):
    grid = TickScheduler(fps, FixedTiming(5.0))
    ticks = [grid.next(4.99 + number / float(fps)) for number in range(500)]
    positions = [tick.position for tick in ticks]
    assert set(np.diff(positions)) == {Fraction(60) / Fraction(fps)}
    assert 1000 * grid.wait_s == pytest.approx(wait_ms, abs=1e-9)
    for tick in ticks:
        assert tick.deadline_s == pytest.approx(5.0 + float(tick.position) / 60 + grid.wait_s, abs=1e-9)
        assert tick.deadline_s >= 5.0 + math.ceil(tick.position) / 60 - 1e-9
