"""Exports a take as a glTF 2.0 animation (.glb): morph target weights and the head's rotation, on the built-in mask or
on the user's face.

Rules that importers enforce (glTF 2.0 specification, sections 3.6 accessors and buffer views, 3.7.2.2 morph targets,
3.11 animations): accessors start on multiples of four bytes; positions and an animation's times give their min and max;
a weights track has rows x targets values; rotations are unit quaternions x, y, z, w; targets are named in the mesh's
`extras.targetNames`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52, SHAPE_COUNT
from arkit_mapping.takes.csv import Take
from arkit_mapping.takes.edit import resample
from livelink_bridge.errors import BridgeError
from livelink_bridge.takes.export.atomic import Progress, ignored
from livelink_bridge.takes.export.face_file import (
    AnimatedMesh,
    animated_meshes,
    check_primitives,
    head_of,
    looks_back,
    read_face,
    rest_rotation,
    unclear_shapes,
    why_none,
    write_names,
)
from livelink_bridge.takes.export.gltf_parts.face_mesh import placeholder
from livelink_bridge.takes.export.gltf_parts.file import GltfFile
from livelink_bridge.takes.export.head_turn import HALF_TURN, in_parent, rotations, seen_from
from livelink_bridge.version import __version__

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_SKIN = [0.8, 0.62, 0.52, 1.0]
_LARGEST_TRACKS = 1 << 30
"""Bytes of all weights."""
_UNCLEAR_SHOWN = 5
"""Largest number of notes on shapes that several targets match."""


def animated_face(
    take: Take, face: Path | None = None, *, name: str = "take", on_progress: Progress = ignored
) -> tuple[bytes, list[str]]:
    """Encode a take as .glb. Everything in a face file is preserved; only the animation and the targets' names are
    added.

    Parameters
    ----------
    take : resampled to even rows at its rate
    face : a .glb, .vrm or .gltf with named morph targets; None is the built-in mask
    name : of the animation
    on_progress : receives the part done, 0 to 1

    Returns
    -------
    glb : the file
    notes : for the user, one line each

    Raises
    ------
    BridgeError : the face cannot be read or preserved completely, or has none of the 52 shapes
    """
    even = resample(take, take.rate)
    on_progress(0.3)
    file = read_face(face) if face else _mask()
    notes = _animate(file, even, name, str(face) if face else "the built-in face")
    on_progress(0.7)
    return file.to_glb(), notes


@dataclass(frozen=True, slots=True)
class _Track:
    """Values of one animated property of a node."""

    node: int
    path: str
    values: NDArray[np.float32]


def _animate(file: GltfFile, take: Take, name: str, whose: str) -> list[str]:
    """Add one animation with every track that the take and this face have in common; returns the notes."""
    meshes = animated_meshes(file)
    if not meshes:
        raise BridgeError(why_none(file, whose))
    check_primitives(file, meshes, whose)
    _check_size(meshes, take, whose)
    write_names(file, meshes)
    tracks = [_Track(mesh.node, "weights", mesh.weights(take)) for mesh in meshes]
    notes = [*_missing(meshes, whose), *list(unclear_shapes(file, whose))[:_UNCLEAR_SHOWN]]
    if take.values[:, SHAPE_COUNT : SHAPE_COUNT + 3].any():
        head = head_of(file)
        if head is None:
            notes.append(f"{whose} has no node named Head that can be rotated: the take's head motion is left out")
        else:
            tracks.append(_Track(head, "rotation", _turns(file, head, take)))
    _add_animation(file, tracks, (take.times_s - take.times_s[0]).astype(np.float32), name)
    return notes


def _check_size(meshes: Sequence[AnimatedMesh], take: Take, whose: str) -> None:
    large = 4 * len(take.values) * sum(len(mesh.shapes) for mesh in meshes)
    if large > _LARGEST_TRACKS:
        most = f"at most {_LARGEST_TRACKS >> 20}; trim the take, or resample it to fewer rows with --rate"
        raise BridgeError(
            f"{whose} would need {large >> 20} MB for the weights of {len(take.values)} rows, expected {most}"
        )


def _turns(file: GltfFile, head: int, take: Take) -> NDArray[np.float32]:
    turns = rotations(take.values)
    return in_parent(seen_from(HALF_TURN, turns) if looks_back(file) else turns, *rest_rotation(file, head))


def _add_animation(file: GltfFile, tracks: Sequence[_Track], times_s: NDArray[np.float32], name: str) -> None:
    times = file.add(times_s, bounded=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    for number, track in enumerate(tracks):
        samplers.append({"input": times, "output": file.add(track.values), "interpolation": "LINEAR"})
        channels.append({"sampler": number, "target": {"node": track.node, "path": track.path}})
    animations = file.listed("animations")
    animations.append(
        {
            "name": _free_name(name, {entry.get("name") for entry in animations}),
            "samplers": samplers,
            "channels": channels,
        }
    )


def _free_name(name: str, taken: set[Any]) -> str:
    """`name`, or `name` with the first number that no other animation has."""
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return next(each for each in (name, *numbered) if each not in taken)


def _mask() -> GltfFile:
    """The built-in face: a node Head, which is rotated, with a child that has the mesh Face."""
    mesh = placeholder()
    file = GltfFile({"asset": {"version": "2.0", "generator": f"livelink-bridge {__version__}"}}, bytearray())
    positions = file.add(mesh.points, target=_ARRAY_BUFFER, bounded=True)
    normals = file.add(mesh.normals, target=_ARRAY_BUFFER)
    primitive = {
        "attributes": {"POSITION": positions, "NORMAL": normals},
        "indices": file.add(mesh.triangles.reshape(-1), target=_ELEMENT_ARRAY_BUFFER),
        "material": 0,
        "targets": [
            {"POSITION": file.add(mesh.targets[name], target=_ARRAY_BUFFER, bounded=True)} for name in ARKIT_52
        ],
    }
    skin = {"baseColorFactor": _SKIN, "metallicFactor": 0.0, "roughnessFactor": 0.8}
    file.document |= {
        "scene": 0,
        "scenes": [{"name": "Take", "nodes": [0]}],
        "nodes": [{"name": "Head", "children": [1]}, {"name": "Face", "mesh": 0}],
        "meshes": [
            {
                "name": "Face",
                "primitives": [primitive],
                "weights": [0.0] * SHAPE_COUNT,
                "extras": {"targetNames": list(ARKIT_52)},
            }
        ],
        "materials": [{"name": "Skin", "pbrMetallicRoughness": skin, "doubleSided": True}],
    }
    return file


def _missing(meshes: Sequence[AnimatedMesh], whose: str) -> list[str]:
    found = {shape for mesh in meshes for shape in mesh.shapes if shape is not None}
    missing = [shape for shape in ARKIT_52 if shape not in found]
    return [f"{whose} lacks {len(missing)} of the 52 shapes: {', '.join(missing)}"] if missing else []
