"""Faces of glTF files, changed and written as other programs store them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import livelink_bridge
from livelink_bridge.takes.export.gltf_parts.file import GltfFile

OWN = Path(livelink_bridge.__file__).parent / "preview" / "face.glb"
"""Sparse targets, several primitives and materials, three meshes whose shapes share names."""
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def written(file: GltfFile, path: Path) -> Path:
    path.write_bytes(file.to_glb())
    return path


def as_gltf(file: GltfFile, folder: Path) -> Path:
    """A .gltf with its data in face.bin and a picture in textures/skin.png."""
    (folder / "textures").mkdir(parents=True)
    (folder / "textures" / "skin colour.png").write_bytes(PNG)
    (folder / "face.bin").write_bytes(file.binary)
    file.document["buffers"] = [{"byteLength": len(file.binary), "uri": "face.bin"}]
    file.document |= {"images": [{"uri": "textures/skin%20colour.png"}], "textures": [{"source": 0}]}
    file.document["materials"][0]["emissiveTexture"] = {"index": 0}
    (folder / "face.gltf").write_text(json.dumps(file.document))
    return folder / "face.gltf"


def two_materials(document: dict[str, Any]) -> None:
    """Each half of the triangles as a part with a material of its own."""
    (mesh,) = document["meshes"]
    (whole,) = mesh["primitives"]
    indices = document["accessors"][whole["indices"]]
    half = indices["count"] // 6 * 3
    document["accessors"] += [
        indices | {"count": half},
        indices | {"count": indices["count"] - half, "byteOffset": 2 * half},
    ]
    document["materials"].append({"name": "Lips"})
    count = len(document["accessors"])
    mesh["primitives"] = [whole | {"indices": count - 2}, whole | {"indices": count - 1, "material": 1}]


def unknown_names(document: dict[str, Any]) -> None:
    document["meshes"][0]["extras"]["targetNames"] = [f"Fcl_{number}\n" for number in range(52)]
