"""How far lips are apart."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.character.lips import openness


def pose(**weights: float) -> np.ndarray:
    made = np.zeros(61, np.float32)
    for name, weight in weights.items():
        made[CHANNELS_61.index(name)] = weight
    return made


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, 0.0),
        ({"JawOpen": 0.4}, 1.0),
        ({"JawOpen": 0.05}, 0.5),
        ({"JawOpen": 0.4, "MouthClose": 0.4}, 0.0),
        ({"JawOpen": 0.4, "MouthClose": 0.5}, 0.0),
        ({"JawOpen": 0.4, "MouthPressLeft": 0.3, "MouthPressRight": 0.3}, 0.0),
        ({"JawOpen": 0.4, "MouthPressLeft": 0.3}, 1.0),
        ({"JawOpen": 0.4, "MouthRollLower": 0.3}, 0.0),
    ],
)
def test_lips_are_apart_by_jaw_less_close_unless_pressed_or_rolled(weights: dict[str, float], expected: float) -> None:
    assert openness(pose(**weights)) == pytest.approx(expected, abs=1e-6)


def test_a_pose_and_many_poses_give_the_same_and_stay_in_range() -> None:
    poses = np.random.default_rng(3).uniform(-0.01, 1.01, (50, 61)).astype(np.float32)
    together = openness(poses)
    assert together.shape == (50,)
    assert together.dtype == np.float32
    assert ((together >= 0) & (together <= 1)).all()
    np.testing.assert_array_equal(together, [openness(one) for one in poses])
