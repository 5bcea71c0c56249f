"""Writes pieces as a glTF 2.0 binary. Movements are sparse: only points that move are written, all others are zero.

Source: glTF 2.0 specification, sections 3.6.2.3 (sparse accessors), 3.7.2.2 (morph targets); viewers read the targets'
names from `extras.targetNames`, by convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pygltflib as gltf
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52
from make_face.geometry.anatomy import EYE, NECK_PIVOT, Floats
from make_face.materials import MATERIALS, NAMES
from make_face.whole import Face, Piece

METRES = 0.01
"""Metres in a centimetre."""
LEAST_TURN = 0.03
"""A normal that turns less than this (length of the difference) is left as it is."""


class Binary:
    """The file's one buffer and its accessors."""

    def __init__(self) -> None:
        self.document = gltf.GLTF2(asset=gltf.Asset(version="2.0", generator="make_face"), materials=MATERIALS)
        self.data = bytearray()
        self.zeros: dict[int, int] = {}

    def view(self, values: NDArray[Any], target: int | None = None) -> int:
        """Append an array; the number of its view."""
        self.data += b"\0" * (-len(self.data) % 4)
        raw = values.tobytes()
        self.document.bufferViews.append(
            gltf.BufferView(buffer=0, byteOffset=len(self.data), byteLength=len(raw), target=target)
        )
        self.data += raw
        return len(self.document.bufferViews) - 1

    def accessor(self, **fields: Any) -> int:
        """Append an accessor; its number."""
        if "bufferView" not in fields:
            fields["byteOffset"] = None  # pygltflib's default, 0, is an error where there is no view (section 5.1.2)
        self.document.accessors.append(gltf.Accessor(**fields))
        return len(self.document.accessors) - 1

    def vectors(self, values: Floats) -> int:
        """float32 VEC3 of every point, with its bounds."""
        short = values.astype(np.float32)
        where = self.view(short, gltf.ARRAY_BUFFER)
        return self.accessor(
            bufferView=where, componentType=gltf.FLOAT, count=len(short), type=gltf.VEC3, **bounds(short)
        )

    def colours(self, values: Floats) -> int:
        """Linear colours in 16 bits, with a fourth value of one: rows stay on 4-byte places."""
        full = np.concatenate([np.clip(values, 0.0, 1.0), np.ones((len(values), 1))], axis=1)
        where = self.view((full * 65535).round().astype(np.uint16), gltf.ARRAY_BUFFER)
        return self.accessor(
            bufferView=where, componentType=gltf.UNSIGNED_SHORT, normalized=True, count=len(full), type=gltf.VEC4
        )

    def triangles(self, values: NDArray[np.intp]) -> int:
        """uint16 indices of triangles (M, 3); the accessor's number."""
        where = self.view(values.astype(np.uint16).ravel(), gltf.ELEMENT_ARRAY_BUFFER)
        return self.accessor(bufferView=where, componentType=gltf.UNSIGNED_SHORT, count=values.size, type=gltf.SCALAR)

    def sparse(self, values: Floats | None, count: int) -> int:
        """float32 VEC3 that is zero but for the rows given as non-zero."""
        rows = np.flatnonzero(values.any(axis=1)) if values is not None else np.empty(0, np.intp)
        if values is None or not len(rows):
            return self.nothing(count)
        short = values[rows].astype(np.float32)
        few = gltf.Sparse(
            count=len(rows),
            indices=gltf.AccessorSparseIndices(
                bufferView=self.view(rows.astype(np.uint16)), componentType=gltf.UNSIGNED_SHORT
            ),
            values=gltf.AccessorSparseValues(bufferView=self.view(short)),
        )
        limits = np.concatenate([short, np.zeros((min(1, count - len(rows)), 3), np.float32)])
        return self.accessor(componentType=gltf.FLOAT, count=count, type=gltf.VEC3, sparse=few, **bounds(limits))

    def nothing(self, count: int) -> int:
        """All zero: an accessor without data."""
        if count not in self.zeros:
            flat = [0.0, 0.0, 0.0]
            self.zeros[count] = self.accessor(componentType=gltf.FLOAT, count=count, type=gltf.VEC3, min=flat, max=flat)
        return self.zeros[count]

    def primitive(self, piece: Piece, *, moving: bool) -> gltf.Primitive:
        """One piece with its colours and material, and with its 52 morph targets if it is `moving`."""
        part, count = piece.part, len(piece.part.points)
        places, normals = self.vectors(part.points * METRES), self.vectors(piece.normals)
        attributes = gltf.Attributes(POSITION=places, NORMAL=normals, COLOR_0=self.colours(part.colours))
        targets = [self.target(piece, name, count) for name in ARKIT_52] if moving else []
        triangles, material = self.triangles(part.triangles), NAMES.index(part.material)
        return gltf.Primitive(attributes=attributes, indices=triangles, material=material, targets=targets)

    def target(self, piece: Piece, name: str, count: int) -> dict[str, int]:
        """Accessors of one morph target: POSITION in metres and NORMAL, both as differences."""
        move, turn = piece.part.moves.get(name), piece.turns.get(name)
        if turn is not None:
            turn = np.where(np.linalg.norm(turn, axis=1, keepdims=True) < LEAST_TURN, 0.0, turn)
        return {
            "POSITION": self.sparse(None if move is None else move * METRES, count),
            "NORMAL": self.sparse(turn, count),
        }

    def mesh(self, name: str, pieces: Sequence[Piece], *, moving: bool) -> int:
        """Append a mesh of pieces; its number."""
        mesh = gltf.Mesh(name=name, primitives=[self.primitive(piece, moving=moving) for piece in pieces])
        if moving:
            mesh.weights, mesh.extras = [0.0] * len(ARKIT_52), {"targetNames": list(ARKIT_52)}
        self.document.meshes.append(mesh)
        return len(self.document.meshes) - 1

    def node(self, name: str, at: Floats, **fields: Any) -> int:
        """Append a node at a place in cm; its number."""
        self.document.nodes.append(
            gltf.Node(name=name, translation=[float(value) for value in (at * METRES).round(9)], **fields)
        )
        return len(self.document.nodes) - 1

    def finished(self) -> bytes:
        """The bytes of the file."""
        self.data += b"\0" * (-len(self.data) % 4)
        self.document.buffers.append(gltf.Buffer(byteLength=len(self.data)))
        self.document.set_binary_blob(bytes(self.data))
        return b"".join(self.document.save_to_bytes())


def bounds(values: NDArray[np.float32]) -> dict[str, list[float]]:
    """Least and largest value of each column, as an accessor wants them."""
    return {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}


def encoded(face: Face) -> bytes:
    """The file: a head that turns about the neck and carries the face, two eyes and the hair, and a body that stays."""
    binary = Binary()
    right = EYE * [-1.0, 1.0, 1.0]
    carried = [
        binary.node("face", -NECK_PIVOT, mesh=binary.mesh("face", face.face, moving=True)),
        binary.node("eyeLeft", EYE - NECK_PIVOT, mesh=binary.mesh("eyeLeft", face.left_eye, moving=True)),
        binary.node("eyeRight", right - NECK_PIVOT, mesh=binary.mesh("eyeRight", face.right_eye, moving=True)),
        binary.node("hair", -NECK_PIVOT, mesh=binary.mesh("hair", face.head, moving=False)),
    ]
    head = binary.node("head", NECK_PIVOT, children=carried)
    body = binary.node("body", np.zeros(3), mesh=binary.mesh("body", face.body, moving=False))
    root = binary.node("root", np.zeros(3), children=[body, head])
    binary.document.scenes, binary.document.scene = [gltf.Scene(name="face", nodes=[root])], 0
    return binary.finished()
