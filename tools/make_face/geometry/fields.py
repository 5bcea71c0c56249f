"""Bumps, falloffs and turns, from which movements are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from make_face.geometry.anatomy import JAW_ANGLE, JAW_PIVOT, Floats


def smooth(value: Floats, low: float, high: float) -> Floats:
    """0 at `low` and before, 1 at `high` and after, without a kink between."""
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def bump(points: Floats, centre: Sequence[float], radii: Sequence[float]) -> Floats:
    """(N,): 1 at the centre, 0 from the ellipsoid of these radii on, smooth between."""
    away = (((points - np.asarray(centre)) / np.asarray(radii)) ** 2).sum(1)
    return np.asarray(np.maximum(1.0 - away, 0.0) ** 2)


def turned(points: Floats, pivot: Floats, angle: float, axis: int) -> Floats:
    """(N, 3): points turned about an axis (0 x, 1 y, 2 z) through the pivot, right-handed, radians."""
    one, two = (axis + 1) % 3, (axis + 2) % 3
    result = points.astype(float)
    a, b = points[:, one] - pivot[one], points[:, two] - pivot[two]
    result[:, one] = pivot[one] + a * np.cos(angle) - b * np.sin(angle)
    result[:, two] = pivot[two] + a * np.sin(angle) + b * np.cos(angle)
    return result


def hinge(points: Floats) -> dict[str, Floats]:
    """How a bone of the lower jaw moves: by name, (N, 3)."""
    opened = turned(points, JAW_PIVOT, JAW_ANGLE, 0) - points
    left = turned(points, JAW_PIVOT, 0.07, 1) - points + np.array([0.35, -0.05, 0.0])
    right = turned(points, JAW_PIVOT, -0.07, 1) - points + np.array([-0.35, -0.05, 0.0])
    ahead = np.broadcast_to(np.array([0.0, 0.0, 0.85]), points.shape)
    return {"jawOpen": opened, "jawLeft": left, "jawRight": right, "jawForward": ahead}


def added(*moves: dict[str, Floats]) -> dict[str, Floats]:
    """Movements of the same name summed."""
    total: dict[str, Floats] = {}
    for some in moves:
        for name, move in some.items():
            total[name] = total[name] + move if name in total else move
    return total
