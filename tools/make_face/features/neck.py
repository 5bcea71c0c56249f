"""The neck and the beginning of the shoulders in a plain shirt; they stay when the head turns."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import Floats
from make_face.geometry.part import Part, circle, grid, linear

COLUMNS = 48
NECK = ((-5.5, 3.2, 2.4, -2.9), (-8.0, 3.7, 3.3, -2.7), (-10.5, 4.1, 4.1, -2.3), (-12.5, 4.3, 4.3, -2.2),
        (-14.0, 4.8, 4.6, -2.4), (-16.0, 6.0, 5.0, -2.6))  # fmt: skip
"""y, half the width, half the depth, z of the middle of each ring."""
SHIRT = ((-13.35, 4.6, 4.6, -2.3), (-12.85, 5.0, 5.1, -2.3), (-13.1, 5.5, 5.5, -2.4), (-13.8, 6.9, 5.9, -2.6),
         (-14.7, 9.6, 6.1, -2.9), (-15.8, 12.6, 6.1, -3.1), (-17.4, 14.6, 6.2, -3.2),
         (-20.0, 15.6, 6.6, -3.2), (-25.0, 16.0, 7.0, -3.2))  # fmt: skip
NAPE = (3.6, 3.0, 1.6)
"""How much higher the neck's first rings are behind, where they end inside the skull."""


def parts() -> list[Part]:
    """The neck and the shirt."""
    return [tube("skin", NECK, linear("#dd9d7f")), tube("shirt", SHIRT, linear("#5d7f95"))]


def tube(material: str, rings: tuple[tuple[float, float, float, float], ...], colour: Floats) -> Part:
    """Rings from the lowest to the highest."""
    turn = circle(COLUMNS)
    points = []
    for (y, wide, deep, middle), lean in zip(rings, (*NAPE, *(0.0,) * len(rings)), strict=False):
        lift = lean * np.maximum(-np.sin(turn), 0.0) * (material == "skin")
        dip = -0.055 * wide * np.maximum(np.sin(turn), 0.0) ** 2 * (material == "shirt")
        points.append(np.stack([wide * np.cos(turn), y + dip + lift, middle + deep * np.sin(turn)], axis=1))
    flat = np.concatenate(points)
    return Part(material, flat, grid(len(rings), COLUMNS, closed=True), np.tile(colour, (len(flat), 1)))
