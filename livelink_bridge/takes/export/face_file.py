"""Reads the user's face from a glTF file and finds the meshes and the head node that a take can animate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52
from arkit_mapping.takes.csv import Take
from livelink_bridge.errors import BridgeError
from livelink_bridge.takes.export.gltf_parts.file import GltfFile, read_gltf
from livelink_bridge.takes.export.head_turn import UNTURNED, Quaternion, multiplied
from livelink_bridge.takes.export.shape_names import find_shapes, names_seen, shapes_of, target_names, unclear

_DEEPEST = 1000
"""Largest depth of nodes; a deeper file contains a cycle."""
_NAMES_SHOWN = 8
"""Names listed in a message; of further ones it gives the number."""
_NAME_CUT = 40


@dataclass(frozen=True, slots=True)
class AnimatedMesh:
    """A node whose mesh has shapes that a take animates."""

    node: int
    """Index of the node."""
    mesh: int
    """Index of the mesh."""
    names: tuple[str, ...]
    """Names of the morph targets; "" for one without a name."""
    shapes: tuple[str | None, ...]
    """ARKit shape of each morph target; None for the others."""
    defaults: tuple[float, ...]
    """Weight of each morph target in the file."""

    def weights(self, take: Take) -> NDArray[np.float32]:
        """Weights of all targets, row by row: float32 (rows * targets,), in [0, 1] where the take animates them."""
        table = np.tile(np.array(self.defaults, np.float32), (len(take.values), 1))
        for column, shape in enumerate(self.shapes):
            if shape is not None:
                table[:, column] = np.clip(take.values[:, ARKIT_52.index(shape)], 0.0, 1.0)
        return table.reshape(-1)


def read_face(path: Path) -> GltfFile:
    """Read a .glb, .vrm or .gltf with nodes. Raises BridgeError for anything else."""
    face = read_gltf(path)
    if not face.document.get("nodes"):
        raise BridgeError(f"{path} has no nodes, expected a face")
    return face


def animated_meshes(face: GltfFile) -> list[AnimatedMesh]:
    """The nodes whose mesh has at least one morph target that is an ARKit shape."""
    meshes, found = face.document.get("meshes", []), []
    for number, node in enumerate(face.document["nodes"]):
        at = node.get("mesh")
        if at is None or at >= len(meshes):
            continue
        names = target_names(face.document, at)
        shapes = shapes_of(names)
        if any(shapes):
            weights = node.get("weights") or meshes[at].get("weights") or []
            found.append(AnimatedMesh(number, at, tuple(names), shapes, (*weights, *[0.0] * len(names))[: len(names)]))
    return found


def check_primitives(face: GltfFile, meshes: Sequence[AnimatedMesh], whose: str) -> None:
    """Check that all primitives of a mesh (one per material) have as many targets: one track animates them all.

    Parameters
    ----------
    face : the file
    meshes : the meshes to check
    whose : name of the face, for the message

    Raises
    ------
    BridgeError : numbers of targets differ
    """
    for mesh in meshes:
        entry = face.document["meshes"][mesh.mesh]
        counts = {len(primitive.get("targets", [])) for primitive in entry["primitives"]}
        if len(counts) > 1:
            found, name = " and ".join(str(count) for count in sorted(counts)), _quoted(entry.get("name", mesh.mesh))
            raise BridgeError(f"{whose}: parts of mesh {name} have {found} morph targets, expected as many in each")


def write_names(face: GltfFile, meshes: Sequence[AnimatedMesh]) -> None:
    """Name every target of the meshes in `mesh.extras.targetNames`, which all programs read; three.js needs all names
    or none.

    Existing names stay, those of primitives or accessors are copied, and targets without a name get `target_3`.
    """
    for mesh in meshes:
        entry = face.document["meshes"][mesh.mesh]
        extras = entry.setdefault("extras", {})
        if not isinstance(extras, dict):
            continue
        there = extras.get("targetNames")
        if (
            not isinstance(there, list)
            or len(there) != len(mesh.names)
            or not all(isinstance(name, str) and name for name in there)
        ):
            extras["targetNames"] = [name or f"target_{number}" for number, name in enumerate(mesh.names)]


def why_none(face: GltfFile, whose: str) -> str:
    """Error message for a face without a usable shape, with the names found; `whose` is the name of the face."""
    problem = f"{whose} has none of the 52 ARKit shapes as a named morph target"
    names = names_seen(face.document)
    for ambiguous in unclear_shapes(face, whose):
        return f"{problem} that is clear: {ambiguous.removeprefix(f'{whose}: ')}"
    if find_shapes(face.document):
        return f"{problem} on a node: its meshes have shapes, but no node shows them"
    if not names:
        return f"{problem}, expected names such as jawOpen; it names no morph targets at all"
    rest = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"{problem}, expected names such as jawOpen; it has {', '.join(map(_quoted, names[:_NAMES_SHOWN]))}{rest}"


def unclear_shapes(face: GltfFile, whose: str) -> Iterator[str]:
    """A message for each shape that several targets of one mesh match equally well and that is not animated
    therefore; `whose` is the name of the face."""
    for mesh in range(len(face.document.get("meshes", []))):
        for shape, names in unclear(target_names(face.document, mesh)).items():
            both = " and ".join(map(_quoted, names[:2]))
            yield f"{whose}: {shape} is not animated, as both {both} match it; rename one"


def head_of(face: GltfFile) -> int | None:
    """The node to rotate as the head: a VRM's own, else one named Head, after any colon; None where a matrix places
    it."""
    nodes = face.document["nodes"]
    named = (
        number for number, node in enumerate(nodes) if str(node.get("name") or "").rpartition(":")[2].lower() == "head"
    )
    for number in (*_vrm_head(face.document), *named):
        if number < len(nodes) and "matrix" not in nodes[number]:
            return number
    return None


def looks_back(face: GltfFile) -> bool:
    """Whether the face looks along -Z, as in VRM 0; all others look along +Z."""
    return "VRM" in _extensions(face.document)


def rest_rotation(face: GltfFile, node: int) -> tuple[Quaternion, Quaternion]:
    """Combined rotation of a node's ancestors, and its own rotation, float64 (4,) x, y, z, w each. Scale and the
    rotation of a matrix are ignored."""
    nodes = face.document["nodes"]
    parents = {child: number for number, parent in enumerate(nodes) for child in parent.get("children", [])}
    above, at = UNTURNED, parents.get(node)
    for _ in range(_DEEPEST):
        if at is None:
            break
        above = multiplied(_own(nodes[at]), above)
        at = parents.get(at)
    return above, _own(nodes[node])


def _own(node: dict[str, Any]) -> Quaternion:
    return np.array(node["rotation"], np.float64) if "rotation" in node else UNTURNED


def _vrm_head(document: dict[str, Any]) -> Iterator[int]:
    """The bone that a VRM calls head: 1 in VRMC_vrm, 0 in VRM."""
    extensions = _extensions(document)
    bones = _inside(_inside(extensions.get("VRMC_vrm"), "humanoid"), "humanBones")
    candidates = [_inside(bones, "head")] if isinstance(bones, dict) else []
    old = _inside(_inside(extensions.get("VRM"), "humanoid"), "humanBones")
    candidates += [bone for bone in old if _inside(bone, "bone") == "head"] if isinstance(old, list) else []
    for bone in candidates:
        node = _inside(bone, "node")
        if isinstance(node, int) and node >= 0:
            yield node


def _extensions(document: dict[str, Any]) -> dict[str, Any]:
    extensions = document.get("extensions")
    return extensions if isinstance(extensions, dict) else {}


def _inside(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _quoted(name: Any) -> str:
    """A name for a message: in quotes, on one line, shortened."""
    text = str(name)
    return repr(text if len(text) <= _NAME_CUT else f"{text[: _NAME_CUT - 3]}...")
