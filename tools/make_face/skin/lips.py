"""The lips: rows of points from the border of the red, over the lip, through the line where the lips meet, to behind
them."""

from __future__ import annotations

from functools import cache

import numpy as np

from make_face.geometry.anatomy import LOWER_LIP, MOUTH_WIDTH, UPPER_LIP, Floats, seam
from make_face.geometry.surface import front

TURN = np.linspace(-np.pi / 2, np.pi / 2, 25)
"""Angle about the mouth of each column of the left half: from the middle of the lower lip, by the corner, to that of
the upper."""
ACROSS = np.array([0.0, 0.14, 0.3, 0.46, 0.62, 0.77, 0.9, 1.0])
"""How far over the lip each row is: 0 at the border, 1 where the lips meet."""
BEHIND = ((0.1, -0.32, 1.25), (0.42, -0.7, 1.5))
"""Rows behind the meeting line: up or down, back, and the row's place after 1."""
AROUND = (0.46, 0.28, 0.13)
"""Rows of skin outside the border, cm."""
MEETING_ROW = len(ACROSS) - 1


def border(turn: Floats) -> tuple[Floats, Floats]:
    """x and y of the edge of the red, seen from the front."""
    x, high = MOUTH_WIDTH * np.cos(turn), np.sin(turn)
    bow = 1.0 - 0.16 * np.exp(-((x / 0.3) ** 2)) + 0.06 * np.exp(-(((x - 0.62) / 0.35) ** 2))
    upper = UPPER_LIP * np.maximum(high, 0.0) ** 1.1 * bow
    lower = LOWER_LIP * np.maximum(-high, 0.0) ** 0.9
    return np.where(np.abs(x) < 1e-9, 0.0, x), seam(x) + upper - lower


@cache
def border_points() -> Floats:
    """(columns, 3)"""
    return front(*border(TURN))


@cache
def meeting() -> Floats:
    """(columns, 3): where each column touches its partner of the other lip."""
    edge = border_points()
    x = edge[:, 0] * 0.985
    height = seam(edge[:, 0])
    recess = 0.1 + 0.16 * np.abs(np.sin(TURN)) ** 0.6
    return np.stack([x, height, front(x, height)[:, 2] - recess], axis=1)


@cache
def surround() -> Floats:
    """(rows, columns, 3): even rows of skin around the red, the outermost first, which is where the free skin
    begins."""
    x, y = border(TURN)
    across, up = np.cos(TURN), np.sin(TURN)
    across[[0, -1]] = 0.0
    away = np.array(AROUND)[:, None]
    return front((x + away * across).ravel(), (y + away * up).ravel()).reshape(len(AROUND), len(TURN), 3)


def rows() -> Floats:
    """(rows, columns, 3): all rows, the border's first."""
    edge, touch = border_points(), meeting()
    side = np.sign(np.sin(TURN)).round()
    thick = np.abs(np.sin(TURN)) ** 0.7
    full = np.where(side > 0, 0.3, 0.44) * thick
    peak = np.where(side > 0, 1.35, 0.85)
    over = []
    for q in ACROSS:
        down = np.where(side > 0, 1 - (1 - q) ** 1.5, q)
        point = edge + (touch - edge) * np.stack([np.full_like(down, q), down, np.full_like(down, q**2.5)], axis=1)
        point[:, 2] += full * np.sin(np.pi * q**peak)
        over.append(point)
    for lift, back, _ in BEHIND:
        over.append(touch + np.stack([np.zeros_like(thick), side * lift * thick, np.full_like(thick, back)], axis=1))
    return np.stack(over)
