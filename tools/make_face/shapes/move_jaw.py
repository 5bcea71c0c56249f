"""The jaw's movements, and the lips that close over an open jaw."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import MOUTH_WIDTH, Floats
from make_face.geometry.fields import hinge, smooth
from make_face.skin.flesh import Flesh

CORNER = 0.42
"""Share of the jaw's movement at the corner of the mouth."""
LIFT = 0.1
"""Of the upper lip over an open jaw, cm."""
UPPER_SHARE = 0.3
"""Of the way between the lips of an open jaw that the upper one goes to close it."""


def weight(flesh: Flesh) -> Floats:
    """(N,): how much of the jaw's movement each point makes: 1 the lower lip and the chin, 0 the upper lip and the
    brow."""
    height = np.abs(flesh.above) ** 0.85
    lips = np.where(flesh.above > 0, CORNER * (1.0 - height), CORNER + (1.0 - CORNER) * height)
    x, y, z = flesh.points.T
    chin = smooth(-y, 4.4, 8.2) * smooth(z, -3.0, 3.5) * (1.0 - 0.25 * smooth(np.abs(x), 2.0, 6.5))
    share = smooth(flesh.reach, 0.0, 2.6)
    deep = smooth(-(z - 8.0), 3.2, 5.6) * (flesh.over > 1.5)
    return np.asarray((lips + (chin - lips) * share) * (1 - deep) + 0.5 * deep)


def moves(flesh: Flesh) -> dict[str, Floats]:
    """(N, 3) by name: jawOpen, jawForward, jawLeft, jawRight and mouthClose."""
    share = weight(flesh)
    bones = hinge(flesh.points)
    result = {name: move * share[:, None] for name, move in bones.items()}
    result["jawOpen"] = result["jawOpen"] + narrowed(flesh)
    result["mouthClose"] = closing(flesh, result["jawOpen"])
    level = 0.6 * (1.0 - smooth(flesh.reach, 0.0, 2.0)) * flesh.fade
    for name in ("jawForward", "jawLeft", "jawRight"):
        result[name] = bones[name] * (share + level * (0.6 - share))[:, None]
    return result


def narrowed(flesh: Flesh) -> Floats:
    """The corners come inwards and the upper lip a little up as the jaw opens."""
    near = (1.0 - smooth(flesh.reach, 0.0, 2.2)) * flesh.fade
    inwards = -0.2 * flesh.across * near
    lift = LIFT * np.maximum(flesh.above, 0.0) * near
    return np.stack([inwards, lift, 0.05 * near * np.abs(flesh.across)], axis=1)


def closing(flesh: Flesh, opened: Floats) -> Floats:
    """Closes an open jaw's gap where the lips meet: both lips move to one line, the skin around them follows as far as
    it can."""
    aim = meeting(flesh, opened)
    near = (1.0 - smooth(flesh.reach, 0.0, 2.4)) * flesh.fade
    return (aim - opened) * near[:, None]


def meeting(flesh: Flesh, opened: Floats) -> Floats:
    """(N, 3): where the lips of an open jaw meet at each point's place along the mouth, as a movement from rest."""
    upper, lower = flesh.pairs.T
    order = np.argsort(flesh.points[upper, 0])
    x = flesh.points[upper, 0][order]
    line = (1 - UPPER_SHARE) * opened[upper][order] + UPPER_SHARE * opened[lower][order]
    at = np.clip(flesh.across, -1.0, 1.0) * MOUTH_WIDTH * 0.985
    return np.stack([np.interp(at, x, line[:, axis]) for axis in range(3)], axis=1)
