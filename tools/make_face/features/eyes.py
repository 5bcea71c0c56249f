"""The left eye about its own middle: white, iris and pupil by rings of colour, and a small highlight that stays when
the eye turns."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import EYE_RADIUS, Floats
from make_face.geometry.fields import turned
from make_face.geometry.part import Part, circle, grid, linear, painted

WHITE, EDGE, PUPIL = "#f4f1ec", "#2b2a33", "#0b0a0d"
IRIS = ("#3b5a63", "#5f8f96", "#86b7b4")
RINGS: tuple[tuple[float, str], ...] = (
    (0.0, PUPIL),
    (7.0, PUPIL),
    (12.0, PUPIL),
    (13.0, IRIS[0]),
    (17.0, IRIS[1]),
    (21.5, IRIS[2]),
    (25.0, IRIS[1]),
    (27.4, IRIS[0]),
    (28.3, EDGE),
    (29.5, EDGE),
    (30.8, WHITE),
    (36.0, WHITE),
    (44.0, WHITE),
    (55.0, "#ece4de"),
    (70.0, "#d9c6c0"),
    (100.0, "#c9aea8"),
)
"""Angle from the middle of the pupil, degrees, and colour."""
COLUMNS = 36
TURNS = {
    "eyeLookUpLeft": (0, -24.0),
    "eyeLookDownLeft": (0, 26.0),
    "eyeLookOutLeft": (1, 25.0),
    "eyeLookInLeft": (1, -25.0),
}
"""Axis (0 x, 1 y) and degrees."""
SINKS = {"eyeBlinkLeft": 0.3, "eyeSquintLeft": 0.1}
"""How far the eye moves back, cm, so that a half shut lid, which moves straight, stays in front of it."""
GLINT_AT, GLINT_WIDE = (-11.0, 13.0), 4.2
"""Degrees to the character's left and up; half its width."""


def ball() -> Part:
    """The eyeball about (0, 0, 0)."""
    around = circle(COLUMNS)
    angle = np.radians([degrees for degrees, _ in RINGS])[::-1]
    points = np.stack([shell(np.full_like(around, a), around) for a in angle]).reshape(-1, 3)
    colours = np.repeat([linear(colour) for _, colour in RINGS[::-1]], COLUMNS, axis=0)
    moves = {
        name: turned(points, np.zeros(3), np.radians(degrees), axis) - points for name, (axis, degrees) in TURNS.items()
    }
    return Part("eye", points, grid(len(RINGS), COLUMNS, closed=True), colours, moves | sunk(points))


def shell(angle: Floats, around: Floats) -> Floats:
    """(..., 3): points of the eyeball at these angles from its axis and around it, radians."""
    return EYE_RADIUS * np.stack(
        [np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), np.cos(angle)], axis=-1
    )


def glint() -> Part:
    """A white spot just before the eyeball; it sinks with it and does not turn."""
    around = circle(16)
    disc = np.concatenate(
        [np.radians(GLINT_WIDE) * np.stack([np.cos(around), 1.15 * np.sin(around)], 1), np.zeros((16, 2))]
    )
    x, y = (np.sin(disc + np.radians(GLINT_AT))).T
    points = (EYE_RADIUS + 0.03) * np.stack([x, y, np.sqrt(1.0 - x * x - y * y)], axis=1)
    return Part("glint", points, grid(2, 16, closed=True), painted(32, (1.0, 1.0, 1.0)), sunk(points))


def sunk(points: Floats) -> dict[str, Floats]:
    """By name, (N, 3): the movements of points that sink with the eye."""
    return {name: np.tile([0.0, 0.0, -deep], (len(points), 1)) for name, deep in SINKS.items()}
