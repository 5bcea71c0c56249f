"""Triangles between scattered points of the plane, each with no other point in its circle (Bowyer 1981, Watson
1981)."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import Floats, Ints


def triangulate(points: Floats) -> Ints:
    """(M, 3): triangles, anticlockwise, over the convex hull of `points` (N, 2). Same points, same order, same
    triangles."""
    count = len(points)
    middle, size = points.mean(0), 40.0 * np.ptp(points, axis=0).max()
    outer = middle + size * np.array([[-1.0, -1.0], [1.0, -1.0], [0.0, 1.2]])
    plane = np.concatenate([points, outer])
    triangles: Ints = np.array([[count, count + 1, count + 2]])
    circles = circumcircles(plane[triangles])
    for new in range(count):
        x, y = circles[:, 0] - plane[new, 0], circles[:, 1] - plane[new, 1]
        hit = x * x + y * y < circles[:, 2] * (1 + 1e-12)
        fan = np.array([[a, b, new] for a, b in rim(triangles[hit])])
        triangles = np.concatenate([triangles[~hit], fan])
        circles = np.concatenate([circles[~hit], circumcircles(plane[fan])])
    return np.asarray(triangles[(triangles < count).all(1)])


def rim(triangles: Ints) -> list[tuple[int, int]]:
    """Edges that only one of the triangles has, in its direction."""
    edges = [(int(t[i]), int(t[(i + 1) % 3])) for t in triangles for i in range(3)]
    known = set(edges)
    return [edge for edge in edges if (edge[1], edge[0]) not in known]


def circumcircles(corners: Floats) -> Floats:
    """(M, 3): centre and squared radius of the circle through each triangle (M, 3, 2). A flat triangle has an endless
    circle."""
    a = corners[:, 0]
    b, c = corners[:, 1] - a, corners[:, 2] - a
    double = 2.0 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    double = np.where(np.abs(double) < 1e-14, 1e-14, double)
    bb, cc = (b * b).sum(1), (c * c).sum(1)
    x = (c[:, 1] * bb - b[:, 1] * cc) / double
    y = (b[:, 0] * cc - c[:, 0] * bb) / double
    return np.stack([a[:, 0] + x, a[:, 1] + y, x * x + y * y], axis=1)
