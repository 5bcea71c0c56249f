"""Morph targets are found by the names that exporters write, wherever they write them."""

from __future__ import annotations

from typing import Any

import pytest
from cases import case

from arkit_mapping.channels import ARKIT_52
from livelink_bridge.takes.export.shape_names import find_shapes, names_seen, shape_of, shapes_of, target_names, unclear

SPELT = {
    "jawOpen": "jawOpen",
    "JawOpen": "jawOpen",
    "jaw_open": "jawOpen",
    "JAW_OPEN": "jawOpen",
    "jawopen": "jawOpen",
    "JAWOPEN": "jawOpen",
    "Jaw Open": "jawOpen",
    "head_lod0_mesh__jawOpen": "jawOpen",
    "head_lod0_mesh__JawOpen": "jawOpen",
    "A25_Jaw_Open": "jawOpen",
    "blendShape1.jawOpen": "jawOpen",
    "rig:face:jawOpen": "jawOpen",
    "CTRL-expressions-jawOpen": "jawOpen",
    "face|jawOpen": "jawOpen",
    "jawOpen.001": "jawOpen",
    "blendShape1.jawOpen.012": "jawOpen",
    "eyeBlink_L": "eyeBlinkLeft",
    "eyeBlinkL": "eyeBlinkLeft",
    "eye_blink_r": "eyeBlinkRight",
    "A15_Eye_Blink_Right": "eyeBlinkRight",
    "blendShape1.eyeBlink_R.001": "eyeBlinkRight",
    "Jaw_L": "jawLeft",
    "A30_Mouth_Left": "mouthLeft",
    "mouth_jawOpen": "jawOpen",
    "TongueOut": "tongueOut",
}
NO_SHAPE = ["", "Breath", "jawOpenWide", "jaw", "open", "l", "eyeBlink", "xjawopen", "jawOpen_L", "mouthSmile_jawOpen",
            "jawOpen_mouthClose", "eyeBlinkLeft_jawOpen", "jawOpen.01", "12", "口", "x" * 300 + "_jawOpen"]  # fmt: skip


def test_a_name_is_found_behind_prefixes_before_a_copys_number_and_in_any_case():
    for name, shape in SPELT.items():
        with case(name, shape):
            assert shape_of(name) == shape


def test_a_name_that_only_resembles_a_shape_or_combines_two_is_none():
    for name in NO_SHAPE:
        with case(name):
            assert shape_of(name) is None


@pytest.mark.parametrize("spell", ["{}", "A01_{}", "head_lod0_mesh__{}", "blendShape1.{}", "{}.001"])
def test_all_52_shapes_are_found_in_each_way_of_writing_them(spell):
    assert shapes_of([spell.format(name) for name in ARKIT_52]) == ARKIT_52
    snake = ["".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name) for name in ARKIT_52]
    assert shapes_of([spell.format(name) for name in snake]) == ARKIT_52


def test_the_plainest_name_of_a_shape_is_taken_and_two_alike_are_neither():
    assert shapes_of(["fix_A25_jawOpen", "jawOpen.001", "A25_jawOpen", "Breath"]) == (None, None, "jawOpen", None)
    assert shapes_of(["jawOpen.001", "jawOpen", "A25_jawOpen"]) == (None, "jawOpen", None)
    names = ["lod0_jawOpen", "lod1_jawOpen", "tongueOut"]
    assert shapes_of(names) == (None, None, "tongueOut")
    assert unclear(names) == {"jawOpen": ["lod0_jawOpen", "lod1_jawOpen"]}


def document(mesh: dict[str, Any], *accessor_names: str | None) -> dict[str, Any]:
    return {"meshes": [mesh], "accessors": [{} if name is None else {"name": name} for name in accessor_names]}


def primitive(*targets: dict[str, int], **more: Any) -> dict[str, Any]:
    return {"attributes": {}, "targets": list(targets), **more}


def test_names_on_the_mesh_on_its_primitives_and_on_the_targets_accessors_are_found():
    two = ({"POSITION": 0}, {"NORMAL": 0, "POSITION": 1})
    on_mesh = document({"primitives": [primitive(*two)], "extras": {"targetNames": ["jawOpen", "tongueOut"]}})
    on_primitive = document(
        {"primitives": [primitive(*two), primitive(*two, extras={"targetNames": ["jawOpen", "tongueOut"]})]}
    )
    on_accessors = document({"primitives": [primitive(*two)]}, "jawOpen", "tongueOut")
    for each in (on_mesh, on_primitive, on_accessors):
        assert find_shapes(each) == {"jawOpen": [(0, 0)], "tongueOut": [(0, 1)]}


def test_numbers_on_the_mesh_do_not_hide_names_on_the_accessors():
    mesh = {
        "primitives": [primitive({"POSITION": 0}, {"POSITION": 1})],
        "extras": {"targetNames": ["target_0", "target_1"]},
    }
    assert target_names(document(mesh, "jawOpen", "tongueOut"), 0) == ["jawOpen", "tongueOut"]
    assert target_names(document(mesh), 0) == ["target_0", "target_1"]


def test_a_target_that_two_primitives_name_differently_has_no_name():
    one, other = (
        primitive({}, {}, extras={"targetNames": names})
        for names in (["jawOpen", "tongueOut"], ["jawOpen", "cheekPuff"])
    )
    assert target_names(document({"primitives": [one, other]}), 0) == ["jawOpen", ""]


def test_too_few_names_and_too_many_are_as_many_as_there_are_targets():
    for names, wanted in ((["jawOpen"], ["jawOpen", ""]), (["jawOpen", "a", "b"], ["jawOpen", "a"])):
        assert (
            target_names(document({"primitives": [primitive({}, {})], "extras": {"targetNames": names}}), 0) == wanted
        )


def test_every_mesh_that_has_a_shape_is_told_and_all_names_once():
    face = {"primitives": [primitive({}, {})], "extras": {"targetNames": ["jawOpen", "Breath"]}}
    teeth = {"primitives": [primitive({})], "extras": {"targetNames": ["jawOpen"]}}
    both = {"meshes": [face, {"primitives": [{}]}, teeth]}
    assert find_shapes(both) == {"jawOpen": [(0, 0), (2, 0)]}
    assert names_seen(both) == ["jawOpen", "Breath"]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"meshes": 7},
        {"meshes": [None]},
        {"meshes": [{"primitives": 7}]},
        {"meshes": [{"primitives": [3], "extras": [1]}]},
        {
            "meshes": [
                {
                    "primitives": [{"targets": [7, {"POSITION": "x"}, {"POSITION": -1}]}],
                    "extras": {"targetNames": [1, None]},
                }
            ]
        },
    ],
)
def test_nonsense_has_no_shapes(odd):
    assert find_shapes(odd) == {} and names_seen(odd) == []
