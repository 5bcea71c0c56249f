"""Sound that lies, crumbles or dies."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from faulty import PacedSource, voice
from hypothesis import given, settings
from hypothesis import strategies as st

from arkit_mapping.channels import CHANNELS_61
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.errors import DeviceError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import NEUTRAL_FRAMES
from livelink_bridge.session.modes.follow import follow
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.testing.stand_ins import CollectSink, ListSource, LoudnessModel
from livelink_bridge.timing.arrival_clock import ArrivalClock
from livelink_bridge.timing.scheduler import TickScheduler

pytestmark = pytest.mark.usefixtures("shared_clock")

JAW = CHANNELS_61.index("JawOpen")
RATE = 48000


def still() -> Face:
    """A face without a life of its own, so that two of them are equal."""
    return Face(liveliness=None)


def posed(cuts: list[int], sound: np.ndarray) -> np.ndarray:
    """Every pose of a sound that comes in blocks of these lengths, again and again."""
    animator, frames, at, number = Animator(LoudnessModel(), still()), [], 0, 0
    while at < len(sound):
        part = sound[at : at + cuts[number % len(cuts)]]
        frames += animator.push(AudioBlock(part, RATE, at, 0.0))
        at, number = at + len(part), number + 1
    frames += animator.flush()
    assert animator.gaps == 0
    return np.array([frame.weights for frame in frames])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 97), min_size=1, max_size=6))
def test_a_storm_of_tiny_blocks_gives_the_poses_of_one_large_block(cuts: list[int]) -> None:
    sound = voice(0.25, RATE)
    np.testing.assert_allclose(posed(cuts, sound), posed([len(sound)], sound), atol=1e-5)


def test_a_source_that_dies_in_the_middle_of_a_word_leaves_the_face_at_rest_and_the_packets_coming() -> None:
    sink, stop = CollectSink(), threading.Event()
    blocks = list(ListSource.of_samples(voice(0.6, RATE), RATE, 480).blocks())
    source = PacedSource(blocks, live=True, failure=DeviceError("microphone 'Desk' stopped"))

    def watch(status) -> None:  # type: ignore[no-untyped-def]
        if status.sent > 100:
            stop.set()

    outputs = Outputs((), "Talker")
    follow(source, LoudnessModel(), Face(), outputs, [sink], clock=MonotonicClock(), stop=stop, on_status=watch)
    assert sink.weights[:, JAW].max() > 0.4
    assert sink.sent > 100 and not sink.weights[-NEUTRAL_FRAMES:].any()


def test_a_rate_that_changes_in_the_middle_starts_the_network_afresh_on_the_same_grid() -> None:
    animator = Animator(LoudnessModel(), still())
    first = animator.push(AudioBlock(voice(0.5, RATE), RATE, 0, 0.0))
    second = animator.push(AudioBlock(voice(0.5, 44100), 44100, 22050, 0.0)) + animator.flush()
    indices = [frame.index for frame in first + second]
    assert animator.gaps == 1
    assert indices == sorted(set(indices)) and indices[-1] == 59
    assert max(frame.weights[JAW] for frame in second) > 0.4


@pytest.mark.parametrize("lie", [0.92, 1.08])
def test_a_device_that_lies_about_its_rate_is_shown_on_an_even_beat_as_fast_as_its_sound_comes(lie: float) -> None:
    """It says 48,000 samples a second and gives 8 % more or fewer: poses are left out or repeated, ticks stay even."""
    timing, now_s, pose, deadlines = ArrivalClock(), 0.0, 0, []
    grid = TickScheduler(60, timing)
    for number in range(3000):
        now_s = (number + 1) * 480 / (RATE * lie)
        block = AudioBlock(np.zeros(480, np.float32), RATE, number * 480, now_s)
        timing.heard(block)
        while (pose + 4) * RATE <= block.end * 60:
            timing.ready(pose, now_s + 0.001)
            pose += 1
        while not deadlines or deadlines[-1].deadline_s <= now_s:
            deadlines.append(grid.next(now_s))
    steps = np.diff([tick.deadline_s for tick in deadlines[60:]])
    shown = (deadlines[-1].position - deadlines[60].position) / (deadlines[-1].deadline_s - deadlines[60].deadline_s)
    assert np.abs(steps - 1 / 60).max() <= 0.0101 / 60
    assert float(shown) == pytest.approx(60 * lie, rel=0.02)
    assert grid.late == 0
