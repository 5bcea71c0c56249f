"""A face of the user's: what in a .glb can follow a take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pygltflib import GLTF2

from arkit_mapping.channels import ARKIT_52, SHAPE_COUNT
from arkit_mapping.takes import Take
from livelink_bridge.errors import BridgeError
from livelink_bridge.export.head_turn import UNTURNED, Quaternion, multiplied

_LARGEST_FACE = 1 << 30
_MAGIC = b"glTF\x02\x00\x00\x00"
_DEEPEST = 1000
"""Nodes from a root down; a file that says more goes round in circles."""


@dataclass(frozen=True, slots=True)
class AnimatedMesh:
    """A node whose mesh has shapes that a take moves."""

    node: int
    shapes: tuple[str | None, ...]
    """For each morph target the ARKit name it stands for; None where it stands for none."""
    resting: tuple[float, ...]
    """What each is where no take moves it."""

    def weights(self, take: Take) -> NDArray[np.float32]:
        """All targets' weights, row after row: float32 (rows * targets,), in [0, 1] where the take moves them."""
        table = np.tile(np.array(self.resting, np.float32), (len(take.values), 1))
        for column, shape in enumerate(self.shapes):
            if shape is not None:
                table[:, column] = np.clip(take.values[:, ARKIT_52.index(shape)], 0.0, 1.0)
        return table.reshape(-1)


def read_face(path: Path) -> GLTF2:
    """The document in a .glb that keeps its data in itself. Raises BridgeError for anything else."""
    content = _content(path)
    if content[: len(_MAGIC)] != _MAGIC:
        raise BridgeError(f"{path} is not a binary glTF 2.0 file, expected a .glb")
    said = int.from_bytes(content[8:12], "little")
    if len(content) < said:
        raise BridgeError(f"{path} is cut off: got {len(content)} bytes, expected {said}")
    try:
        document = GLTF2.load_from_bytes(content)
        named = [(node.mesh, node.children, node.name) for node in document.nodes]
    except Exception as error:  # on damaged files the library lets through whatever its readers raise
        raise BridgeError(f"{path} cannot be read as glTF: {type(error).__name__}: {error}") from error
    if not named:
        raise BridgeError(f"{path} has no nodes, expected a face")
    if document.buffers and document.buffers[0].uri is not None:
        raise BridgeError(f"{path} keeps its data outside of itself, expected all of it in the .glb; export it so")
    return document


def animated_meshes(document: GLTF2) -> list[AnimatedMesh]:
    """The nodes with a mesh of named morph targets of which at least one is an ARKit shape."""
    found = []
    for number, node in enumerate(document.nodes):
        if node.mesh is None or not 0 <= node.mesh < len(document.meshes):
            continue
        mesh = document.meshes[node.mesh]
        names = _target_names(mesh)
        shapes = tuple(_shape(name) for name in names)
        if any(shapes):
            weights = getattr(node, "weights", None) or mesh.weights or []
            found.append(AnimatedMesh(number, shapes, (*weights, *[0.0] * len(names))[: len(names)]))
    return found


def head_of(document: GLTF2) -> int | None:
    """The node that turns the head: named Head, whatever stands before a colon. None where there is none, or it has a matrix."""
    for number, node in enumerate(document.nodes):
        if str(node.name or "").rpartition(":")[2].lower() == "head" and node.matrix is None:
            return number
    return None


def rest_rotation(document: GLTF2, node: int) -> tuple[Quaternion, Quaternion]:
    """How all above a node turn it, and its own rotation, float64 (4,) x, y, z, w each. Scale is left out, and so is a matrix's turn."""
    parents = {child: number for number, parent in enumerate(document.nodes) for child in parent.children or []}
    above, at = UNTURNED, parents.get(node)
    for _ in range(_DEEPEST):
        if at is None:
            break
        above = multiplied(_own(document, at), above)
        at = parents.get(at)
    return above, _own(document, node)


def _own(document: GLTF2, node: int) -> Quaternion:
    rotation = document.nodes[node].rotation
    return UNTURNED if rotation is None else np.array(rotation, np.float64)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FACE:
            raise BridgeError(f"{path} is larger than {_LARGEST_FACE >> 20} MB, expected a face")
        return path.read_bytes()
    except FileNotFoundError:
        raise BridgeError(f"{path}: no such file") from None
    except OSError as error:
        raise BridgeError(f"{path} cannot be read: {error.strerror}") from error


def _target_names(mesh: Any) -> list[str]:
    """The names of a mesh's morph targets, as many as it has; empty where it has none or does not name them."""
    names = (mesh.extras or {}).get("targetNames") if isinstance(mesh.extras, dict) else None
    count = max((len(primitive.targets or []) for primitive in mesh.primitives), default=0)
    if not isinstance(names, list) or not count:
        return []
    return [str(name) for name in (*names, *[""] * count)][:count]


def _shape(name: str) -> str | None:
    """`blendShape1.eyeBlink_L` -> `eyeBlinkLeft`: letter case, what stands before a dot, and how sides are written do not matter."""
    plain = name.rpartition(".")[2].rpartition(":")[2].lower()
    for short, side in (("_l", "left"), ("_r", "right")):
        if plain.endswith(short):
            plain = plain.removesuffix(short) + side
    return _BY_PLAIN.get(plain.replace("_", "").replace(" ", ""))


_BY_PLAIN = {name.lower(): name for name in ARKIT_52[:SHAPE_COUNT]}
