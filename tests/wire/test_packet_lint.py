"""What is odd in a packet that Unreal takes; `tests/monitor/test_monitor.py` goes through every kind by its bytes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from livelink_bridge.wire.packet_lint import name_oddities, value_oddities
from livelink_bridge.wire.unreal import REMEDIES, Ignored


@pytest.mark.parametrize(
    ("angle", "odd"), [(0.5, False), (-1.5, False), (math.pi / 2 + 0.01, True), (-15.0, True), (90.0, True)]
)
def test_an_angle_over_a_right_one_is_taken_for_degrees(angle: float, odd: bool) -> None:
    values = np.zeros(61, np.float32)
    values[53] = angle
    assert [found.reason for found in value_oddities(values, "Unreal")] == ["angle"] * odd


def test_a_sound_pose_has_no_oddity() -> None:
    assert list(value_oddities(np.full(61, 1.0, np.float32), "Unreal")) == []


@pytest.mark.parametrize(
    ("name", "odd"), [("Ada", False), ("none", True), ("", True), ("  ", True), ("Nonesuch", False)]
)
def test_no_name_is_odd(name: str, odd: bool) -> None:
    assert bool(list(name_oddities(name))) == odd


@pytest.mark.parametrize("reason", REMEDIES)
def test_every_reason_to_ignore_a_datagram_says_what_to_do(reason: str) -> None:
    assert len(Ignored(reason, "").remedy.split()) > 4
