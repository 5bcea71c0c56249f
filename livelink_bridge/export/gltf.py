"""A take as a glTF 2.0 animation (.glb): morph target weights and the head's rotation, on the built-in mask or on a face of the user's.

Rules that importers hold a file to (glTF 2.0 specification, sections 3.6 accessors and buffer views, 3.7.2.2 morph targets, 3.11
animations): accessors start on multiples of four bytes; positions and an animation's times say their min and max; a weights track has
rows x targets values; rotations are unit quaternions x, y, z, w; targets are named in the mesh's `extras.targetNames`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pygltflib import (
    ARRAY_BUFFER,
    ELEMENT_ARRAY_BUFFER,
    FLOAT,
    GLTF2,
    UNSIGNED_SHORT,
    Accessor,
    Animation,
    AnimationChannel,
    AnimationChannelTarget,
    AnimationSampler,
    Asset,
    Attributes,
    Buffer,
    BufferView,
    Material,
    Mesh,
    Node,
    PbrMetallicRoughness,
    Primitive,
    Scene,
)

from arkit_mapping.channels import ARKIT_52, SHAPE_COUNT
from arkit_mapping.take_edit import resample
from arkit_mapping.takes import Take
from livelink_bridge import __version__
from livelink_bridge.errors import BridgeError
from livelink_bridge.export.atomic import Progress, ignored
from livelink_bridge.export.face_file import AnimatedMesh, animated_meshes, head_of, read_face, rest_rotation
from livelink_bridge.export.face_mesh import placeholder
from livelink_bridge.export.head_turn import in_parent, rotations

_KINDS = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
_SKIN = [0.8, 0.62, 0.52, 1.0]


def animated_face(take: Take, face: Path | None = None, *, name: str = "take", on_progress: Progress = ignored) -> tuple[bytes, list[str]]:
    """The .glb of a take, and what the user should know about it, a line each.

    Rows are evened out to the take's rate. `face` is a .glb with named morph targets; None is the built-in mask. Raises BridgeError for a
    face that cannot be read or has none of the 52 shapes.
    """
    even = resample(take, take.rate)
    on_progress(0.3)
    file = _GlbFile(read_face(face)) if face else _mask()
    notes = file.animate(even, name, str(face) if face else "the built-in face")
    on_progress(0.7)
    return file.content(), notes


@dataclass(frozen=True, slots=True)
class _Track:
    """Which of a node's properties follows which values."""

    node: int
    path: str
    values: NDArray[np.float32]


class _GlbFile:
    """A glTF document and its one binary buffer, to which is only ever added."""

    def __init__(self, document: GLTF2) -> None:
        self.document = document
        self._blob = bytearray(document.binary_blob() or b"")

    def add(self, values: NDArray[np.float32] | NDArray[np.uint16], *, target: int | None = None, bounded: bool = False) -> int:
        """Append an array, (n,) or (n, 3) or (n, 4), as an accessor with a buffer view of its own; its index."""
        self._blob += bytes(-len(self._blob) % 4)
        table = values.reshape(len(values), -1)
        view = BufferView(buffer=0, byteOffset=len(self._blob), byteLength=values.nbytes, target=target)
        self._blob += np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        self.document.bufferViews.append(view)
        accessor = Accessor(
            bufferView=len(self.document.bufferViews) - 1,
            componentType=UNSIGNED_SHORT if values.dtype == np.uint16 else FLOAT,
            count=len(table),
            type=_KINDS[table.shape[1]],
            min=table.min(axis=0).tolist() if bounded else None,
            max=table.max(axis=0).tolist() if bounded else None,
        )
        self.document.accessors.append(accessor)
        return len(self.document.accessors) - 1

    def animate(self, take: Take, name: str, whose: str) -> list[str]:
        """Add one animation with every track that the take and this face have in common; what should be known about it."""
        meshes = animated_meshes(self.document)
        if not meshes:
            raise BridgeError(f"{whose} has none of the 52 ARKit shapes as a named morph target, expected targetNames such as jawOpen")
        tracks = [_Track(mesh.node, "weights", mesh.weights(take)) for mesh in meshes]
        notes = _missing(meshes, whose)
        turned = bool(take.values[:, SHAPE_COUNT : SHAPE_COUNT + 3].any())
        head = head_of(self.document) if turned else None
        if head is not None:
            tracks.append(_Track(head, "rotation", in_parent(rotations(take.values), *rest_rotation(self.document, head))))
        elif turned:
            notes.append(f"{whose} has no node named Head that can be turned: the take's head motion is left out")
        self._add_animation(tracks, (take.times_s - take.times_s[0]).astype(np.float32), name)
        return notes

    def _add_animation(self, tracks: Sequence[_Track], times_s: NDArray[np.float32], name: str) -> None:
        times = self.add(times_s, bounded=True)
        animation = Animation(name=name)
        for number, track in enumerate(tracks):
            animation.samplers.append(AnimationSampler(input=times, output=self.add(track.values), interpolation="LINEAR"))
            animation.channels.append(AnimationChannel(sampler=number, target=AnimationChannelTarget(node=track.node, path=track.path)))
        self.document.animations.append(animation)

    def content(self) -> bytes:
        """The finished .glb."""
        self._blob += bytes(-len(self._blob) % 4)
        buffers = self.document.buffers
        if not buffers:
            buffers.append(Buffer(byteLength=0))
        buffers[0].byteLength = len(self._blob)
        self.document.set_binary_blob(bytes(self._blob))
        return b"".join(self.document.save_to_bytes())


def _mask() -> _GlbFile:
    """The built-in face: a node Head that turns, and on it the mesh Face."""
    mesh = placeholder()
    file = _GlbFile(GLTF2(asset=Asset(version="2.0", generator=f"livelink-bridge {__version__}")))
    primitive = Primitive(
        attributes=Attributes(
            POSITION=file.add(mesh.points, target=ARRAY_BUFFER, bounded=True), NORMAL=file.add(mesh.normals, target=ARRAY_BUFFER)
        ),
        indices=file.add(mesh.triangles.reshape(-1), target=ELEMENT_ARRAY_BUFFER),
        material=0,
        targets=[Attributes(POSITION=file.add(mesh.targets[name], target=ARRAY_BUFFER, bounded=True)) for name in ARKIT_52],
    )
    skin = PbrMetallicRoughness(baseColorFactor=_SKIN, metallicFactor=0.0, roughnessFactor=0.8)
    document = file.document
    document.materials.append(Material(name="Skin", pbrMetallicRoughness=skin, doubleSided=True))
    document.meshes.append(
        Mesh(name="Face", primitives=[primitive], weights=[0.0] * SHAPE_COUNT, extras={"targetNames": list(ARKIT_52)})
    )
    document.nodes += [Node(name="Head", children=[1]), Node(name="Face", mesh=0)]
    document.scenes.append(Scene(name="Take", nodes=[0]))
    document.scene = 0
    return file


def _missing(meshes: Sequence[AnimatedMesh], whose: str) -> list[str]:
    found = {shape for mesh in meshes for shape in mesh.shapes if shape is not None}
    missing = [shape for shape in ARKIT_52 if shape not in found]
    return [f"{whose} lacks {len(missing)} of the 52 shapes: {', '.join(missing)}"] if missing else []
