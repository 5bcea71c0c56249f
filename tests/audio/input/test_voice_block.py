"""Values that are known before their frames are."""

from __future__ import annotations

import numpy as np
import pytest

from livelink_bridge.audio.input.voice_block import FrameQueue


def values(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def test_each_frame_gets_its_own_value_however_they_come() -> None:
    queue = FrameQueue()
    queue.push(values(1, 2))
    queue.push(values(3, 4, 5))
    assert queue.take(3, 9.0).tolist() == [1, 2, 3]
    assert queue.take(2, 9.0).tolist() == [4, 5]


def test_a_frame_without_a_value_gets_the_one_for_missing_ones_and_its_own_is_dropped_when_it_comes() -> None:
    queue = FrameQueue()
    queue.push(values(1))
    assert queue.take(3, 9.0).tolist() == [1, 9, 9]
    queue.push(values(2, 3, 4))
    assert queue.take(1, 9.0).tolist() == [4]


def test_frames_after_the_last_audio_are_silent() -> None:
    assert FrameQueue().take(2, -120.0).tolist() == [-120, -120]


@pytest.mark.parametrize("before", [values(), values(1, 2, 3)])
def test_cleared_equals_new(before: np.ndarray) -> None:
    queue = FrameQueue()
    queue.push(before)
    queue.take(2, 9.0)
    queue.clear()
    queue.push(values(7))
    assert queue.take(1, 9.0).tolist() == [7] and len(queue) == 0
