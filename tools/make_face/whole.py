"""All parts of the face, in place and ready to be written: those the head carries, each eye about its middle, and the
body below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from make_face.features import brows, ears, eyes, hair, neck, teeth, tongue
from make_face.geometry.anatomy import Floats
from make_face.geometry.part import Part, facing_out, joined, mirrored, normals, other_side
from make_face.shapes import targets
from make_face.skin import complexion, flesh


@dataclass(frozen=True)
class Piece:
    """A part with its normals (N, 3), and how each movement turns them, by name (N, 3)."""

    part: Part
    normals: Floats
    turns: dict[str, Floats]


@dataclass(frozen=True)
class Face:
    """Pieces by the node that carries them."""

    face: list[Piece]
    left_eye: list[Piece]
    right_eye: list[Piece]
    head: list[Piece]
    body: list[Piece]


def build() -> Face:
    """All parts of the face."""
    left = [facing_out(eyes.ball()), eyes.glint()]
    right = [mirrored(left[0]), opposite_glint(left[1])]
    brow = facing_out(brows.left())
    moving = [joined([brow, mirrored(brow)]), *map(facing_out, teeth.rows()), facing_out(tongue.tongue())]
    ear = facing_out(ears.left())
    return Face(
        face=[*skin(), *map(plain, moving)],
        left_eye=[plain(part) for part in left],
        right_eye=[plain(part) for part in right],
        head=[plain(joined([ear, mirrored(ear)])), plain(facing_out(hair.cap()))],
        body=[plain(facing_out(part)) for part in neck.parts()],
    )


def opposite_glint(part: Part) -> Part:
    """The right eye's light: at the same place of the eye, as one lamp makes it, not mirrored."""
    moves = {other_side(name): move for name, move in part.moves.items()}
    return Part(part.material, part.points, part.triangles, part.colours, moves)


def skin() -> list[Piece]:
    """Skin, lips and mouth: normals are taken from the whole sheet, so that no edge shows between them."""
    sheet = flesh.build()
    moves = targets.moves(sheet)
    rest = normals(sheet.points, sheet.triangles)
    turns = {name: normals(sheet.points + move, sheet.triangles) - rest for name, move in moves.items()}
    tones = complexion.colours(sheet)
    result = []
    for number, material in enumerate(("skin", "lips", "mouth")):
        triangles = sheet.triangles[sheet.material == number]
        used, renumbered = np.unique(triangles, return_inverse=True)
        here = {name: move[used] for name, move in moves.items()}
        part = Part(material, sheet.points[used], renumbered.reshape(-1, 3), tones[used], here)
        result.append(Piece(part, rest[used], {name: turn[used] for name, turn in turns.items()}))
    return result


def plain(part: Part) -> Piece:
    """A part that stands alone."""
    rest = normals(part.points, part.triangles)
    turns = {name: normals(part.points + move, part.triangles) - rest for name, move in part.moves.items()}
    return Piece(part, rest, turns)
