"""Lids: how far each blend shape shuts or widens them, and the little that the cheek adds. The left eye."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import Floats
from make_face.geometry.fields import bump, smooth
from make_face.skin import lids
from make_face.skin.flesh import Flesh

CLOSING: dict[str, tuple[float, float]] = {
    "eyeBlinkLeft": (1.0, 1.0),
    "eyeSquintLeft": (0.2, 0.75),
    "eyeWideLeft": (-0.3, -0.3),
    "eyeLookDownLeft": (0.6, -0.3),
    "eyeLookUpLeft": (-0.2, 0.2),
    "browDownLeft": (0.12, 0.0),
    "cheekSquintLeft": (0.0, 0.4),
}
"""How far the upper and the lower lid shut."""
SIDEWAYS = {"eyeLookInLeft": -0.06, "eyeLookOutLeft": 0.06}
"""How far the edges of the lids follow an eye that turns, cm."""


def moves(flesh: Flesh) -> dict[str, Floats]:
    """(N, 3) by name: the movements of the left lids and the cheek."""
    result = {name: lid_move(flesh, *shares) for name, shares in CLOSING.items()}
    for name, way in SIDEWAYS.items():
        result[name] = sideways(flesh, way)
    outside = smooth(flesh.reach, 0.0, 0.8)
    cheek = bump(flesh.points, (3.5, -2.2, 6.8), (2.6, 1.5, 3.5)) * outside
    result["eyeSquintLeft"] = result["eyeSquintLeft"] + cheek[:, None] * np.array([0.0, 0.3, 0.15])
    return result


def lid_move(flesh: Flesh, upper: float, lower: float) -> Floats:
    """(N, 3): the left lids from open to this much shut."""
    result = np.zeros_like(flesh.points)
    result[flesh.left_lid] = lids.rings(upper, lower) - lids.rings()
    return result


def sideways(flesh: Flesh, way: float) -> Floats:
    """(N, 3): the inner rings drawn along a little."""
    result = np.zeros_like(flesh.points)
    share = np.concatenate([1.0 - lids.OUTWARD, np.ones(len(lids.BEHIND))])[:, None] * np.abs(np.sin(lids.TURN))
    result[flesh.left_lid, 0] = way * share
    return result
