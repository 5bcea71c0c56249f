"""The left ear: an egg-shaped disc with a raised rim and a bowl, set on the side of the head."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import Floats
from make_face.geometry.part import Part, circle, grid, linear

RINGS = (1.0, 1.0, 0.97, 0.9, 0.8, 0.68, 0.52, 0.34, 0.15, 0.01)
HEIGHTS = (-0.9, -0.15, 0.24, 0.36, 0.26, 0.06, -0.06, -0.2, -0.28, -0.3)
"""From the outside of the back over the rim to the middle of the bowl: share of the outline, and cm above the ear's
plane."""
COLUMNS = 32
SET = np.array([7.75, -0.7, -0.9])
OUT, BACK = np.radians(16.0), np.radians(-10.0)


def left() -> Part:
    """The left ear."""
    around = circle(COLUMNS)
    points = np.concatenate([placed(ring(around, share, high)) for share, high in zip(RINGS, HEIGHTS, strict=True)])
    deep = np.repeat(np.clip(0.36 - np.array(HEIGHTS), 0.0, 0.7) / 0.7, COLUMNS)[:, None]
    colours = linear("#eeb394") * (1 - deep) + linear("#c9785f") * deep
    return Part("skin", points, grid(len(RINGS), COLUMNS, closed=True), colours)


def ring(around: Floats, share: float, high: float) -> Floats:
    """(COLUMNS, 3): across the ear towards the front, up, and out of its plane."""
    up = np.sin(around)
    wide = 1.5 * (1.0 + 0.16 * up) * (1 - 0.1 * (up < 0) * up**2)
    middle = np.array([0.25, 0.15])
    outline = np.stack([wide * np.cos(around), 2.5 * up], axis=1)
    flat = middle * (1 - share) + outline * share
    return np.stack([flat[:, 0], flat[:, 1], np.full(COLUMNS, high)], axis=1)


def placed(local: Floats) -> Floats:
    """Onto the head: the ear's plane faces outwards and a little ahead, its top leans back."""
    across, up, out = local.T
    across, up = across * np.cos(BACK) + up * np.sin(BACK), up * np.cos(BACK) - across * np.sin(BACK)
    z = across * np.cos(OUT) + out * np.sin(OUT)
    x = out * np.cos(OUT) - across * np.sin(OUT)
    return np.asarray(SET + np.stack([x, up, z], axis=1) * [1.0, 1.0, 1.0])
