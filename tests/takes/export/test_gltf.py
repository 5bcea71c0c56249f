"""Takes as glTF animations: held to the specification's rules by a reader of our own, and read by two libraries that
know nothing of us."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pygltflib", reason="pygltflib is not installed")

from pygltflib import GLTF2

from arkit_mapping.channels import ARKIT_52, index_of
from arkit_mapping.takes.csv import Take, read_take
from livelink_bridge.errors import BridgeError, SinkError
from livelink_bridge.takes.export import export_take
from livelink_bridge.takes.export.gltf import animated_face
from livelink_bridge.takes.export.head_turn import rotations
from livelink_bridge.testing.takes import app_take, face

SIZES = {5123: 2, 5126: 4}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


class Glb:
    """A .glb read by the specification, checking what it demands on the way (sections 3.6, 4.4)."""

    def __init__(self, content: bytes) -> None:
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert (kind, size % 4) == (b"JSON", 0)
        self.json: dict[str, Any] = json.loads(content[20 : 20 + size])
        bin_size, kind = struct.unpack_from("<I4s", content, 20 + size)
        assert (kind, bin_size % 4, 28 + size + bin_size) == (b"BIN\x00", 0, length)
        self.bin = content[28 + size :]
        (buffer,) = self.json["buffers"]
        assert "uri" not in buffer
        assert 0 <= bin_size - buffer["byteLength"] <= 3
        for number in range(len(self.json["accessors"])):
            self.read(number)

    def read(self, number: int) -> np.ndarray:
        """An accessor's values, (count,) or (count, n), its bounds and place checked."""
        accessor = self.json["accessors"][number]
        view = self.json["bufferViews"][accessor["bufferView"]]
        width, size = WIDTHS[accessor["type"]], SIZES[accessor["componentType"]]
        offset, bytes_long = view["byteOffset"] + accessor.get("byteOffset", 0), accessor["count"] * width * size
        assert offset % 4 == 0
        assert accessor.get("byteOffset", 0) + bytes_long <= view["byteLength"]
        assert view["byteOffset"] + view["byteLength"] <= self.json["buffers"][0]["byteLength"]
        assert "byteStride" not in view
        values = np.frombuffer(self.bin[offset : offset + bytes_long], "<u2" if size == 2 else "<f4").reshape(-1, width)
        if "min" in accessor:
            np.testing.assert_array_equal(np.float32(accessor["min"]), values.min(axis=0))
            np.testing.assert_array_equal(np.float32(accessor["max"]), values.max(axis=0))
        assert np.isfinite(values).all()
        return values[:, 0] if width == 1 else values

    def track(self, path: str, animation: int = -1) -> tuple[int, np.ndarray, np.ndarray]:
        """Node, times and values of an animation's channel."""
        animation = self.json["animations"][animation]
        channel = next(channel for channel in animation["channels"] if channel["target"]["path"] == path)
        sampler = animation["samplers"][channel["sampler"]]
        assert sampler["interpolation"] == "LINEAR"
        assert {"min", "max"} <= self.json["accessors"][sampler["input"]].keys()
        return channel["target"]["node"], self.read(sampler["input"]), self.read(sampler["output"])


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Two seconds of the app's, with a gap and the head moving."""
    app_take(tmp_path / "app.csv", face(121, head=True), step=1.0, first=0.0, lost=range(40, 52))
    return read_take(tmp_path / "app.csv")


@pytest.fixture
def glb(take: Take) -> Glb:
    return Glb(animated_face(take)[0])


def changed(content: bytes, change: Any) -> bytes:
    """The same file with its JSON as `change` leaves it."""
    size = struct.unpack_from("<I", content, 12)[0]
    document = json.loads(content[20 : 20 + size])
    change(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = content[20 + size :]
    return (
        struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + rest
    )


def face_file(tmp_path: Path, change: Any = lambda document: None) -> Path:
    content, _ = animated_face(Take(face(2), np.arange(2) / 60))
    path = tmp_path / "face.glb"
    path.write_bytes(changed(content, lambda document: (document.pop("animations"), change(document))))
    return path


def test_every_shape_follows_the_take_at_even_times_and_the_gap_is_filled(glb, take):
    node, times_s, weights = glb.track("weights")
    mesh = glb.json["meshes"][glb.json["nodes"][node]["mesh"]]
    assert mesh["extras"]["targetNames"] == list(ARKIT_52)
    assert len(mesh["primitives"][0]["targets"]) == len(mesh["weights"]) == 52
    np.testing.assert_allclose(times_s, np.arange(121) / 60, atol=1e-6)
    table = weights.reshape(121, 52)
    known = np.round((take.times_s - take.times_s[0]) * 60).astype(int)
    np.testing.assert_allclose(table[known], take.values[:, :52], atol=1e-6)
    jaw = ARKIT_52.index("jawOpen")
    np.testing.assert_allclose(np.diff(table[39:53, jaw], 2), 0, atol=1e-6)


def test_shapes_outside_their_range_are_cut(take):
    wild = Take(take.values * 3 - 1, take.times_s, 60)
    _, _, weights = Glb(animated_face(wild)[0]).track("weights")
    assert (weights.min(), weights.max()) == (0.0, 1.0)


def test_the_head_turns_by_unit_quaternions_on_a_node_above_the_mesh(glb):
    node, _, quaternions = glb.track("rotation")
    assert glb.json["nodes"][node]["name"] == "Head"
    assert glb.json["nodes"][node]["children"] == [glb.track("weights")[0]]
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1, atol=1e-6)
    assert np.abs(np.diff(quaternions, axis=0)).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("HeadYaw", [-np.sin(0.2), 0, np.cos(0.2)]),
        ("HeadPitch", [0, -np.sin(0.2), np.cos(0.2)]),
        ("HeadRoll", [0, 0, 1]),
    ],
)
def test_yaw_turns_the_nose_to_the_characters_right_and_pitch_down(name, moved):
    values = np.zeros((1, 61), np.float32)
    values[0, index_of(name)] = 0.2
    x, y, z, w = rotations(values)[0]
    nose = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
    np.testing.assert_allclose(nose, moved, atol=1e-6)


def test_a_still_head_has_no_track(tmp_path):
    glb = Glb(animated_face(Take(face(60), np.arange(60) / 60))[0])
    assert [channel["target"]["path"] for channel in glb.json["animations"][0]["channels"]] == ["weights"]


def test_the_mask_is_a_clean_mesh_whose_every_target_moves_something(glb):
    primitive = glb.json["meshes"][0]["primitives"][0]
    points, normals = glb.read(primitive["attributes"]["POSITION"]), glb.read(primitive["attributes"]["NORMAL"])
    triangles = glb.read(primitive["indices"]).reshape(-1, 3)
    assert triangles.max() < len(points) == len(normals)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    corners = points[triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    assert areas.min() > 0
    moves = np.array([np.abs(glb.read(target["POSITION"])).max() for target in primitive["targets"]])
    assert moves.min() > 0.001
    assert len({glb.read(target["POSITION"]).tobytes() for target in primitive["targets"]}) == 52
    for accessor in (primitive["attributes"]["POSITION"], *(target["POSITION"] for target in primitive["targets"])):
        assert {"min", "max"} <= glb.json["accessors"][accessor].keys()


def test_left_is_the_masks_own_left_and_closed_lips_meet_again(glb):
    primitive = glb.json["meshes"][0]["primitives"][0]
    points = glb.read(primitive["attributes"]["POSITION"])
    target = {name: glb.read(entry["POSITION"]) for name, entry in zip(ARKIT_52, primitive["targets"], strict=True)}
    for name in ("eyeBlinkLeft", "mouthSmileLeft", "browDownLeft"):
        assert points[np.abs(target[name]).sum(axis=1).argmax(), 0] > 0
        assert points[np.abs(target[name.replace("Left", "Right")]).sum(axis=1).argmax(), 0] < 0
    assert target["jawLeft"][:, 0].max() > 0.005 > target["jawRight"][:, 0].max()
    edge = 18 * 25 + np.arange(25)
    apart = (points + target["jawOpen"])[edge - 25, 1] - (points + target["jawOpen"])[edge, 1]
    assert apart.max() == pytest.approx(0.022, abs=1e-4)
    np.testing.assert_allclose((target["jawOpen"] + target["mouthClose"])[edge], 0, atol=1e-7)


def test_pygltflib_reads_it_back(take):
    document = GLTF2.load_from_bytes(animated_face(take, name="scene 4")[0])
    (animation,) = document.animations
    assert (animation.name, [channel.target.path for channel in animation.channels]) == (
        "scene 4",
        ["weights", "rotation"],
    )
    assert document.meshes[0].extras["targetNames"] == list(ARKIT_52)


def test_trimesh_reads_it_too(take):
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    scene = trimesh.load(io.BytesIO(animated_face(take)[0]), file_type="glb")
    (mesh,) = scene.geometry.values()
    assert (mesh.vertices.shape, mesh.faces.shape) == ((700, 3), (1248, 3))


def test_a_face_of_the_users_is_animated_by_name_whatever_the_order_and_spelling(tmp_path, take):
    names = [f"blendShape1.{name.replace('Left', '_L').replace('Right', '_R')}" for name in reversed(ARKIT_52)]
    names[3:5] = ["Breath", "JAWOPEN"]
    path = face_file(tmp_path, lambda document: document["meshes"][0].update(extras={"targetNames": names}))
    content, notes = animated_face(take, path)
    table = Glb(content).track("weights")[2].reshape(121, 52)
    known = np.round((take.times_s - take.times_s[0]) * 60).astype(int)
    np.testing.assert_allclose(table[known, 4], take.values[:, index_of("JawOpen")], atol=1e-6)
    left = names.index("blendShape1.eyeBlink_L")
    np.testing.assert_allclose(table[known, left], take.values[:, index_of("EyeBlinkLeft")], atol=1e-6)
    assert not table[:, 3].any()
    missing = {"cheekSquintLeft", "cheekSquintRight", "cheekPuff", "noseSneerLeft"} & set(
        notes[0].replace(",", "").split()
    )
    assert notes[0].startswith(f"{path} lacks 2 of the 52 shapes: ")
    assert missing


def test_what_a_face_has_besides_is_kept(tmp_path, take):
    def change(document: dict[str, Any]) -> None:
        document["nodes"].append({"name": "Lamp", "translation": [0.0, 1.0, 0.0], "extras": {"mine": [1, 2]}})
        document["scenes"][0]["nodes"].append(2)
        document["materials"][0]["extensions"] = {"KHR_materials_unlit": {}}
        document["extensionsUsed"] = ["KHR_materials_unlit"]

    before = Glb(face_file(tmp_path, change).read_bytes())
    glb = Glb(animated_face(take, tmp_path / "face.glb")[0])
    assert glb.json["nodes"][2] == {"name": "Lamp", "translation": [0.0, 1.0, 0.0], "extras": {"mine": [1, 2]}}
    assert glb.json["materials"][0]["extensions"] == {"KHR_materials_unlit": {}}
    assert glb.bin.startswith(before.bin)


def test_a_head_that_rests_turned_turns_about_the_axes_of_the_world(tmp_path, take):
    half = float(np.sqrt(0.5))

    def change(document: dict[str, Any]) -> None:
        document["nodes"][0]["rotation"] = [0.0, 0.0, half, half]
        document["nodes"].append({"name": "Neck", "children": [0], "rotation": [half, 0.0, 0.0, half]})
        document["scenes"][0]["nodes"] = [2]

    content, _ = animated_face(take, face_file(tmp_path, change))
    _, _, quaternions = Glb(content).track("rotation")
    world = matrix(np.array([half, 0.0, 0.0, half])) @ matrix(quaternions[7].astype(np.float64))
    rest = matrix(np.array([half, 0.0, 0.0, half])) @ matrix(np.array([0.0, 0.0, half, half]))
    np.testing.assert_allclose(world, matrix(rotations(take.values[7:8])[0]) @ rest, atol=1e-5)


def matrix(quaternion: np.ndarray) -> np.ndarray:
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_a_face_without_a_head_says_that_it_does_not_turn(tmp_path, take):
    path = face_file(tmp_path, lambda document: document["nodes"][0].update(name="Root"))
    content, notes = animated_face(take, path)
    assert notes == [f"{path} has no node named Head that can be rotated: the take's head motion is left out"]
    assert len(Glb(content).json["animations"][0]["channels"]) == 1


BROKEN = {
    "no names": (lambda document: document["meshes"][0].pop("extras"), "has none of the 52 ARKit shapes"),
    "odd names": (lambda document: document["meshes"][0].update(extras={"targetNames": 7}), "has none of the 52"),
    "no targets": (lambda document: document["meshes"][0]["primitives"][0].pop("targets"), "has none of the 52"),
    "no nodes": (lambda document: document.pop("nodes"), "has no nodes"),
    "data elsewhere": (lambda document: document["buffers"][0].update(uri="data.bin"), "cannot be read"),
    "a mesh that is not there": (lambda document: document["nodes"][1].update(mesh=9), "has none of the 52"),
}


@pytest.mark.parametrize(("change", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_face_that_cannot_be_animated_is_one_line_and_no_file(tmp_path, take, change, reason):
    with pytest.raises(BridgeError, match=reason) as caught:
        export_take(take, tmp_path / "out.glb", face=face_file(tmp_path, change))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.glb").exists()


@pytest.mark.parametrize("cut", [0, 3, 8, 12, 19, 25, 400, 5000, -1])
def test_a_damaged_face_is_one_line(tmp_path, take, cut):
    path = face_file(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BridgeError, match="face.glb"):
        animated_face(take, path)


def test_a_face_that_is_not_there_or_another_file_is_one_line(tmp_path, take):
    with pytest.raises(BridgeError, match="no such file"):
        animated_face(take, tmp_path / "none.glb")
    (tmp_path / "text.glb").write_text("solid cube")
    with pytest.raises(BridgeError, match="is not a glTF 2.0 file"):
        animated_face(take, tmp_path / "text.glb")


def test_a_name_that_is_taken_is_said_before_the_face_is_looked_at(tmp_path, take):
    (tmp_path / "out.glb").write_text("mine")
    with pytest.raises(SinkError, match="exists"):
        export_take(take, tmp_path / "out.glb", face=tmp_path / "none.glb")
