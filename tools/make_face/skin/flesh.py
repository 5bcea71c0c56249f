"""The skin, the lips, the mouth's inside and the lids as one welded, mirrored sheet, each point with its place in the
face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from make_face.geometry.anatomy import Flags, Floats, Ints
from make_face.geometry.part import grid
from make_face.skin import lids, lips, mouth_bag, skull

SKIN, LIPS, MOUTH = 0, 1, 2


@dataclass(frozen=True)
class Flesh:
    """N points. `twin` (N,): the same point of the other side. `material` (M,) of each triangle: SKIN, LIPS or MOUTH.

    `across`, `above`: cosine and sine of the angle about the mouth: 1, 0 at its left corner, 0, 1 above.
    `reach`: cm outside the red of the lips, 0 on it.
    `over`: 0 on the skin, 0..1 over the lip, 1 where the lips meet, more behind. `fade`: 1, less inside the mouth.
    `left_lid` (rings, columns): points of the left eye's lids; `lash` (N,): 1 at the edge of an upper lid, -1 of a
    lower one. `pairs` (K, 2): points of the upper and the lower lip that touch.
    """

    points: Floats
    triangles: Ints
    material: Ints
    twin: Ints
    across: Floats
    above: Floats
    reach: Floats
    over: Floats
    fade: Floats
    left_lid: Ints
    lash: Floats
    pairs: Ints


@dataclass
class Half:
    """The half with x >= 0 while it grows."""

    points: Floats
    triangles: Ints
    material: Ints
    turn: Floats
    reach: Floats
    over: Floats
    fade: Floats
    lash: Floats

    def add(self, points: Floats, **values: Floats) -> Ints:
        """Append points and say their numbers; what is not given is 0, `fade` is 1."""
        first = len(self.points)
        self.points = np.concatenate([self.points, points])
        for name in ("turn", "reach", "over", "fade", "lash"):
            more = values.get(name, np.full(len(points), 1.0 if name == "fade" else 0.0))
            setattr(self, name, np.concatenate([getattr(self, name), more]))
        return np.arange(first, first + len(points))

    def cover(self, numbers: Ints, material: int, *, closed: bool) -> None:
        """Triangles over a grid of points that are there already. `numbers` (rows, columns)."""
        more = numbers.ravel()[grid(*numbers.shape, closed=closed)]
        self.triangles = np.concatenate([self.triangles, more])
        self.material = np.concatenate([self.material, np.full(len(more), material)])


def build() -> Flesh:
    """The sheet of skin, lips, mouth and lids."""
    half = bare()
    columns = len(lips.TURN)
    red = with_lips(half, np.arange(columns))
    lid = with_lids(half, np.arange(columns, columns + len(lids.TURN)))
    touching = np.stack([red[::-1][: columns // 2], red[: columns // 2]], axis=1)
    return mirror(half, lid, touching)


def bare() -> Half:
    """The skin alone, measured from the red of the lips."""
    points, triangles = skull.half()
    turn, reach = around_mouth(points)
    turn[: len(lips.TURN)] = lips.TURN
    zeros = np.zeros(len(points))
    return Half(points, triangles, np.full(len(triangles), SKIN), turn, reach, zeros, zeros + 1.0, zeros)


def around_mouth(points: Floats) -> tuple[Floats, Floats]:
    """Angle about the mouth and distance from the red; the angle is that of the nearest part of its border, blended."""
    half = lips.border_points()
    rim = np.concatenate([half, half[1:-1] * [-1.0, 1.0, 1.0]])
    around = np.concatenate([lips.TURN, np.pi - lips.TURN[1:-1]])
    gap = np.linalg.norm(points[:, None] - rim[None], axis=-1)
    reach = gap.min(1)
    weight = np.exp(-((gap**2 - reach[:, None] ** 2) / (0.08 + 0.35 * reach[:, None] ** 2)))
    weight /= weight.sum(1, keepdims=True)
    turn = np.arctan2(weight @ np.sin(around), weight @ np.cos(around))
    return np.where(points[:, 0] == 0.0, np.sign(turn) * np.pi / 2, turn), reach


def with_lips(half: Half, rim: Ints) -> Ints:
    """Grow the skin next to the lips, the lips and the mouth's inside from the rim. The numbers of the row where the
    lips meet."""
    around = [rim]
    for row in lips.surround()[1:]:
        around.append(half.add(row, turn=lips.TURN, reach=around_mouth(row)[1]))
    around.append(half.add(lips.border_points(), turn=lips.TURN))
    half.cover(np.stack(around), SKIN, closed=False)
    red = [around[-1]]
    over = [*lips.ACROSS, *(place for *_, place in lips.BEHIND)]
    for row, place in zip(lips.rows()[1:], over[1:], strict=True):
        red.append(half.add(row, turn=lips.TURN, over=np.full(len(row), place)))
    half.cover(np.stack(red), LIPS, closed=False)
    inside = [red[-1]]
    for row, fade in zip(mouth_bag.rows(), mouth_bag.FADE, strict=True):
        inside.append(half.add(row, turn=lips.TURN, over=np.full(len(row), 2.0), fade=np.full(len(row), fade)))
    half.cover(np.stack(inside), MOUTH, closed=False)
    return red[lips.MEETING_ROW]


def with_lids(half: Half, rim: Ints) -> Ints:
    """Grow the lids from the rim. Their numbers (rings, columns)."""
    numbers = [rim]
    side = np.where(np.sin(lids.TURN) > 1e-9, 1.0, -1.0)
    rings = lids.rings()
    for i, ring in enumerate(rings[1:], 1):
        turn, reach = around_mouth(ring)
        lash = side * (i >= len(lids.OUTWARD) - (side > 0))
        numbers.append(half.add(ring, turn=turn, reach=reach, lash=lash))
    grown = np.stack(numbers)
    half.cover(grown, SKIN, closed=True)
    return grown


def mirror(half: Half, lid: Ints, touching: Ints) -> Flesh:
    """Both halves, the middle line shared."""
    middle: Flags = half.points[:, 0] == 0.0
    count = len(half.points)
    copy = np.where(middle, np.arange(count), count + np.cumsum(~middle) - 1)
    total = count + int((~middle).sum())
    twin = np.empty(total, np.intp)
    twin[:count], twin[copy] = copy, np.arange(count)
    flip = np.array([-1.0, 1.0, 1.0])
    other = ~middle

    def both(value: Floats) -> Floats:
        return np.concatenate([value, value[other]])

    return Flesh(
        np.concatenate([half.points, half.points[other] * flip]),
        np.concatenate([half.triangles, copy[half.triangles][:, ::-1]]),
        np.concatenate([half.material, half.material]),
        twin,
        np.concatenate([np.cos(half.turn), -np.cos(half.turn[other])]),
        both(np.sin(half.turn)),
        both(half.reach),
        both(half.over),
        both(half.fade),
        lid,
        both(half.lash),
        np.unique(np.concatenate([touching, copy[touching]]), axis=0),
    )
