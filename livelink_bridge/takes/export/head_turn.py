"""Converts the head's three angles to the rotation of a glTF node.

Angles are in radians, as in takes. Pitch is positive downwards and yaw towards the character's right, like the eyes'
angles in the app's data (docs/protocol.md, section 1.3); roll is positive towards the left shoulder, so that a take
rotates the head as VMC does. The signs of the app's own head angles are not confirmed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61

Quaternion = NDArray[np.float64]
"""float64 (4,) or (n, 4): x, y, z, w, unit length."""

UNTURNED: Quaternion = np.array([0.0, 0.0, 0.0, 1.0])
HALF_TURN: Quaternion = np.array([0.0, 1.0, 0.0, 0.0])
"""About the vertical axis: from a face looking along +Z to one looking along -Z."""

_YAW, _PITCH, _ROLL = (CHANNELS_61.index(name) for name in ("HeadYaw", "HeadPitch", "HeadRoll"))


def rotations(values: NDArray[np.float32]) -> Quaternion:
    """Head rotations of frames, for a face that looks along +Z, +Y up: roll first, then pitch, then yaw.

    Parameters
    ----------
    values : float32 (n, 61) in wire order

    Returns
    -------
    float64 (n, 4)
    """
    yaw = _about(np.array([0.0, -1.0, 0.0]), values[:, _YAW])
    pitch = _about(np.array([1.0, 0.0, 0.0]), values[:, _PITCH])
    roll = _about(np.array([0.0, 0.0, -1.0]), values[:, _ROLL])
    return multiplied(yaw, multiplied(pitch, roll))


def seen_from(frame: Quaternion, turns: Quaternion) -> Quaternion:
    """`turns` of a face that is itself rotated by `frame`: float64 (n, 4)."""
    return multiplied(multiplied(frame, turns), frame * np.array([-1.0, -1.0, -1.0, 1.0]))


def in_parent(turns: Quaternion, above: Quaternion, own: Quaternion) -> NDArray[np.float32]:
    """Convert rotations about the world's axes to local rotations of a node.

    Parameters
    ----------
    turns : float64 (n, 4)
    above : combined rotation of the node's ancestors, float64 (4,)
    own : the node's own rotation in the file, float64 (4,)

    Returns
    -------
    float32 (n, 4), unit length
    """
    back = above * np.array([-1.0, -1.0, -1.0, 1.0])
    local = multiplied(multiplied(multiplied(back, turns), above), own)
    unit: NDArray[np.float32] = (local / np.linalg.norm(local, axis=-1, keepdims=True)).astype(np.float32)
    return unit


def multiplied(one: Quaternion, other: Quaternion) -> Quaternion:
    """Hamilton product: first the rotation `other`, then `one`. float64 (4,) or (n, 4) each."""
    (ax, ay, az, aw), (bx, by, bz, bw) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        axis=-1,
    )


def _about(axis: NDArray[np.float64], angles: NDArray[np.float32]) -> Quaternion:
    half = angles.astype(np.float64)[:, None] / 2
    return np.concatenate([np.sin(half) * axis, np.cos(half)], axis=1)
