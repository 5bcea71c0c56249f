from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES, JitterBuffer, fade, tail

LEVEL = 0.8


def frame(index: int, level: float = LEVEL) -> FaceFrame:
    return FaceFrame(np.full(61, level, np.float32), index)


@pytest.fixture
def channel() -> Channel[FaceFrame]:
    return Channel(100)


def test_each_tick_shows_its_own_pose(channel):
    poses = JitterBuffer(channel)
    for index in range(5):
        channel.put(frame(index, index / 10))
    assert [poses.at(index)[0] for index in range(5)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert (poses.held, poses.skipped) == (0, 0)


def test_a_late_pose_is_held_for_and_counted(channel):
    poses = JitterBuffer(channel)
    channel.put(frame(0))
    poses.at(0)
    assert poses.at(1)[0] == pytest.approx(LEVEL)
    assert not poses.shows(1)
    channel.put(frame(1, 0.1))
    channel.put(frame(2, 0.2))
    assert poses.at(2)[0] == pytest.approx(0.2)
    assert (poses.held, poses.skipped) == (1, 1)


def test_poses_of_the_future_wait_for_their_tick(channel):
    poses = JitterBuffer(channel)
    channel.put(frame(0))
    channel.put(frame(3, 0.1))
    assert [poses.at(index)[0] for index in range(4)] == pytest.approx([LEVEL] * 3 + [0.1])


def test_at_30_fps_every_second_pose_is_left_out_on_purpose(channel):
    poses = JitterBuffer(channel)
    for index in range(10):
        channel.put(frame(index, index / 10))
    assert [poses.at(index)[0] for index in range(0, 10, 2)] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert (poses.held, poses.skipped) == (0, 0)


def test_when_sound_stops_the_face_is_neutral_within_300_ms(channel):
    poses = JitterBuffer(channel)
    channel.put(frame(0))
    shown = np.array([poses.at(index)[0] for index in range(30)])
    assert (shown[: HOLD_FRAMES + 1] == np.float32(LEVEL)).all()
    assert (np.diff(shown) <= 0).all()
    assert np.abs(np.diff(shown)).max() < 0.1
    assert (shown[18:] == 0).all()
    assert shown[16] > 0


def test_before_the_first_pose_the_face_is_neutral(channel):
    assert not JitterBuffer(channel).at(-1).any()


def test_the_end_is_known_when_the_last_pose_was_shown(channel):
    poses = JitterBuffer(channel)
    channel.put(frame(0))
    channel.put(frame(1))
    channel.close()
    poses.at(0)
    assert not poses.finished(0)
    poses.at(1)
    assert poses.finished(1)


def test_frozen_it_takes_no_more_poses_and_knows_how_long_to_rest(channel):
    poses = JitterBuffer(channel)
    channel.put(frame(0))
    poses.at(0)
    channel.put(frame(1, 0.1))
    poses.freeze()
    assert poses.at(1)[0] == pytest.approx(LEVEL)
    assert poses.rest_from(1) == HOLD_FRAMES + DECAY_FRAMES + NEUTRAL_FRAMES
    assert poses.rest_from(500) == NEUTRAL_FRAMES


def test_a_recording_ends_as_a_session_does(channel):
    poses = JitterBuffer(channel)
    channel.put(frame(0))
    poses.at(0)
    shown = np.stack([poses.at(index) for index in range(1, 1 + poses.rest_from(1))])
    np.testing.assert_array_equal(tail(np.full(61, LEVEL, np.float32)), shown)
    assert not shown[-NEUTRAL_FRAMES:].any()


def test_fading_starts_at_one_and_ends_at_nothing():
    assert fade(0) == fade(HOLD_FRAMES) == 1
    assert fade(HOLD_FRAMES + DECAY_FRAMES) == fade(10**6) == 0


def test_a_moment_between_two_poses_lies_between_them(channel):
    poses = JitterBuffer(channel)
    for index in range(10):
        channel.put(frame(index, index / 10))
    positions = [Fraction(5, 2) * tick for tick in range(4)]
    assert [poses.at(position)[0] for position in positions] == pytest.approx([0, 0.25, 0.5, 0.75])
    assert (poses.held, poses.skipped) == (0, 0)


def test_beside_a_lost_pose_nothing_is_made_up(channel):
    poses = JitterBuffer(channel)
    channel.put(frame(0, 0.2))
    channel.put(frame(3, 0.8))
    poses.at(0)
    assert poses.at(Fraction(5, 2))[0] == pytest.approx(0.8)
