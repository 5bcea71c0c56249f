"""The closed skin, eyes shut and mouth unmarked: where a blend of rounded solids is zero, found along rays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from make_face.geometry.anatomy import CENTRE, EYE, EYE_RADIUS, LID_THICKNESS, Floats

FAR, NEAR = 16.0, 0.5
"""Where a ray is searched, in centimetres from its start; the outermost crossing counts."""
SCAN, HALVINGS = 44, 26


def ellipsoid(points: Floats, centre: Sequence[float], radii: Sequence[float]) -> Floats:
    """About the distance to an ellipsoid: exact where it is zero, near enough around."""
    scaled = (points - np.asarray(centre)) / np.asarray(radii)
    level = np.sqrt((scaled**2).sum(-1))
    slope = np.sqrt(((scaled / np.asarray(radii)) ** 2).sum(-1))
    return np.asarray(level * (level - 1.0) / np.maximum(slope, 1e-9))


def capsule(points: Floats, start: Sequence[float], end: Sequence[float], radii: tuple[float, float]) -> Floats:
    """Distance to a rounded stick whose radius goes from the first to the second."""
    a, b = np.asarray(start), np.asarray(end)
    along = np.clip(((points - a) @ (b - a)) / ((b - a) @ (b - a)), 0.0, 1.0)
    gap = np.linalg.norm(points - a - along[..., None] * (b - a), axis=-1)
    return np.asarray(gap - (radii[0] + (radii[1] - radii[0]) * along))


def join(a: Floats, b: Floats, soft: float) -> Floats:
    """Both solids, with the crease between them filled over about `soft`."""
    near = np.maximum(soft - np.abs(a - b), 0.0) / soft
    return np.asarray(np.minimum(a, b) - near * near * soft / 4)


def carve(a: Floats, b: Floats, soft: float) -> Floats:
    """The first solid less the second, its edge rounded over about `soft`."""
    return np.asarray(-join(-a, b, soft))


def level(points: Floats) -> Floats:
    """(...): below zero inside the head, above outside. `points` (..., 3); left and right are alike."""
    p = np.concatenate([np.abs(points[..., :1]), points[..., 1:]], axis=-1)
    head = join(skull(p), jaw(p), 2.5)
    head = join(head, ellipsoid(p, (3.9, -3.0, 4.3), (2.9, 2.5, 2.8)), 1.6)
    head = join(head, ellipsoid(p, (0.0, -6.1, 5.0), (3.5, 2.7, 3.55)), 1.8)
    head = join(head, capsule(p, (0.6, 2.7, 6.9), (4.6, 2.8, 5.0), (1.3, 1.2)), 1.2)
    head = carve(head, ellipsoid(p, (3.2, 0.3, 9.4), (2.3, 1.7, 2.3)), 1.4)
    return join(join(head, eyeball(p), 0.5), nose(p), 0.7)


def skull(p: Floats) -> Floats:
    """Level (...) of the skull: below zero inside, cm."""
    back = ellipsoid(p, (0.0, 3.0, -1.0), (8.0, 8.6, 9.0))
    return join(back, ellipsoid(p, (0.0, -0.6, 0.8), (7.3, 8.0, 7.1)), 1.5)


def jaw(p: Floats) -> Floats:
    """Level (...) of the jaw and the chin: below zero inside, cm."""
    body = ellipsoid(p, (0.0, -4.2, 1.4), (6.3, 6.0, 6.2))
    return join(body, ellipsoid(p, (0.0, -8.6, 5.1), (2.6, 2.2, 2.4)), 2.6)


def eyeball(p: Floats) -> Floats:
    """Level (...) of an eyeball under its lids: below zero inside, cm."""
    return np.asarray(np.linalg.norm(p - EYE, axis=-1) - EYE_RADIUS - LID_THICKNESS)


def nose(p: Floats) -> Floats:
    """Level (...) of the nose: below zero inside, cm."""
    bridge = capsule(p, (0.0, 0.8, 7.2), (0.0, -2.3, 8.8), (0.62, 0.85))
    tip = ellipsoid(p, (0.0, -2.75, 9.1), (1.02, 0.88, 0.95))
    wing = ellipsoid(p, (1.0, -3.1, 8.3), (0.62, 0.56, 0.75))
    return join(join(bridge, tip, 0.8), wing, 0.5)


def meet(start: Floats, towards: Floats) -> Floats:
    """(N, 3): where rays last leave the head. `start` (3,) or (N, 3); `towards` (N, 3) of length 1. Rays that miss stay
    at NEAR."""
    steps = np.linspace(FAR, NEAR, SCAN)
    inside = level(start + steps[:, None, None] * towards) < 0.0
    first = np.where(inside.any(0), inside.argmax(0), SCAN - 1)
    low, high = steps[first], steps[np.maximum(first - 1, 0)]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        within = level(start + middle[:, None] * towards) < 0.0
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.asarray(start + low[:, None] * towards)


def front(x: Floats, y: Floats) -> Floats:
    """(N, 3): the skin as seen from the front at (x, y)."""
    start = np.stack([x, y, np.full_like(x, -1.0)], axis=-1)
    return meet(start, np.broadcast_to(np.array([0.0, 0.0, 1.0]), start.shape))


def unrolled(points: Floats) -> Floats:
    """(N, 2): the skin laid flat: angle from the front at CENTRE, radians, in the direction seen from the front."""
    ray = points - CENTRE
    ray = ray / np.linalg.norm(ray, axis=-1, keepdims=True)
    across = np.hypot(ray[:, 0], ray[:, 1])
    angle = np.arctan2(across, ray[:, 2])
    return np.asarray(ray[:, :2] * (angle / np.maximum(across, 1e-12))[:, None])


def rolled(flat: Floats) -> Floats:
    """(N, 3): back from the flat sheet to the skin."""
    angle = np.hypot(flat[:, 0], flat[:, 1])
    across = np.sinc(angle / np.pi)[:, None] * flat
    return meet(CENTRE, np.concatenate([across, np.cos(angle)[:, None]], axis=-1))


def outwards(points: Floats) -> Floats:
    """(N, 3): unit normals of the blend at points near the skin."""
    step = 0.02 * np.eye(3)
    slope = np.stack([level(points + axis) - level(points - axis) for axis in step], axis=-1)
    return np.asarray(slope / np.linalg.norm(slope, axis=-1, keepdims=True))
