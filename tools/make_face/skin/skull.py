"""The left half of the head's skin, open where the eye and the mouth are."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import EYE, Floats, Ints
from make_face.geometry.surface import front, rolled, unrolled
from make_face.skin import lids, lips
from make_face.skin.sheet import woven

FINE = ((0.0, -2.9, 0.03), (0.95, -3.1, 0.028),
        (0.0, -1.5, 0.045), (1.2, -3.9, 0.045), (2.6, -4.2, 0.05), (0.0, -8.5, 0.05), (3.2, 3.0, 0.05))  # fmt: skip
"""x, y (cm, from the front) and spacing (radians) of spots that need many points: nose, wings, folds, chin, brow."""


def mouth_rim() -> Floats:
    """(N, 3): the outermost ring around the lips, where the free skin begins."""
    return np.asarray(lips.surround()[0])


def eye_rim() -> Floats:
    """(N, 3): the ring where the lids end and the free skin begins."""
    x, y = lids.outer_rim()
    return front(EYE[0] + x, EYE[1] + y)


def half() -> tuple[Floats, Ints]:
    """Points (mouth rim, eye rim, then the rest) and triangles of the half with x >= 0."""
    rims = [mouth_rim(), eye_rim()]
    loops = [unrolled(rim) for rim in rims]
    loops[0][[0, -1], 0] = 0.0
    spots = np.array(FINE)
    details = np.concatenate([unrolled(front(spots[:, 0], spots[:, 1])), spots[:, 2:]], axis=1)
    flat, triangles = woven(loops, details)
    points = rolled(flat)
    points[: len(rims[0]) + len(rims[1])] = np.concatenate(rims)
    points[flat[:, 0] == 0.0, 0] = 0.0
    return points, triangles
