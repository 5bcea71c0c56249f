"""Faces of other people, made by hand out of the built-in one: other scales and turns, a skin, names on other places,
VRM."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

Document = dict[str, Any]
BUILT_IN = files("livelink_bridge").joinpath("preview", "face.glb")
Z_UP = (0.7071067811865476, 0.0, 0.0, 0.7071067811865476)
"""A quarter about X: what lies along -Z stands up."""


def small_face(change: Callable[[Document, bytearray], object] = lambda _document, _binary: None) -> bytes:
    """The built-in face as .glb, changed: `change` may edit the JSON and append to the buffer."""
    content = BUILT_IN.read_bytes()
    (length,) = struct.unpack_from("<I", content, 12)
    document = json.loads(content[20 : 20 + length])
    binary = bytearray(content[28 + length :])
    change(document, binary)
    document["buffers"][0]["byteLength"] = len(binary)
    return packed(document, bytes(binary))


def packed(document: Document, binary: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def under(scale: float, rotation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)) -> Callable[[Document, bytearray], None]:
    """Puts the whole face below a node of this scale and turn."""

    def change(document: Document, _binary: bytearray) -> None:
        scene = document["scenes"][document.get("scene", 0)]
        document["nodes"].append(
            {"name": "Armature", "scale": [scale] * 3, "rotation": list(rotation), "children": scene["nodes"]}
        )
        scene["nodes"] = [len(document["nodes"]) - 1]

    return change


def skinned(scale: float) -> Callable[[Document, bytearray], None]:
    """Binds every mesh to a bone below an armature of this scale, whose inverse bind matrix undoes it, as Blender's FBX
    way does.

    The points are where they were; the meshes' own nodes, which a skin makes meaningless, are `scale` times as large.
    """

    def change(document: Document, binary: bytearray) -> None:
        nodes, scene = document["nodes"], document["scenes"][document.get("scene", 0)]
        above = {child: number for number, node in enumerate(nodes) for child in node.get("children", [])}
        for number, node in enumerate(nodes):
            if "mesh" in node:
                _move(document, binary, node["mesh"], _place(nodes, above, number))
                node["skin"] = 0
        for node in nodes:
            node.pop("translation", None)
        nodes.append({"name": "Bone"})
        nodes.append({"name": "Armature", "scale": [scale] * 3, "children": [len(nodes) - 1, *scene["nodes"]]})
        scene["nodes"] = [len(nodes) - 1]
        inverse = np.diag([1 / scale, 1 / scale, 1 / scale, 1]).astype("<f4").reshape(1, 16)
        document["skins"] = [
            {"joints": [len(nodes) - 2], "inverseBindMatrices": _add(document, binary, inverse, "MAT4")}
        ]
        for mesh in document["meshes"]:
            for primitive in mesh["primitives"]:
                count = document["accessors"][primitive["attributes"]["POSITION"]]["count"]
                primitive["attributes"]["JOINTS_0"] = _add(document, binary, np.zeros((count, 4), "<u2"), "VEC4", 5123)
                primitive["attributes"]["WEIGHTS_0"] = _add(
                    document, binary, np.tile(np.float32([1, 0, 0, 0]), (count, 1)), "VEC4"
                )

    return change


def renamed(rule: Callable[[str], str], *, on: str = "mesh") -> Callable[[Document, bytearray], None]:
    """Gives every morph target another name, on its mesh, on its primitives or on its accessors."""

    def change(document: Document, _binary: bytearray) -> None:
        for mesh in document["meshes"]:
            names = [rule(name) for name in mesh.get("extras", {}).pop("targetNames", [])]
            if on == "mesh":
                mesh["extras"] = {"targetNames": names}
            for primitive in mesh["primitives"] if on != "mesh" else []:
                if on == "primitive":
                    primitive["extras"] = {"targetNames": names}
                    continue
                for place, name in enumerate(names):
                    # Copies: targets may share accessors.
                    document["accessors"].append(
                        {**copy.deepcopy(document["accessors"][primitive["targets"][place]["POSITION"]]), "name": name}
                    )
                    primitive["targets"][place] = {"POSITION": len(document["accessors"]) - 1}

    return change


def perfect_sync(version: int) -> Callable[[Document, bytearray], None]:
    """A VRM whose morph targets have names of their own; its expressions are called as ARKit's shapes are."""

    def change(document: Document, binary: bytearray) -> None:
        places: dict[str, list[tuple[int, int]]] = {}
        for at, mesh in enumerate(document["meshes"]):
            for place, name in enumerate(mesh.get("extras", {}).get("targetNames", [])):
                places.setdefault(name, []).append((at, place))
        nodes = {node["mesh"]: number for number, node in enumerate(document["nodes"]) if "mesh" in node}
        renamed(lambda name: f"Fcl_{sorted(places).index(name)}")(document, binary)
        if version == 1:
            binds = {
                name: [{"node": nodes[at], "index": place, "weight": 1.0} for at, place in owned]
                for name, owned in places.items()
            }
            custom = {name[0].upper() + name[1:]: {"morphTargetBinds": bound} for name, bound in binds.items()}
            document["extensions"] = {"VRMC_vrm": {"specVersion": "1.0", "expressions": {"custom": custom}}}
            return
        groups = [
            {"name": name, "binds": [{"mesh": at, "index": place, "weight": 100} for at, place in owned]}
            for name, owned in places.items()
        ]
        document["extensions"] = {"VRM": {"blendShapeMaster": {"blendShapeGroups": groups}}}
        under(1.0, (0.0, 1.0, 0.0, 0.0))(document, binary)  # it looks along -Z

    return change


def textured(document: Document, binary: bytearray) -> None:
    """Gives every material the same picture, KTX2 with Basis ETC1S: 8 x 8 pixels of (40, 200, 60), made with npm's
    ktx2-encoder 0.6."""
    picture = (Path(__file__).parent / "green.ktx2").read_bytes()
    binary += bytes(-len(binary) % 4)
    document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(picture)})
    binary += picture
    document["images"] = [{"mimeType": "image/ktx2", "bufferView": len(document["bufferViews"]) - 1}]
    document["textures"] = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    document["extensionsUsed"] = document["extensionsRequired"] = ["KHR_texture_basisu"]
    for material in document["materials"]:
        material["pbrMetallicRoughness"] = {"baseColorTexture": {"index": 0}, "metallicFactor": 0.0}


def _place(nodes: list[Document], above: dict[int, int], number: int) -> Any:
    """Where a node of nothing but translations stands."""
    own = np.array(nodes[number].get("translation", (0.0, 0.0, 0.0)))
    return own + _place(nodes, above, above[number]) if number in above else own


def _move(document: Document, binary: bytearray, mesh: int, by: Any) -> None:
    """Move a mesh's points, each accessor once."""
    for at in {primitive["attributes"]["POSITION"] for primitive in document["meshes"][mesh]["primitives"]}:
        accessor = document["accessors"][at]
        start = document["bufferViews"][accessor["bufferView"]].get("byteOffset", 0) + accessor.get("byteOffset", 0)
        points = np.frombuffer(binary, "<f4", 3 * accessor["count"], start).reshape(-1, 3) + by
        binary[start : start + 12 * len(points)] = points.astype("<f4").tobytes()
        accessor |= {"min": points.min(0).tolist(), "max": points.max(0).tolist()}


def _add(document: Document, binary: bytearray, table: Any, kind: str, component: int = 5126) -> int:
    binary += bytes(-len(binary) % 4)
    document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": table.nbytes})
    binary += table.tobytes()
    document["accessors"].append(
        {"bufferView": len(document["bufferViews"]) - 1, "componentType": component, "count": len(table), "type": kind}
    )
    return len(document["accessors"]) - 1
