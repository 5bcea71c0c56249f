"""The lids of the left eye: rings of points from the skin around it to the edge of the opening, and back behind that
edge.

A shut lid lies on the closed skin, which bulges over the eyeball there; an open one is the same skin pushed together.
So a lid can be put at any closing and stays on the eye.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from make_face.geometry.anatomy import EYE, EYE_RADIUS, LID_BOTTOM, LID_THICKNESS, LID_TILT, LID_TOP, LID_WIDTH, Floats
from make_face.geometry.part import circle
from make_face.geometry.surface import front

TURN = circle(44)
"""Angle about the eye of each column: from the outer corner over the upper lid."""
OUTWARD = np.array([1.0, 0.8, 0.62, 0.47, 0.34, 0.2, 0.09, 0.0])
"""How far out each ring is: 1 where the skin begins, 0 at the edge of the lid."""
BEHIND = (0.13, 0.32)
"""Rings behind the edge: how far towards the middle of the eye."""
CREASE, CREASE_AT, CREASE_WIDE = 0.2, 0.5, 0.16
SHUT_BELOW = -0.42
"""Where the shut lids meet, below the middle of the eye."""


def tilt(x: Floats) -> Floats:
    """(N,): height that the slant of the eye adds at `x`, cm."""
    return np.asarray(LID_TILT * x / LID_WIDTH)


def outer_rim() -> tuple[Floats, Floats]:
    """x and y, from the middle of the eye, of the ring where lids end and the face's skin begins."""
    c, s = np.cos(TURN), np.sin(TURN)
    x = np.where(c > 0, 2.35, 2.2) * c
    return x, np.where(s > 0, 1.95, 1.7) * s + tilt(x)


def edge(upper: float, lower: float) -> tuple[Floats, Floats]:
    """x and y of the edges, each lid closed by its share: 0 open, 1 shut, below 0 opened wide."""
    c, s = np.cos(TURN), np.sin(TURN)
    x = LID_WIDTH * c
    open_y = np.where(s > 0, LID_TOP * np.abs(s) ** 0.85, -LID_BOTTOM * np.abs(s) ** 1.05)
    shut_y = SHUT_BELOW * np.abs(s) ** 1.2
    return x, open_y + np.where(s > 0, upper, lower) * (shut_y - open_y) + tilt(x)


@cache
def rings(upper: float = 0.0, lower: float = 0.0) -> Floats:
    """(rings, columns, 3): the outermost first."""
    (x_in, y_in), (x_out, y_out) = edge(upper, lower), outer_rim()
    share = OUTWARD[:, None]
    x, y = x_in + (x_out - x_in) * share, y_in + (y_out - y_in) * share
    closed = front(EYE[0] + x.ravel(), EYE[1] + y.ravel()).reshape(*x.shape, 3)
    result = [
        folded(laid(ring, float(place)), float(place), upper) for ring, place in zip(closed, OUTWARD, strict=True)
    ]
    inwards = EYE - result[-1]
    inwards = inwards / np.linalg.norm(inwards, axis=1, keepdims=True)
    result += [result[-1] + deep * inwards for deep in BEHIND]
    return np.stack(result)


def laid(points: Floats, share: float) -> Floats:
    """A ring laid on the eyeball, the closer to the edge the more, so that no gap shows where nose or brow push the
    skin out."""
    x, y, z = (points - EYE).T
    on = np.sqrt((EYE_RADIUS + LID_THICKNESS) ** 2 - x * x - y * y)
    return np.asarray(EYE + np.stack([x, y, on + (z - on) * min(1.0, share / 0.62) ** 2], axis=1))


def folded(points: Floats, share: float, upper: float) -> Floats:
    """A ring with the crease of the open upper lid pressed into it; it goes as the lid shuts."""
    over = np.maximum(np.sin(TURN), 0.0) ** 0.7 * max(0.0, 1.0 - upper)
    depth = CREASE * over * np.exp(-(((share - CREASE_AT) / CREASE_WIDE) ** 2))
    inwards = EYE - points
    return np.asarray(points + depth[:, None] * inwards / np.linalg.norm(inwards, axis=1, keepdims=True))
