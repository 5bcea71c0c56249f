"""The inside of the mouth: a dark pocket behind the lips that holds teeth and tongue and whose end is out of sight."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import MOUTH, MOUTH_WIDTH, Floats
from make_face.skin import lips

ROWS = (
    (1.02, 1.15, -0.95),
    (1.08, 1.8, -1.9),
    (1.02, 1.95, -3.0),
    (0.8, 1.6, -4.2),
    (0.45, 0.9, -4.9),
    (0.001, 0.001, -5.2),
)
"""Of each row behind the lips: width by that of the mouth, half its height, how far back."""
FADE = (0.6, 0.25, 0.05, 0.0, 0.0, 0.0)
"""How much of the lips' movement each row still has."""


def rows() -> Floats:
    """(rows, columns, 3), in the lips' columns."""
    touch = lips.meeting()
    middle = touch[0, 2]
    side = np.sign(np.sin(lips.TURN)).round()
    high = side * np.abs(np.sin(lips.TURN)) ** 0.6
    result = []
    for i, (wide, tall, back) in enumerate(ROWS):
        deep = touch[:, 2] + (middle - touch[:, 2]) * i / (len(ROWS) - 1)
        across = MOUTH_WIDTH * np.cos(lips.TURN) ** (0.8 if i == 0 else 0.5) * (np.abs(touch[:, 0]) > 0)
        result.append(np.stack([across * wide, MOUTH[1] + high * tall, deep + back], axis=1))
    return np.stack(result)
