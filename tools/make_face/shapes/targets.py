"""All 52 blend shapes of the flesh; those without a function of their own are the mirror image of the other side's."""

from __future__ import annotations

import numpy as np

from arkit_mapping.channels import ARKIT_52
from make_face.geometry.anatomy import Floats
from make_face.geometry.fields import added, smooth
from make_face.geometry.part import other_side
from make_face.shapes import move_brows, move_eyes, move_jaw, move_mouth
from make_face.skin.flesh import Flesh

SMALLEST = 0.002
"""Movements shorter than this, cm, are left out: they would only make the file longer."""


def moves(flesh: Flesh) -> dict[str, Floats]:
    """(N, 3) of each of the 52, in their order."""
    mouth = added(move_jaw.moves(flesh), move_mouth.moves(flesh), tongue_way(flesh))
    one_side = added(mouth, move_eyes.moves(flesh), move_brows.moves(flesh.points))
    return {
        name: trimmed(one_side[name]) if name in one_side else reflected(flesh, one_side, name) for name in ARKIT_52
    }


def reflected(flesh: Flesh, known: dict[str, Floats], name: str) -> Floats:
    """(N, 3): the movement of the other side's shape, mirrored."""
    return trimmed(known[other_side(name)][flesh.twin] * [-1.0, 1.0, 1.0])


def trimmed(move: Floats) -> Floats:
    """(N, 3): the movement with everything below `SMALLEST` set to 0."""
    return np.where(np.linalg.norm(move, axis=1, keepdims=True) < SMALLEST, 0.0, move)


def tongue_way(flesh: Flesh) -> dict[str, Floats]:
    """The lips make room for the tongue."""
    near = (1.0 - smooth(flesh.reach, 0.0, 1.8)) * flesh.fade
    middle = np.abs(flesh.above) ** 1.2
    rise = np.where(flesh.above > 0, 0.18, -0.34) * middle * near
    return {"tongueOut": np.stack([0 * rise, rise, 0.06 * middle * near], axis=1)}
