"""The left half of the skin laid flat: points, closer where the face is fine, and the triangles between them."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import Flags, Floats, Ints
from make_face.geometry.delaunay import triangulate

EDGE = 2.95
"""Where the sheet ends, radians from the front; hair and neck hide it."""
COARSE = 0.2
"""Widest spacing, radians."""
SMOOTHINGS = 4


def spacing(flat: Floats, loops: list[Floats], details: Floats) -> Floats:
    """(N,): wished distance between neighbours, radians. `loops`: rims of the holes; `details` (K, 3): x, y and spacing
    of fine spots."""
    wish = np.minimum(COARSE, 0.062 + 0.075 * np.maximum(np.hypot(flat[:, 0], flat[:, 1]) - 0.9, 0.0))
    for loop in loops:
        gap = np.linalg.norm(flat[:, None] - loop[None], axis=-1).min(1)
        wish = np.minimum(wish, 0.024 + 0.16 * gap)
    for x, y, fine in details:
        wish = np.minimum(wish, fine + 0.2 * np.maximum(np.hypot(flat[:, 0] - x, flat[:, 1] - y) - 0.05, 0.0))
    return wish


def scattered(loops: list[Floats], details: Floats) -> Floats:
    """(N, 2): the points between the holes; those of the middle line have x exactly 0."""
    middle = thinned(np.stack([np.zeros(2401), np.linspace(-EDGE, EDGE, 2401)], axis=1), loops, details)
    turn = np.linspace(-np.pi / 2, np.pi / 2, 22)[1:-1]
    border = EDGE * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return thinned(lattice(), loops, details, np.concatenate([middle, border]))


def lattice() -> Floats:
    """(N, 2): close candidates in even rows over the half disc, every second row shifted; the middle ones first."""
    step = 0.02
    x, y = np.meshgrid(np.arange(1, int(EDGE / step)), np.arange(-int(EDGE / step), int(EDGE / step)))
    flat = np.stack([(x + 0.5 * (y % 2)) * step, y * step * 0.87], axis=-1).reshape(-1, 2)
    radius = np.hypot(flat[:, 0], flat[:, 1])
    flat = flat[(radius < EDGE - 0.08)]
    return np.asarray(flat[np.argsort(np.hypot(flat[:, 0], flat[:, 1]).round(6), kind="stable")])


def thinned(candidates: Floats, loops: list[Floats], details: Floats, kept: Floats | None = None) -> Floats:
    """`kept` and each candidate in turn that is outside the holes and no closer than wished to one that is kept."""
    candidates = candidates[~np.any([inside(candidates, whole(loop)) for loop in loops], axis=0)]
    wish = spacing(candidates, loops, details)
    rims = np.concatenate(loops)
    clear = np.linalg.norm(candidates[:, None] - rims[None], axis=-1).min(1) > 0.8 * wish
    clear &= (candidates[:, 0] == 0.0) | (candidates[:, 0] > 0.6 * wish)
    rest, wish = candidates[clear], wish[clear]
    chosen = [] if kept is None else list(kept)
    taken = 0
    while taken < len(chosen) or len(rest):
        if taken == len(chosen):
            chosen.append(rest[0])
        x, y = rest[:, 0] - chosen[taken][0], rest[:, 1] - chosen[taken][1]
        far = x * x + y * y > wish * wish
        rest, wish, taken = rest[far], wish[far], taken + 1
    return np.array(chosen)


def inside(points: Floats, loop: Floats) -> Flags:
    """(N,): whether points are inside a closed polygon: an odd number of its edges is crossed to their right."""
    result = np.zeros(len(points), bool)
    for a, b in zip(loop, np.roll(loop, -1, axis=0), strict=True):
        spans = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
        rise = b[1] - a[1] if b[1] != a[1] else 1e-30
        result ^= spans & (points[:, 0] < (points[:, 1] - a[1]) * (b[0] - a[0]) / rise + a[0])
    return result


def whole(rim: Floats) -> Floats:
    """The closed polygon of a rim: one that begins and ends on the middle line goes on as its own mirror image."""
    return rim if rim[0, 0] != 0.0 else np.concatenate([rim, (rim * [-1.0, 1.0])[-2:0:-1]])


def woven(loops: list[Floats], details: Floats) -> tuple[Floats, Ints]:
    """Points (the rims' first, in order) and triangles of the half sheet with its holes open."""
    fixed = np.concatenate(loops)
    flat = np.concatenate([fixed, scattered(loops, details)])
    triangles = opened(flat, loops)
    for _ in range(SMOOTHINGS):
        flat = relaxed(flat, triangles, len(fixed))
    return flat, opened(flat, loops)


def opened(flat: Floats, loops: list[Floats]) -> Ints:
    """Triangles outside the holes, without the slivers of a straight border."""
    triangles = triangulate(flat)
    corners = flat[triangles]
    hole = np.any([inside(corners.mean(1), whole(loop)) for loop in loops], axis=0)
    b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(triangles[~hole & (np.abs(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]) > 1e-7)])


def relaxed(flat: Floats, triangles: Ints, fixed: int) -> Floats:
    """Each free point halfway to the mean of its neighbours; those of the middle line stay on it, the border stays."""
    total, count = np.zeros_like(flat), np.zeros(len(flat))
    for a, b in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2)):
        np.add.at(total, triangles[:, a], flat[triangles[:, b]])
        np.add.at(count, triangles[:, a], 1.0)
    moved = 0.5 * flat + 0.5 * total / np.maximum(count, 1.0)[:, None]
    moved[:, 0] = np.where(flat[:, 0] == 0.0, 0.0, moved[:, 0])
    held = (np.arange(len(flat)) < fixed) | (np.hypot(flat[:, 0], flat[:, 1]) > EDGE - 1e-6)
    return np.where(held[:, None], flat, moved)
