"""Two rows of rounded teeth in their gums: the upper one stays, the lower one moves with the jaw."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import MOUTH, Floats
from make_face.geometry.fields import hinge, smooth
from make_face.geometry.part import Part, circle, grid, joined, linear, painted

UPPER_WIDTHS = (0.56, 0.46, 0.48, 0.46, 0.46, 0.5)
LOWER_WIDTHS = (0.38, 0.4, 0.44, 0.44, 0.46)
UPPER_EDGE, LOWER_EDGE = -0.2, -0.1
"""Height of the biting edges from the line between the lips."""
UPPER_FRONT, LOWER_FRONT = 6.9, 6.5
"""z of the middle teeth."""
TALL, THICK = 1.0, 0.42
ROWS, COLUMNS = 7, 10
WITHDRAWN = {"mouthPucker": (0.6, 0.6), "mouthFunnel": (0.35, 0.42)}
"""How far back and apart teeth go as the lips come forward, cm: no light falls on them there, so they must not be
seen."""


def rows() -> list[Part]:
    """Both rows of teeth with their gums, and their movements."""
    upper = [*row(UPPER_WIDTHS, UPPER_FRONT, UPPER_EDGE, 1.0)]
    lower = [*row(LOWER_WIDTHS, LOWER_FRONT, LOWER_EDGE, -1.0)]
    upper, lower = [withdrawn(part, 1.0) for part in upper], [withdrawn(part, -1.0) for part in lower]
    gums = [withdrawn(gum(UPPER_FRONT, UPPER_EDGE, 1.0), 1.0), withdrawn(gum(LOWER_FRONT, LOWER_EDGE, -1.0), -1.0)]
    return [joined(upper + lower), joined(gums)]


def withdrawn(part: Part, up: float) -> Part:
    """The piece with its movements: the lower ones follow the jaw, all stay behind when the lips are pushed out."""
    moves = hinge(part.points) if up < 0 else {}
    if up < 0:
        moves["tongueOut"] = np.tile([0.0, -0.8, 0.0], (len(part.points), 1))
        moves["jawForward"] = 0.5 * moves["jawForward"]
    for name, (back, apart) in WITHDRAWN.items():
        moves[name] = np.tile([0.0, up * apart, -back], (len(part.points), 1))
    return Part(part.material, part.points, part.triangles, part.colours, moves)


def arch(along: Floats, ahead: float) -> tuple[Floats, Floats]:
    """Place and heading of the row at a length from its middle, cm: (N, 2) of x and z, (N,) the angle of its outside
    from the front."""
    fine = np.linspace(-2.2, 2.2, 801)
    curve = np.stack([fine, ahead - 0.34 * np.abs(fine) ** 2.15], axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    length -= np.interp(0.0, fine, length)
    place = np.stack([np.interp(along, length, curve[:, axis]) for axis in (0, 1)], axis=1)
    slope = np.gradient(curve[:, 1], fine)
    return place, np.arctan(-np.interp(along, length, slope))


def row(widths: tuple[float, ...], ahead: float, edge: float, up: float) -> list[Part]:
    """All teeth of one row; `up` 1 for teeth that hang, -1 for teeth that stand."""
    ends = np.cumsum([0.0, *widths])
    middles = (ends[1:] + ends[:-1]) / 2
    result = []
    for i, (width, middle) in enumerate(zip(widths, middles, strict=True)):
        short = 0.04 if i == 1 else 0.02 * max(i - 1, 0)
        for side in (1.0, -1.0):
            result.append(tooth(width, side * middle, ahead, MOUTH[1] + edge + up * short, up))
    return result


def tooth(width: float, along: float, ahead: float, edge: float, up: float) -> Part:
    """A rounded block, its biting edge at height `edge`."""
    place, heading = arch(np.array([along]), ahead)
    polar, turn = np.meshgrid(np.linspace(0.02, np.pi - 0.02, ROWS), circle(COLUMNS), indexing="ij")
    box = [power(np.sin(polar)) * power(np.cos(turn)), power(np.cos(polar)), power(np.sin(polar)) * power(np.sin(turn))]
    x, y, z = (axis.ravel() for axis in box)
    x, y, z = x * width * 0.53, edge + up * TALL / 2 * (1 + y * up), z * THICK / 2
    c, s = np.cos(heading[0]), np.sin(heading[0])
    points = np.stack([place[0, 0] + c * x + s * z, y, place[0, 1] - s * x + c * z], axis=1)
    shade = np.clip((np.abs(points[:, 1] - edge)) / TALL, 0.0, 1.0)[:, None]
    colours = linear("#f3eee4") * (1 - 0.3 * shade) + 0.3 * shade * linear("#d8c4aa")
    colours = colours * (0.62 + 0.38 * smooth(points[:, 2], ahead - 1.9, ahead - 0.2))[:, None]
    return Part("teeth", points, grid(ROWS, COLUMNS, closed=True)[:, ::-1], colours)


def power(value: Floats) -> Floats:
    """A ball made more like a box."""
    return np.asarray(np.sign(value) * np.abs(value) ** 0.5)


def gum(ahead: float, edge: float, up: float) -> Part:
    """A roll of flesh in which the teeth stand."""
    along = np.linspace(-3.2, 3.2, 25)
    turn = circle(10)
    place, heading = arch(along, ahead - 0.1)
    out = np.stack([np.sin(heading), np.cos(heading)], axis=1)
    flat = place[:, None] + 0.36 * np.cos(turn)[None, :, None] * out[:, None]
    high = np.broadcast_to(MOUTH[1] + edge + up * 1.12 + 0.42 * np.sin(turn), (25, 10))
    points = np.stack([flat[..., 0], high, flat[..., 1]], axis=-1).reshape(-1, 3)
    return Part("gums", points, grid(25, 10, closed=True), painted(len(points), linear("#b5535a")))
