"""One piece of the face: points, triangles, colours, and how each blend shape moves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from make_face.geometry.anatomy import Floats, Ints


@dataclass(frozen=True)
class Part:
    """`points` (N, 3) in cm, `triangles` (M, 3) anticlockwise from outside, `colours` (N, 3) linear, 0..1.

    `moves`: by ARKit name, (N, 3) in cm at full weight; a name that is not there moves nothing.
    """

    material: str
    points: Floats
    triangles: Ints
    colours: Floats
    moves: dict[str, Floats] = field(default_factory=dict)


def grid(rows: int, columns: int, *, closed: bool) -> Ints:
    """Triangles of a grid of points, row by row; `closed` joins the last column to the first. Outside is where columns
    go anticlockwise and later rows are inside."""
    across = columns if closed else columns - 1
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(across), indexing="ij")
    a = (row * columns + column).ravel()
    b = (row * columns + (column + 1) % columns).ravel()
    return np.concatenate([np.stack([a, b, b + columns], 1), np.stack([a, b + columns, a + columns], 1)])


def circle(count: int) -> Floats:
    """(count,): even angles once around, from 0, radians."""
    return np.asarray(np.arange(count) * (2.0 * np.pi / count), np.float64)


def painted(count: int, colour: Sequence[float] | Floats) -> Floats:
    """(count, 3): one colour for all."""
    return np.tile(np.asarray(colour, float), (count, 1))


def linear(hexadecimal: str) -> Floats:
    """(3,): `#c08060`, as screens write it, in linear light (IEC 61966-2-1)."""
    value = np.array([int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def normals(points: Floats, triangles: Ints) -> Floats:
    """(N, 3): unit normals, each triangle counted by its area; up where a point has none."""
    corners = points[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(points)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], faces)
    size = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(size > 1e-12, total / np.maximum(size, 1e-12), np.array([0.0, 1.0, 0.0]))


def mirrored(part: Part) -> Part:
    """The same piece on the other side of the face, moved by the other side's blend shapes."""
    flip = np.array([-1.0, 1.0, 1.0])
    moves = {other_side(name): move * flip for name, move in part.moves.items()}
    return Part(part.material, part.points * flip, part.triangles[:, ::-1], part.colours, moves)


def other_side(name: str) -> str:
    """mouthSmileLeft -> mouthSmileRight and back; a name without a side stays."""
    for ending, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(ending):
            return name.removesuffix(ending) + other
    return name


def joined(parts: Sequence[Part]) -> Part:
    """Several pieces of one material as one."""
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    names = [name for part in parts for name in part.moves]
    moves = {
        name: np.concatenate([part.moves.get(name, 0.0 * part.points) for part in parts])
        for name in dict.fromkeys(names)
    }
    return Part(
        parts[0].material,
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.triangles + start for part, start in zip(parts, starts[:-1], strict=True)]),
        np.concatenate([part.colours for part in parts]),
        moves,
    )


def facing_out(part: Part) -> Part:
    """The piece with its triangles turned so that it holds a positive volume."""
    corners = part.points[part.triangles] - part.points.mean(0)
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return part if volume > 0 else Part(part.material, part.points, part.triangles[:, ::-1], part.colours, part.moves)
