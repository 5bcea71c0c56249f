"""The left brow: a soft tapered roll along an arc of the skin."""

from __future__ import annotations

import numpy as np

from make_face.geometry.part import Part, circle, grid, linear, painted
from make_face.geometry.surface import front, outwards
from make_face.shapes import move_brows

COLOUR = "#4a3023"
ALONG, AROUND = 22, 10


def left() -> Part:
    """The left brow, with its movements."""
    t = np.linspace(0.0, 1.0, ALONG)
    x = 1.25 + 4.35 * t
    y = 2.72 + 0.78 * np.sin(np.pi * (0.12 + 0.8 * t) ** 1.15) - 0.3 * t
    spine = front(x, y)
    normal = outwards(spine)
    along = np.gradient(spine, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(normal, along)
    wide = (
        0.35 * np.minimum(1.0, (t + 0.012) / 0.1) ** 0.5 * (1.0 - 0.62 * t) * np.minimum(1.0, (1.012 - t) / 0.1) ** 0.5
    )
    turn = circle(AROUND)
    points = spine[:, None] + wide[:, None, None] * (across[:, None] * np.sin(turn)[None, :, None])
    points = points + (0.02 + 0.45 * wide[:, None, None] * np.cos(turn)[None, :, None]) * normal[:, None]
    flat = points.reshape(-1, 3)
    return Part(
        "brow", flat, grid(ALONG, AROUND, closed=True), painted(len(flat), linear(COLOUR)), move_brows.moves(flat)
    )
