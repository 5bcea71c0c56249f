"""Faces as other programs store them: animated by the take, kept whole, and no worse for the Khronos validator than
they came."""

from __future__ import annotations

import base64
import json
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gltf_checks
import numpy as np
import pytest
from gltf_faces import OWN, PNG, as_gltf, two_materials, written

from arkit_mapping.channels import ARKIT_52, index_of
from arkit_mapping.takes.csv import Take
from livelink_bridge.errors import BridgeError
from livelink_bridge.takes.export import export_take
from livelink_bridge.takes.export.gltf import animated_face
from livelink_bridge.takes.export.gltf_parts.file import GltfFile, read_gltf
from livelink_bridge.takes.export.head_turn import rotations

TIMES_S = (0.0, 0.25, 0.5, 2 / 3)


def names_of(file: GltfFile, names: list[str] | None) -> None:
    file.document["meshes"][0].pop("extras", None)
    if names is not None:
        file.document["meshes"][0]["extras"] = {"targetNames": names}


def accepted(path: Path, out: Path, take: Take) -> list[str]:
    """Animate the face; the validator must find no error in `out` that it does not find in `path`, nor more
    warnings."""
    notes = export_take(take, out, face=path, force=True)
    reports = [gltf_checks.validated(file) for file in (path, out)]
    before, after = (Counter(code for code, _ in gltf_checks.errors_in(report)) for report in reports)
    assert not after - before
    assert reports[1]["issues"]["numWarnings"] <= reports[0]["issues"]["numWarnings"]
    return notes


def follows(out: Path, take: Take, called: Callable[[str], str] = lambda name: name) -> list[dict[str, Any]]:
    """Every mesh that three.js shows has the take's weights at the take's times, under the names that `called`
    gives."""
    shown = gltf_checks.played(out, TIMES_S)
    rows = [round(time_s * 60) for time_s in TIMES_S]
    for mesh in shown:
        places = [mesh["names"][called(name)] for name in ARKIT_52]
        np.testing.assert_allclose(np.array(mesh["weights"])[:, places], take.values[rows, :52], atol=1e-5)
    return shown


def test_the_faces_that_come_with_the_program_are_free_of_errors_and_warnings(tmp_path, take):
    for out, own in (("mask.glb", None), ("shown.glb", OWN)):
        assert export_take(take, tmp_path / out, face=own) == []
        issues = gltf_checks.validated(tmp_path / out)["issues"]
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0)
        follows(tmp_path / out, take)


@pytest.mark.parametrize("kind", ["separate", "interleaved,sparse", "meshopt,sparse", "meshopt"])
def test_a_face_however_stored_follows_the_take_and_stays_valid(tmp_path, take, kind):
    path = gltf_checks.rewritten(OWN, tmp_path / "face.glb", kind)
    accepted(path, tmp_path / "out.glb", take)
    meshes = follows(tmp_path / "out.glb", take)
    assert {mesh["mesh"].rstrip("_0123456789") for mesh in meshes} == {"face", "eyeLeft", "eyeRight"} and len(
        meshes
    ) == 11


def test_sparse_targets_without_data_of_their_own_as_blender_writes_them_stay_valid(tmp_path, take, mask):
    for target in mask.document["meshes"][0]["primitives"][0]["targets"]:
        accessor = mask.document["accessors"][target["POSITION"]]
        view = mask.document["bufferViews"][accessor.pop("bufferView")]
        moved = np.frombuffer(bytes(mask.binary), "<f4", 3 * accessor["count"], view["byteOffset"]).reshape(-1, 3)
        at = np.flatnonzero(moved.any(axis=1)).astype(np.uint16)
        views = [mask.document["accessors"][mask.add(values)]["bufferView"] for values in (at, moved[at])]
        accessor["sparse"] = {
            "count": len(at),
            "indices": {"bufferView": views[0], "componentType": 5123},
            "values": {"bufferView": views[1]},
        }
    accessors = [entry for entry in mask.document["accessors"] if "sparse" in entry]
    assert len(accessors) == 52
    path = written(mask, tmp_path / "face.glb")
    accepted(path, tmp_path / "out.glb", take)
    follows(tmp_path / "out.glb", take)


def test_draco_keeps_its_data_and_the_targets_beside_it_move(tmp_path, take):
    path = gltf_checks.rewritten(OWN, tmp_path / "face.glb", "draco,separate")
    before = read_gltf(path)
    assert "KHR_draco_mesh_compression" in before.document["extensionsRequired"]
    accepted(path, tmp_path / "out.glb", take)
    after = read_gltf(tmp_path / "out.glb")
    assert after.binary.startswith(before.binary) and kept(before.document, after.document)
    channels = after.document["animations"][0]["channels"]
    assert [channel["target"]["path"] for channel in channels].count("weights") == 3


def kept(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether everything of the document is there as it was; lists may have become longer, the buffer larger."""
    for key, value in before.items():
        if key == "buffers":
            continue
        if isinstance(value, list):
            assert after[key][: len(value)] == value, key
        else:
            assert after[key] == value, key
    return True


@pytest.mark.parametrize("kind", ["buffers", "meshopt", "buffers,meshopt,sparse"])
def test_data_of_several_files_beside_a_gltf_is_in_the_glb(tmp_path, take, kind):
    (tmp_path / "in").mkdir()
    path = gltf_checks.rewritten(OWN, tmp_path / "in" / "face.gltf", kind)
    assert len(list((tmp_path / "in").iterdir())) > 1
    (tmp_path / "elsewhere").mkdir()
    out = tmp_path / "elsewhere" / "out.glb"
    accepted(path, out, take)
    document = read_gltf(out).document
    assert not any("uri" in entry for entry in (*document["buffers"], *document.get("images", [])))
    follows(out, take)


def test_pictures_beside_a_gltf_and_buffers_in_its_text_are_in_the_glb_too(tmp_path, take, mask):
    path = as_gltf(mask, tmp_path / "in")
    document = json.loads(path.read_text())
    tail = base64.b64encode(b"\1\2\3").decode()
    document["buffers"].append({"byteLength": 3, "uri": f"data:application/octet-stream;base64,{tail}"})
    document["bufferViews"].append({"buffer": 1, "byteLength": 3})
    path.write_text(json.dumps(document))
    out = tmp_path / "out.glb"
    accepted(path, out, take)
    after = read_gltf(out)
    (image,) = after.document["images"]
    assert (image["mimeType"], image["name"]) == ("image/png", "skin colour")
    views = [
        after.document["bufferViews"][number] for number in (image["bufferView"], len(document["bufferViews"]) - 1)
    ]
    parts = [bytes(after.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]) for view in views]
    assert parts == [PNG, b"\1\2\3"] and len(after.document["buffers"]) == 1


def test_a_compressed_files_fallback_that_has_data_is_kept(tmp_path, take):
    (tmp_path / "in").mkdir()
    path = gltf_checks.rewritten(OWN, tmp_path / "in" / "face.gltf", "meshopt")
    document = json.loads(path.read_text())
    (fallback,) = [buffer for buffer in document["buffers"] if "uri" not in buffer]
    (tmp_path / "in" / "fallback.bin").write_bytes(bytes(fallback["byteLength"]))
    fallback["uri"] = "fallback.bin"
    path.write_text(json.dumps(document))
    accepted(path, tmp_path / "out.glb", take)
    (buffer,) = read_gltf(tmp_path / "out.glb").document["buffers"]
    assert "extensions" not in buffer and buffer["byteLength"] > fallback["byteLength"]
    follows(tmp_path / "out.glb", take)


def test_half_a_character_in_a_name_and_any_depth_are_written_again_or_one_line(tmp_path, take, mask):
    mask.document["nodes"][0]["extras"] = {"odd": "\ud83d", "plain": "Ä"}
    accepted(written(mask, tmp_path / "face.glb"), tmp_path / "out.glb", take)
    assert read_gltf(tmp_path / "out.glb").document["nodes"][0]["extras"] == {"odd": "\ud83d", "plain": "Ä"}
    path = as_gltf(mask, tmp_path / "in")
    whole = path.read_text()
    assert '"\\u00c4"' in whole
    refused = []
    for depth in (10, *range(900, 1010, 5), 100_000):
        path.write_text(whole.replace('"\\u00c4"', "[" * depth + "]" * depth))
        try:
            assert animated_face(take, path)[0][:4] == b"glTF"
        except BridgeError as error:
            assert "\n" not in str(error)
            refused.append(depth)
    assert refused and refused[0] > 10


def test_a_number_too_large_for_a_float_is_one_line(tmp_path, take, mask):
    mask.document["nodes"][0]["extras"] = {"odd": 12345}
    path = as_gltf(mask, tmp_path / "in")
    path.write_text(path.read_text().replace("12345", "1e999"))
    with pytest.raises(
        BridgeError, match="face.gltf cannot be read as glTF: 1e999 is not a number that JSON can represent"
    ):
        animated_face(take, path)


def test_a_glb_with_a_second_buffer_beside_it_is_gathered(tmp_path, take, mask):
    (tmp_path / "more.bin").write_bytes(b"\7" * 10)
    mask.document["bufferViews"].append({"buffer": 1, "byteOffset": 4, "byteLength": 6})
    number = len(mask.document["bufferViews"]) - 1
    mask.document["buffers"].append({"byteLength": 10, "uri": "more.bin"})
    path = written(mask, tmp_path / "face.glb")
    accepted(path, tmp_path / "out.glb", take)
    after = read_gltf(tmp_path / "out.glb")
    view = after.document["bufferViews"][number]
    assert view["buffer"] == 0 and after.binary[view["byteOffset"] :][:6] == b"\7" * 6


def test_parts_with_a_material_each_all_move(tmp_path, take, mask):
    two_materials(mask.document)
    accepted(written(mask, tmp_path / "face.glb"), tmp_path / "out.glb", take)
    assert len(follows(tmp_path / "out.glb", take)) == 2


def test_meshes_and_nodes_that_share_names_all_move(tmp_path, take, mask):
    mask.document["meshes"].append(mask.document["meshes"][0] | {"name": "Face"})
    mask.document["nodes"] += [{"name": "Face", "mesh": 1}, {"name": "Face", "mesh": 0}]
    mask.document["nodes"][0]["children"] = [1, 2, 3]
    accepted(written(mask, tmp_path / "face.glb"), tmp_path / "out.glb", take)
    assert len(follows(tmp_path / "out.glb", take)) == 3


@pytest.mark.parametrize("place", ["accessors", "primitives"])
def test_names_that_stand_elsewhere_are_found_and_written_where_every_program_looks(tmp_path, take, mask, place):
    names_of(mask, None)
    two_materials(mask.document)
    primitives = mask.document["meshes"][0]["primitives"]
    if place == "primitives":
        for primitive in primitives:
            primitive["extras"] = {"targetNames": [f"head_lod0_mesh__{name}" for name in ARKIT_52]}
    else:
        for name, target in zip(ARKIT_52, primitives[0]["targets"], strict=True):
            mask.document["accessors"][target["POSITION"]]["name"] = f"head_lod0_mesh__{name}"
    assert accepted(written(mask, tmp_path / "face.glb"), tmp_path / "out.glb", take) == []
    follows(tmp_path / "out.glb", take, lambda name: f"head_lod0_mesh__{name}")


def test_one_missing_name_costs_one_name(tmp_path, take, mask):
    names_of(mask, list(ARKIT_52[:51]))
    notes = accepted(written(mask, tmp_path / "face.glb"), tmp_path / "out.glb", take)
    assert notes == [f"{tmp_path / 'face.glb'} lacks 1 of the 52 shapes: tongueOut"]
    (mesh,) = gltf_checks.played(tmp_path / "out.glb", [0.5])
    assert mesh["names"]["target_51"] == 51 and mesh["weights"][0][51] == 0
    assert mesh["weights"][0][mesh["names"]["jawOpen"]] == pytest.approx(
        float(take.values[30, index_of("JawOpen")]), abs=1e-5
    )


def test_two_targets_that_both_stand_for_a_shape_rest_and_it_is_said(tmp_path, take, mask):
    names = list(ARKIT_52)
    names[:2] = ["lod0_jawOpen", "lod1_jawOpen"]
    names[names.index("jawOpen")] = "Breath"
    names_of(mask, names)
    content, notes = animated_face(take, written(mask, tmp_path / "face.glb"))
    assert (
        f"{tmp_path / 'face.glb'}: jawOpen is not animated, as both 'lod0_jawOpen' and 'lod1_jawOpen' match it; "
        "rename one" in notes
    )


def weights_of(content: bytes, tmp_path: Path) -> tuple[dict[str, Any], np.ndarray]:
    """The document and the first weights track, (rows, targets), of a .glb."""
    (tmp_path / "again.glb").write_bytes(content)
    file = read_gltf(tmp_path / "again.glb")
    return file.document, values_of(file, "weights").reshape(60, -1)


def values_of(file: GltfFile, path: str) -> np.ndarray:
    animation = file.document["animations"][-1]
    channel = next(channel for channel in animation["channels"] if channel["target"]["path"] == path)
    accessor = file.document["accessors"][animation["samplers"][channel["sampler"]]["output"]]
    width = {"SCALAR": 1, "VEC4": 4}[accessor["type"]]
    at = file.document["bufferViews"][accessor["bufferView"]]["byteOffset"]
    return np.frombuffer(file.binary, "<f4", accessor["count"] * width, at)


@pytest.mark.parametrize("version", ["VRM", "VRMC_vrm"])
def test_a_vrm_is_taken_its_data_kept_and_its_own_head_turned(tmp_path, take, mask, version):
    bones = [{"bone": "head", "node": 0}] if version == "VRM" else {"head": {"node": 0}}
    mask.document["extensions"] = {version: {"humanoid": {"humanBones": bones}, "meta": {"title": "Ä", "x": [1.5, 2]}}}
    mask.document["extensionsUsed"] = [version]
    mask.document["nodes"][0]["name"] = "J_Bip_C_Head"
    before = json.loads(json.dumps(mask.document))
    path = written(mask, tmp_path / "avatar.vrm")
    assert accepted(path, tmp_path / "out.glb", take) == []
    after = read_gltf(tmp_path / "out.glb")
    assert kept(before, after.document)
    turned = values_of(after, "rotation").reshape(60, 4)
    back = np.array([-1, 1, -1, 1]) if version == "VRM" else np.ones(4)
    np.testing.assert_allclose(turned, rotations(take.values) * back, atol=1e-6)


def test_an_animation_of_the_same_name_keeps_it(tmp_path, take, mask):
    once = tmp_path / "take.glb"
    once.write_bytes(animated_face(take, written(mask, tmp_path / "face.glb"), name="take")[0])
    accepted(once, tmp_path / "out.glb", take)
    content, _ = animated_face(take, once, name="take")
    document, _ = weights_of(content, tmp_path)
    assert [animation["name"] for animation in document["animations"]] == ["take", "take 2"]


def test_chunks_of_other_kinds_stay(tmp_path, take, mask):
    mask.extra_chunks = struct.pack("<II", 8, 0x54534554) + b"whatever"
    content, _ = animated_face(take, written(mask, tmp_path / "face.glb"))
    assert content.endswith(mask.extra_chunks)
