"""Short hair: a thick soft cap whose edge rolls in, combed in waves from a parting on the left."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import Floats
from make_face.geometry.fields import smooth
from make_face.geometry.part import Part, circle, grid, linear
from make_face.geometry.surface import level

ROWS, COLUMNS = 30, 96
MIDDLE = np.array([0.0, 1.5, -0.6])
COLOUR, LIGHT = "#4b2e20", "#7a4d33"
PARTING = 0.55
"""Angle from the front towards the left where the hair parts, radians."""


def edge(turn: Floats) -> Floats:
    """How far from the crown the hair reaches, radians, at an angle about it: 0 the front, pi/2 the left."""
    front, side = np.cos(turn), np.abs(np.sin(turn))
    line = 0.86 + 0.66 * smooth(-front, -0.5, 0.1) + 0.62 * smooth(-front, 0.0, 0.7)
    burn = 0.3 * np.exp(-(((front - 0.2) / 0.14) ** 2)) * (side > 0.5)
    bearing = np.angle(np.exp(1j * (turn - PARTING)))
    swept = 0.24 * smooth(-bearing, 0.0, 1.1) * smooth(front, 0.15, 0.75) - 0.1 * np.exp(-((bearing / 0.22) ** 2))
    lobes = 0.05 * np.abs(np.sin(3.4 * bearing)) * smooth(front, 0.2, 0.7)
    return np.asarray(line + burn + swept + lobes)


def cap() -> Part:
    """Rows from under the edge up to the crown."""
    turn = circle(COLUMNS)
    reach = edge(turn)
    shares = np.concatenate([[0.985, 1.0, 1.0], 1.0 - np.linspace(0.012, 1.0, ROWS - 3) ** 1.0 * 0.998])
    lifts = np.concatenate([[-0.5, -0.1, 0.3], 0.35 + 0.75 * smooth(np.linspace(0.0, 1.0, ROWS - 3), 0.0, 0.35)])
    turn, lift = np.tile(turn, ROWS), np.repeat(lifts, COLUMNS)
    away = np.tile(reach, ROWS) * np.repeat(shares, COLUMNS)
    wave = locks(turn, away) * smooth(lift, 0.0, 0.7)
    points = raised(turn, away, lift + volume(turn, away) * np.maximum(lift, 0.0) + 0.2 * wave)
    dark, light = linear(COLOUR), linear(LIGHT)
    return Part("hair", points, grid(ROWS, COLUMNS, closed=True), dark + (light - dark) * (0.5 + 0.5 * wave)[:, None])


def volume(turn: Floats, away: Floats) -> Floats:
    """More hair over the forehead, on the combed side of the parting."""
    bearing = np.angle(np.exp(1j * (turn - PARTING + 0.85)))
    quiff = 1.1 * np.exp(-((bearing / 0.75) ** 2)) * smooth(away, 0.25, 0.8)
    part = 0.6 * np.exp(-((np.angle(np.exp(1j * (turn - PARTING))) / 0.1) ** 2)) * smooth(away, 0.1, 0.4)
    return np.asarray(quiff - part)


def locks(turn: Floats, away: Floats) -> Floats:
    """-1..1: strands that run from the parting outwards and curl on the way."""
    phase = 9.0 * turn + 3.0 * away + 0.8 * np.sin(2.0 * turn)
    return np.asarray((0.7 * np.sin(phase) + 0.3 * np.sin(2.0 * phase + 1.0)) * smooth(away, 0.15, 0.7))


def raised(turn: Floats, away: Floats, lift: Floats) -> Floats:
    """(N, 3): so far over the skin in a direction from the middle of the skull."""
    way = np.stack([np.sin(away) * np.sin(turn), np.cos(away), np.sin(away) * np.cos(turn)], axis=1)
    low, high = np.full(len(turn), 1.0), np.full(len(turn), 20.0)
    for _ in range(28):
        middle = (low + high) / 2
        within = level(MIDDLE + middle[:, None] * way) < 0.0
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.asarray(MIDDLE + (low + lift)[:, None] * way)
