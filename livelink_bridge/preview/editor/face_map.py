"""Which morph targets of a face the channels move. Computed here, by the rule of the export, so that the browser need
not know names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from arkit_mapping.channels import ARKIT_52
from livelink_bridge.errors import BridgeError
from livelink_bridge.takes.export.face_file import head_of, looks_back, read_face, unclear_shapes, why_none
from livelink_bridge.takes.export.gltf_parts.file import GltfFile
from livelink_bridge.takes.export.shape_names import find_shapes, shape_of


class Move(NamedTuple):
    """One morph target that follows one channel."""

    mesh: int
    """Of the document."""
    target: int
    channel: int
    """0 to 51, in wire order."""
    weight: float
    """What the target is at the channel's 1, 0 to 1."""


@dataclass(frozen=True, slots=True)
class FaceMap:
    """Which morph targets follow which channels, which node turns with the head, and which way the face looks."""

    moves: tuple[Move, ...]
    head: int | None
    """A node; None where none is one."""
    looks_back: bool
    """Whether it looks along -Z, as VRM 0 has it; others look along +Z."""
    extensions: tuple[str, ...] = ()
    """What of glTF's extensions the file uses: some need decoders."""
    notes: tuple[str, ...] = ()
    """What the user should know, a sentence each."""

    def json(self) -> dict[str, Any]:
        """As sent to the browser: `moves` is a list of [mesh, target, channel, weight]."""
        moves = [list(move) for move in self.moves]
        return {"moves": moves, "head": self.head, "back": self.looks_back, "extensions": list(self.extensions)}


def face_map(path: Path) -> FaceMap:
    """The map of a .glb or .vrm. Raises BridgeError for a file that is none, or has none of the 52 shapes."""
    face = read_face(path)
    found = find_shapes(face.document)
    named = [
        Move(mesh, target, ARKIT_52.index(shape), 1.0) for shape, places in found.items() for mesh, target in places
    ]
    known = {move.channel for move in named}
    moves = (*named, *(move for move in vrm_moves(face) if move.channel not in known))
    if not moves:
        raise BridgeError(why_none(face, path.name))
    used = tuple(name for name in face.document.get("extensionsUsed", []) if isinstance(name, str))
    notes = tuple(_notes(face, path.name, {move.channel for move in moves}))
    return FaceMap(moves, head_of(face), looks_back(face), used, notes)


def vrm_moves(face: GltfFile) -> Iterator[Move]:
    """What a VRM's expressions move that are called as shapes are ("Perfect Sync"), of VRM 1 and of VRM 0."""
    document = face.document
    for name, binds in (*_expressions(document), *_groups(document)):
        shape = shape_of(name)
        if shape is None:
            continue
        for mesh, target, weight in binds:
            if _has_target(document, mesh, target):
                yield Move(mesh, target, ARKIT_52.index(shape), min(max(weight, 0.0), 1.0))


Binds = list[tuple[int, int, float]]
"""Mesh, morph target and weight in [0, 1]."""


def _expressions(document: dict[str, Any]) -> Iterator[tuple[str, Binds]]:
    """VRM 1: expressions by name, bound to nodes."""
    expressions = _dict(_dict(_dict(document.get("extensions")).get("VRMC_vrm")).get("expressions"))
    nodes = document.get("nodes", [])
    for kind in ("preset", "custom"):
        for name, expression in _dict(expressions.get(kind)).items():
            yield (
                name,
                [
                    (
                        _whole(nodes[bind["node"]].get("mesh")),
                        _whole(bind.get("index")),
                        _number(bind.get("weight"), 1.0),
                    )
                    for bind in _dicts(_dict(expression).get("morphTargetBinds"))
                    if 0 <= _whole(bind.get("node")) < len(nodes)
                ],
            )


def _groups(document: dict[str, Any]) -> Iterator[tuple[str, Binds]]:
    """VRM 0: groups with a name, bound to meshes, in percent."""
    master = _dict(_dict(_dict(document.get("extensions")).get("VRM")).get("blendShapeMaster"))
    for group in _dicts(master.get("blendShapeGroups")):
        yield (
            str(group.get("name", "")),
            [
                (_whole(bind.get("mesh")), _whole(bind.get("index")), _number(bind.get("weight"), 100.0) / 100)
                for bind in _dicts(group.get("binds"))
            ],
        )


def _notes(face: GltfFile, name: str, found: set[int]) -> Iterator[str]:
    missing = [shape for channel, shape in enumerate(ARKIT_52) if channel not in found]
    if missing:
        yield f"{name} lacks {len(missing)} of the 52 shapes: {', '.join(missing)}."
    for doubtful in unclear_shapes(face, name):
        yield f"{doubtful}."


def _has_target(document: dict[str, Any], mesh: int, target: int) -> bool:
    meshes = document.get("meshes", [])
    counts = (
        [len(primitive.get("targets", [])) for primitive in meshes[mesh]["primitives"]]
        if 0 <= mesh < len(meshes)
        else []
    )
    return 0 <= target < max(counts, default=0)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _whole(value: Any) -> int:
    """An index; -1 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _number(value: Any, missing: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else missing
