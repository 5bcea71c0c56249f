"""Loss, order and turns, from frame numbers and names."""

from __future__ import annotations

import math

import numpy as np
import pytest

from livelink_bridge.monitor.movement import RECENT_S, Movement
from livelink_bridge.monitor.subject_stats import KEPT_NAMES, Alternation, FrameOrder, SubjectStats


@pytest.mark.parametrize(
    ("frames", "lost", "backwards", "repeated", "restarts"),
    [
        ([0, 1, 2, 3], 0, 0, 0, 0),
        ([0, 1, 2, 5, 6], 2, 0, 0, 0),
        ([0, 2, 4, 6, 8], 0, 0, 0, 0),
        ([0, 2, 4, 8, 10, 12], 1, 0, 0, 0),
        ([0, 1, 2, 4, 3, 5, 6], 0, 1, 0, 0),
        ([0, 1, 1, 2], 0, 0, 1, 0),
        ([5000, 5001, 5002, 0, 1, 2], 0, 0, 0, 1),
        ([0, 1, 2, 90000, 90001], 0, 0, 0, 1),
        ([5, 4, 3, 2], 0, 3, 0, 0),
    ],
)
def test_frame_numbers_tell_loss_order_and_restarts(
    frames: list[int], lost: int, backwards: int, repeated: int, restarts: int
) -> None:
    order = FrameOrder()
    for frame in frames:
        order.add(frame, 0.5)
    assert (order.lost, order.backwards, order.repeated, order.restarts) == (lost, backwards, repeated, restarts)


def test_a_sub_frame_that_rises_is_no_repetition_and_one_that_falls_goes_back() -> None:
    order = FrameOrder()
    for subframe in (0.1, 0.6, 0.2):
        order.add(7, subframe)
    assert (order.repeated, order.backwards) == (0, 1)


def test_who_returns_is_told_from_who_is_new() -> None:
    turns = Alternation()
    assert [turns.add(name) for name in ("a", "a", "b", "a", "c", "b", "b")] == [
        "same",
        "same",
        "new",
        "back",
        "new",
        "back",
        "same",
    ]
    assert turns.before == "c"


def test_an_alternation_forgets_the_oldest() -> None:
    turns = Alternation()
    for n in range(100):
        turns.add(str(n))
    assert turns.add("0") == "new" and len(turns._seen) == KEPT_NAMES


def test_a_face_at_rest_has_nothing_open_and_one_that_is_not_says_what() -> None:
    stats = SubjectStats("id", "Ada")
    values = np.zeros(61, np.float32)
    stats.add_pose(values, 0.0)
    assert stats.widest_open() is None
    values[17], values[18] = 0.5, math.nan
    stats.add_pose(values, 0.1)
    assert stats.widest_open() == ("JawOpen", 0.5)


def test_movement_counts_from_where_a_channel_last_moved_to() -> None:
    movement, values = Movement(), np.zeros(61, np.float32)
    movement.add(values, 0.0)
    assert movement.moving(0.0) == []
    for n in range(40):  # a slow drift, each step too small to be one
        values[3] = n / 1000
        movement.add(values, n / 60)
    assert movement.moving(1.0) == [3]
    assert movement.moving(1.0 + RECENT_S) == []


def test_values_that_are_no_numbers_do_not_move() -> None:
    movement = Movement()
    movement.add(np.full(61, np.nan, np.float32), 0.0)
    movement.add(np.full(61, np.inf, np.float32), 0.1)
    movement.add(np.full(61, np.inf, np.float32), 9.0)
    assert movement.moving(9.0) == []
