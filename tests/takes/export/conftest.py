"""A take, and a face to export it with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from arkit_mapping.channels import index_of
from arkit_mapping.takes.csv import Take
from livelink_bridge.takes.export.gltf import animated_face
from livelink_bridge.takes.export.gltf_parts.file import GltfFile, read_gltf
from livelink_bridge.testing.takes import face


@pytest.fixture
def take() -> Take:
    values = face(60, head=True)
    values[:, index_of("TongueOut")] = np.linspace(0, 0.9, 60)
    return Take(values, 7.0 + np.arange(60) / 60, 60)


@pytest.fixture
def mask(tmp_path: Path) -> GltfFile:
    """The built-in mask without an animation, to be changed and written."""
    content, _ = animated_face(Take(face(2), np.arange(2) / 60))
    (tmp_path / "mask.glb").write_bytes(content)
    file = read_gltf(tmp_path / "mask.glb")
    del file.document["animations"]
    return file
