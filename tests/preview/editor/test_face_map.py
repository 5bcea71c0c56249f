"""Which morph targets of a user's face the page moves: the same as the export, and what a VRM's expressions are called
for."""

from __future__ import annotations

import json
import struct

import pytest
from animator import glb
from faces import packed, perfect_sync, renamed, skinned, small_face, under

from arkit_mapping.channels import ARKIT_52
from livelink_bridge.errors import BridgeError
from livelink_bridge.preview.editor.face_map import face_map
from livelink_bridge.preview.editor.state import built_in_map
from livelink_bridge.takes.export.face_file import animated_meshes, read_face


def mapped(folder, content, name="face.glb"):
    path = folder / name
    path.write_bytes(content)
    return face_map(path)


def test_the_built_in_face_has_all_shapes_and_a_head():
    built_in = built_in_map()
    assert {move.channel for move in built_in.moves} == set(range(52)) and built_in.notes == ()
    assert (built_in.head, built_in.looks_back) == (4, False)
    json.dumps(built_in.json())


@pytest.mark.parametrize("place", ["mesh", "primitive", "accessor"])
@pytest.mark.parametrize("rule", ["head_lod0_mesh__{}", "A25_{}", "blendShape1.{}", "{}.001"])
def test_shapes_are_found_behind_prefixes_and_wherever_they_are_named(tmp_path, rule, place):
    found = mapped(tmp_path, small_face(renamed(rule.format, on=place)))
    assert set(found.moves) == set(built_in_map().moves)


def test_what_the_page_moves_is_what_the_export_moves(tmp_path):
    names = ("head__jawOpen", "A25_Eye_Blink_L", "mouthSmile_jawOpen", "nothing", "JawOpen.001")
    found = mapped(tmp_path, glb(names), "own.glb")
    (mesh,) = animated_meshes(read_face(tmp_path / "own.glb"))
    moved = {(move.target, ARKIT_52[move.channel]) for move in found.moves}
    assert moved == {(place, shape) for place, shape in enumerate(mesh.shapes) if shape}
    assert len(moved) == 2 and "own.glb lacks 50 of the 52 shapes" in found.notes[0]


@pytest.mark.parametrize(("version", "back"), [(1, False), (0, True)])
def test_a_vrm_is_moved_by_what_its_expressions_are_called(tmp_path, version, back):
    found = mapped(tmp_path, small_face(perfect_sync(version)), "avatar.vrm")
    assert set(found.moves) == set(built_in_map().moves)
    assert found.looks_back is back


def test_an_expression_moves_its_targets_by_their_weights_and_names_on_targets_take_precedence(tmp_path):
    def change(document, _binary):
        binds = [
            {"node": 0, "index": 2, "weight": 0.25},
            {"node": 0, "index": 99},
            {"node": 7, "index": 0},
            {"index": 0},
            "no bind",
        ]
        custom = {
            "jawOpen": {"morphTargetBinds": binds},
            "MouthPucker": {"morphTargetBinds": binds},
            "Fun": {"morphTargetBinds": binds},
        }
        document["extensions"] = {"VRMC_vrm": {"expressions": {"custom": custom, "preset": []}}}

    content = glb(("jawOpen", "wide", "round"))
    (length,) = struct.unpack_from("<I", content, 12)
    document = json.loads(content[20 : 20 + length])
    change(document, None)
    found = mapped(tmp_path, packed(document, content[28 + length :]), "avatar.vrm")
    assert [tuple(move) for move in found.moves] == [
        (0, 0, ARKIT_52.index("jawOpen"), 1.0),
        (0, 2, ARKIT_52.index("mouthPucker"), 0.25),
    ]


@pytest.mark.parametrize("names", [(), ("smile", "wink")])
def test_a_face_without_a_shape_is_refused_with_its_own_name_and_what_it_has(tmp_path, names):
    with pytest.raises(
        BridgeError,
        match=r"^plain\.glb has none of the 52 ARKit shapes.*" + (", ".join(map(repr, names)) or "names no"),
    ):
        mapped(tmp_path, glb(names), "plain.glb")


def test_scales_turns_and_skins_leave_the_map_alone(tmp_path):
    for change in (under(0.0001), skinned(0.01)):
        assert set(mapped(tmp_path, small_face(change)).moves) == set(built_in_map().moves)
