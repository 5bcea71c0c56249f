"""Where things are in the face, in centimetres: x to the character's left, y up, z to the front, the left of each
pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Flags = NDArray[np.bool_]

CENTRE = np.array([0.0, -1.0, 0.0])
"""Inside the skull; every ray from here meets the skin once."""

EYE = np.array([3.25, 0.35, 4.85])
EYE_RADIUS = 2.35
LID_THICKNESS = 0.12
LID_WIDTH, LID_TOP, LID_BOTTOM = 1.86, 1.1, 0.92
"""Half the width of the open eye, and how far its edges are above and below its corners."""
LID_TILT = 0.1
"""How much higher the outer corner is than the middle, and the inner one lower."""

MOUTH = np.array([0.0, -6.0, 0.0])
MOUTH_WIDTH = 2.4
"""Half of it, corner to middle."""
UPPER_LIP, LOWER_LIP = 0.62, 0.86
"""Height of the red of each lip in the middle."""

JAW_PIVOT = np.array([0.0, -1.8, -0.5])
JAW_ANGLE = np.radians(19.0)
"""Of a jaw fully open."""

NECK_PIVOT = np.array([0.0, -7.0, -1.5])
"""Where the head turns."""


def seam(x: Floats) -> Floats:
    """Height of the line between the closed lips at x; the corners are a little higher, for a friendly face at rest."""
    return np.asarray(MOUTH[1] + 0.24 * (np.abs(x) / MOUTH_WIDTH) ** 2 - 0.03)
