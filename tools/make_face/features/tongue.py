"""The tongue: a flat rounded roll on the floor of the mouth that moves with the jaw and comes out between the lips."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import MOUTH, Floats
from make_face.geometry.fields import hinge, smooth
from make_face.geometry.part import Part, circle, grid, linear

ALONG, AROUND = 16, 16
FIRST, LENGTH = 2.6, 3.3


def spine(out: float) -> Floats:
    """(ALONG, 3): from the root to the tip, drawn out by its share."""
    t = np.linspace(0.0, 1.0, ALONG)
    rest = np.stack([0 * t, MOUTH[1] - 1.3 + 1.1 * smooth(t, 0.0, 0.5), FIRST + LENGTH * t], axis=1)
    high = MOUTH[1] - 1.3 + 1.36 * smooth(t, 0.0, 0.5) - 0.9 * smooth(t, 0.64, 1.15)
    over = np.stack([0 * t, high, FIRST + (LENGTH + 4.5) * t - 0.4 * t**6], axis=1)
    return np.asarray(rest + out * (over - rest))


def shape(out: float) -> Floats:
    """(ALONG * AROUND, 3)"""
    t = np.linspace(0.0, 1.0, ALONG)
    taper = np.sqrt(np.maximum(1.0 - np.maximum((t - 0.62) / 0.38, 0.0) ** 2.4, 0.0))
    wide, thick = (1.32 - 0.12 * out) * taper, (0.46 - 0.14 * t - 0.04 * out * t) * np.maximum(taper, 0.12)
    turn = circle(AROUND)
    groove = 1.0 - 0.3 * np.exp(-((np.cos(turn) / 0.25) ** 2)) * (np.sin(turn) > 0)
    back = spine(out)
    x = wide[:, None] * np.cos(turn)
    y = back[:, 1, None] + thick[:, None] * np.sin(turn) * groove
    return np.stack([x, y, np.broadcast_to(back[:, 2, None], x.shape)], axis=-1).reshape(-1, 3)


def tongue() -> Part:
    """The tongue, with its movements."""
    points = shape(0.0)
    shade = np.repeat(np.linspace(0.45, 1.0, ALONG), AROUND)[:, None]
    moves = hinge(points) | {"tongueOut": shape(1.0) - points}
    moves |= {
        name: np.tile([0.0, -0.5 * back, -back], (len(points), 1))
        for name, back in (("mouthPucker", 1.0), ("mouthFunnel", 0.7))
    }
    return Part("tongue", points, grid(ALONG, AROUND, closed=True), linear("#cf6a70") * shade, moves)
