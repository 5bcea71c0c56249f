"""Rotations as Unity has them, against matrices made by hand."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livelink_bridge.wire.vmc import looked_at, quaternion

angles = st.floats(-math.pi, math.pi)


def matrix(x: float, y: float, z: float, w: float) -> np.ndarray:
    """The rotation of a unit quaternion; the same formula in left- and right-handed axes."""
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def about(axis: int, angle: float) -> np.ndarray:
    """A turn about one axis that takes the next axis towards the one after it, x before y before z before x."""
    turned = np.eye(3)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turned[[one, other, one, other], [one, other, other, one]] = (
        math.cos(angle),
        math.cos(angle),
        -math.sin(angle),
        math.sin(angle),
    )
    return turned


@settings(deadline=None)
@given(angles, angles, angles)
def test_a_head_turns_about_z_then_x_then_y(yaw: float, pitch: float, roll: float) -> None:
    turned = quaternion(yaw, pitch, roll)
    assert math.isclose(sum(part * part for part in turned), 1, rel_tol=1e-9)
    np.testing.assert_allclose(matrix(*turned), about(1, yaw) @ about(0, pitch) @ about(2, roll), atol=1e-9)


def test_positive_yaw_looks_to_the_right_positive_pitch_down() -> None:
    forward = np.array([0.0, 0.0, 1.0])
    assert matrix(*quaternion(0.3, 0, 0)).dot(forward)[0] > 0.29
    assert matrix(*quaternion(0, 0.3, 0)).dot(forward)[1] < -0.29


@settings(deadline=None)
@given(angles, st.floats(-math.pi / 2, math.pi / 2))
def test_eyes_look_where_a_head_with_their_angles_would(yaw: float, pitch: float) -> None:
    np.testing.assert_allclose(looked_at(yaw, pitch), matrix(*quaternion(yaw, pitch, 0)).dot([0, 0, 1]), atol=1e-9)
