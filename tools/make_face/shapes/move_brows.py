"""The brows and the forehead over them: a function of place alone, so that skin and hair of the brow move as one."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import EYE, Floats
from make_face.geometry.fields import bump, smooth


def moves(points: Floats) -> dict[str, Floats]:
    """(N, 3) by name for points on or over the skin; the left of each pair, and browInnerUp of both sides."""
    above = smooth(points[:, 1], EYE[1] + 1.2, EYE[1] + 2.3)
    inner, outer = (1.3, 3.1, 7.6), (4.5, 3.0, 6.3)
    down = spot(points, (2.2, 3.0, 7.4), (3.0, 2.1, 4.0), (-0.25, -0.75, 0.12))
    down += spot(points, (1.1, 2.6, 7.6), (1.4, 1.8, 3.0), (-0.12, -0.4, 0.1))
    up = spot(points, inner, (2.4, 3.2, 4.0), (0.05, 0.95, 0.0))
    up += spot(points, (-inner[0], *inner[1:]), (2.4, 3.2, 4.0), (-0.05, 0.95, 0.0))
    rise = spot(points, outer, (3.6, 3.2, 4.5), (0.0, 1.0, -0.1))
    named = {"browDownLeft": down, "browInnerUp": up, "browOuterUpLeft": rise}
    return {name: move * above[:, None] for name, move in named.items()}


def spot(points: Floats, centre: tuple[float, ...], radii: tuple[float, ...], move: tuple[float, ...]) -> Floats:
    """(N, 3): `move` at `centre`, fading smoothly to 0 over `radii`, cm."""
    return np.asarray(bump(points, centre, radii)[:, None] * np.asarray(move))
