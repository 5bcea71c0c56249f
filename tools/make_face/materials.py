"""What each part is made of, as physically based materials; colours are the points' own."""

from __future__ import annotations

import pygltflib as gltf

ROUGHNESS: dict[str, float] = {
    "skin": 0.62, "lips": 0.55, "mouth": 0.9, "brow": 0.85, "teeth": 0.3, "gums": 0.45, "tongue": 0.5,
    "eye": 0.22, "hair": 0.6, "shirt": 0.9,
}  # fmt: skip
NAMES: tuple[str, ...] = (*ROUGHNESS, "glint")


def material(name: str) -> gltf.Material:
    """Not metal, as rough as said; seen from both sides where a part is a sheet, not a body."""
    surface = gltf.PbrMetallicRoughness(metallicFactor=0.0, roughnessFactor=ROUGHNESS.get(name, 1.0))
    made = gltf.Material(
        name=name, pbrMetallicRoughness=surface, alphaCutoff=None, doubleSided=name in ("mouth", "hair", "shirt")
    )
    if name == "glint":
        made.emissiveFactor = [1.0, 1.0, 1.0]
    return made


MATERIALS: list[gltf.Material] = [material(name) for name in NAMES]
