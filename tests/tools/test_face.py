"""The face that is shipped: what its file holds, how its blend shapes move it, and that the scripts still make it."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import case
from numpy.typing import NDArray

import livelink_bridge.preview
from arkit_mapping.channels import ARKIT_52

FACE = Path(livelink_bridge.preview.__file__).parent / "face.glb"
KINDS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
CM = 0.01
LEFT = [name for name in ARKIT_52 if name.endswith("Left")]

Array = NDArray[Any]


class Glb:
    """A glTF binary, read by this file's own few lines, so that no library's forgiveness hides a fault."""

    def __init__(self, data: bytes) -> None:
        magic, version, length, size, kind = struct.unpack_from("<IIIII", data)
        assert (magic, version, length, kind) == (0x46546C67, 2, len(data), 0x4E4F534A)
        self.json = json.loads(data[20 : 20 + size])
        binary, mark = struct.unpack_from("<II", data, 20 + size)
        assert mark == 0x004E4942
        self.binary = data[28 + size : 28 + size + binary]

    def view(self, number: int, kind: int, offset: int, count: int) -> Array:
        view = self.json["bufferViews"][number]
        flat = np.frombuffer(self.binary, KINDS[kind], count, view["byteOffset"] + offset)
        assert flat.nbytes + offset <= view["byteLength"]
        return flat

    def accessor(self, number: int) -> Array:
        """(count, width), sparse ones filled."""
        about = self.json["accessors"][number]
        width, kind = WIDTHS[about["type"]], about["componentType"]
        full = np.zeros((about["count"], width), KINDS[kind])
        if "bufferView" in about:
            full[:] = self.view(about["bufferView"], kind, about.get("byteOffset", 0), full.size).reshape(full.shape)
        if "sparse" in about:
            few = about["sparse"]
            rows = self.view(few["indices"]["bufferView"], few["indices"]["componentType"], 0, few["count"])
            assert (np.diff(rows.astype(int)) > 0).all()
            full[rows] = self.view(few["values"]["bufferView"], kind, 0, few["count"] * width).reshape(-1, width)
        return full

    def mesh(self, name: str) -> dict[str, Any]:
        return next(mesh for mesh in self.json["meshes"] if mesh["name"] == name)

    def node(self, name: str) -> dict[str, Any]:
        return next(node for node in self.json["nodes"] if node["name"] == name)


@cache
def glb() -> Glb:
    return Glb(FACE.read_bytes())


@cache
def piece(material: str, mesh: str = "face") -> dict[str, Any]:
    names = [about["name"] for about in glb().json["materials"]]
    return next(one for one in glb().mesh(mesh)["primitives"] if names[one["material"]] == material)


@cache
def points(material: str, mesh: str = "face") -> Array:
    return glb().accessor(piece(material, mesh)["attributes"]["POSITION"]).astype(float)


@cache
def moved(name: str, material: str = "skin", mesh: str = "face") -> Array:
    return glb().accessor(piece(material, mesh)["targets"][ARKIT_52.index(name)]["POSITION"]).astype(float)


def all_pieces() -> list[tuple[str, dict[str, Any]]]:
    return [(mesh["name"], one) for mesh in glb().json["meshes"] for one in mesh["primitives"]]


def lips_at(**weights: float) -> tuple[Array, Array]:
    """Where the points that touch at rest are: those of the upper and of the lower lip, pair by pair."""
    rest = points("lips")
    upper, lower = touching()
    pose = rest + sum((weight * moved(name, "lips") for name, weight in weights.items()), np.zeros_like(rest))
    return pose[upper], pose[lower]


@cache
def touching() -> tuple[Array, Array]:
    """Points of the lips that lie at the same place at rest: the line where the lips meet."""
    rest = points("lips")
    order = np.lexsort((rest[:, 2].round(7), rest[:, 1].round(7), rest[:, 0].round(7)))
    same = np.linalg.norm(np.diff(rest[order], axis=0), axis=1) < 1e-6
    one, other = order[:-1][same], order[1:][same]
    drop = moved("jawOpen", "lips")[:, 1]
    swap = drop[one] < drop[other]
    return np.where(swap, other, one), np.where(swap, one, other)


@cache
def twins(material: str) -> Array:
    """For each point, the one mirrored across the middle; of points in one place the one that an open jaw moves
    alike."""
    here = np.concatenate([points(material), moved("jawOpen", material)[:, 1:]], axis=1)
    there = here * [-1, 1, 1, 1, 1]
    result = np.empty(len(here), np.intp)
    result[np.lexsort(here.round(6).T + 0.0)] = np.lexsort(there.round(6).T + 0.0)
    assert np.abs(here[result] - there).max() < 3e-6
    return result


def test_the_file_is_a_glb_of_at_most_3_mb_whose_buffer_is_in_it() -> None:
    assert FACE.stat().st_size <= 3_000_000
    assert glb().json["asset"]["version"] == "2.0"
    assert [set(buffer) & {"uri"} for buffer in glb().json["buffers"]] == [set()]
    assert "images" not in glb().json and not glb().json.get("extensionsRequired")


@pytest.mark.parametrize("mesh", ["face", "eyeLeft", "eyeRight"])
def test_a_mesh_that_moves_names_the_52_blend_shapes_in_wire_order(mesh: str) -> None:
    about = glb().mesh(mesh)
    assert about["extras"]["targetNames"] == list(ARKIT_52)
    assert about["weights"] == [0.0] * 52
    assert {len(one["targets"]) for one in about["primitives"]} == {52}


def test_numbers_are_finite_normals_are_of_length_one_and_triangles_name_points_that_exist() -> None:
    for _, one in all_pieces():
        places, normals = (glb().accessor(one["attributes"][kind]) for kind in ("POSITION", "NORMAL"))
        assert np.isfinite(places).all() and len(places) == len(normals)
        assert np.linalg.norm(normals, axis=1) == pytest.approx(1.0, abs=1e-3)
        triangles = glb().accessor(one["indices"])
        assert triangles.max() < len(places) and len(triangles) % 3 == 0
        for target in one.get("targets", []):
            for accessor in target.values():
                values = glb().accessor(accessor)
                assert np.isfinite(values).all() and len(values) == len(places)


def test_stated_bounds_are_the_values() -> None:
    for about, number in ((about, i) for i, about in enumerate(glb().json["accessors"]) if "min" in about):
        values = glb().accessor(number)
        assert values.min(0) == pytest.approx(about["min"], abs=1e-9) and values.max(0) == pytest.approx(
            about["max"], abs=1e-9
        )


def test_it_is_a_head_in_metres_that_looks_along_z_with_its_own_left_at_positive_x() -> None:
    skin = points("skin")
    assert 0.18 < np.ptp(skin[:, 1]) < 0.3 and 0.12 < np.ptp(skin[:, 0]) < 0.2
    assert skin[skin[:, 2].argmax(), 0] == pytest.approx(0.0, abs=0.005)
    assert glb().node("eyeLeft")["translation"][0] > 0.02 > 0 > glb().node("eyeRight")["translation"][0]


def test_the_head_turns_with_face_eyes_and_hair_and_the_body_stays() -> None:
    names = [node["name"] for node in glb().json["nodes"]]
    assert {names[child] for child in glb().node("head")["children"]} == {"face", "eyeLeft", "eyeRight", "hair"}
    assert {names[child] for child in glb().node("root")["children"]} == {"body", "head"}


def test_every_blend_shape_moves_something_by_a_visible_and_sane_amount() -> None:
    for name in ARKIT_52:
        with case(name):
            number = ARKIT_52.index(name)
            moves = [
                glb().accessor(one["targets"][number]["POSITION"]) for _, one in all_pieces() if one.get("targets")
            ]
            assert 0.1 * CM < max(np.linalg.norm(move, axis=1).max() for move in moves) < 5 * CM


@pytest.mark.parametrize("material", ["skin", "lips", "mouth", "brow"])
def test_right_is_left_mirrored(material: str) -> None:
    other = twins(material)
    for left in (*LEFT, "jawLeft"):
        mirrored = moved(left, material)[other] * [-1, 1, 1]
        assert np.abs(moved(left.removesuffix("Left") + "Right", material) - mirrored).max() < 1e-6, left


@pytest.mark.parametrize("name", [name for name in ARKIT_52 if not name.endswith(("Left", "Right"))])
def test_what_has_no_side_is_even(name: str) -> None:
    assert np.abs(moved(name) - moved(name)[twins("skin")] * [-1, 1, 1]).max() < 1e-6


def test_a_left_shape_moves_mostly_the_characters_left() -> None:
    for name in [name for name in LEFT if not name.startswith(("jaw", "mouthLeft"))]:
        with case(name):
            size, x = np.linalg.norm(moved(name), axis=1), points("skin")[:, 0]
            assert size[x > 0].sum() > 4 * size[x < 0].sum()


def test_eyes_and_brows_leave_the_lips_alone() -> None:
    for name in [name for name in ARKIT_52 if name.startswith(("eye", "brow"))]:
        with case(name):
            assert not moved(name, "lips").any() and not moved(name, "mouth").any()
            assert not moved(name)[points("skin")[:, 1] < -0.05].any()


def test_the_mouth_leaves_eyes_and_brows_alone() -> None:
    for name in [name for name in ARKIT_52 if name.startswith(("mouth", "jaw", "tongue"))]:
        with case(name):
            assert not moved(name, "brow").any()
            assert np.abs(moved(name)[points("skin")[:, 1] > -0.008]).max() < 0.05 * CM


def test_an_open_jaw_parts_the_lips_and_takes_the_lower_teeth_and_the_tongue_down() -> None:
    upper, lower = lips_at(jawOpen=1.0)
    gap = np.linalg.norm(upper - lower, axis=1)
    assert gap.max() > 2.0 * CM and upper[gap.argmax(), 1] > lower[gap.argmax(), 1]
    assert moved("jawOpen", "tongue")[:, 1].max() < -0.5 * CM
    teeth = moved("jawOpen", "teeth")
    assert teeth[:, 1].min() < -2.0 * CM and (~teeth.any(axis=1)).sum() > 0.4 * len(teeth)


@pytest.mark.parametrize("weight", [0.15, 0.5, 1.0])
def test_lips_seal_where_mouth_close_is_jaw_open_with_the_teeth_apart(weight: float) -> None:
    upper, lower = lips_at(jawOpen=weight, mouthClose=weight)
    assert np.linalg.norm(upper - lower, axis=1).max() < 0.001 * CM
    assert weight * moved("jawOpen", "teeth")[:, 1].min() < -weight * 2.0 * CM


SEALED = (
    "Pucker",
    "SmileLeft",
    "FrownLeft",
    "DimpleLeft",
    "StretchLeft",
    "PressLeft",
    "Left",
    "ShrugLower",
    "ShrugUpper",
)


@pytest.mark.parametrize("name", SEALED)
def test_shapes_of_closed_lips_leave_them_closed(name: str) -> None:
    upper, lower = lips_at(**{f"mouth{name}": 1.0})
    assert np.linalg.norm(upper - lower, axis=1).max() < 0.02 * CM


def test_a_funnel_is_a_narrow_open_ring_and_a_pucker_a_narrower_closed_one() -> None:
    rest, _ = lips_at()
    wide = np.ptp(rest[:, 0])
    for name, least, opening in (("mouthFunnel", 0.4, 0.5), ("mouthPucker", 0.3, 0.0)):
        upper, lower = lips_at(**{name: 1.0})
        assert least * wide < np.ptp(upper[:, 0]) < 0.75 * wide
        assert np.abs(upper[:, 1] - lower[:, 1]).max() >= opening * CM
        assert (upper[:, 2] - rest[:, 2]).mean() > 0.4 * CM


def test_a_smile_raises_and_widens_the_corner_and_a_frown_lowers_it() -> None:
    corner = points("lips")[:, 0].argmax()
    smile, frown, stretch = (
        moved(name, "lips")[corner] / CM for name in ("mouthSmileLeft", "mouthFrownLeft", "mouthStretchLeft")
    )
    assert smile[0] > 0.4 and smile[1] > 0.4
    assert frown[1] < -0.4
    assert stretch[0] > 0.5 and abs(stretch[1]) < stretch[0]


def test_jaw_and_mouth_left_go_to_the_characters_left() -> None:
    chin = points("skin")[:, 1].argmin()
    assert moved("jawLeft")[chin, 0] > 0.2 * CM > -0.2 * CM > moved("jawRight")[chin, 0]
    assert moved("mouthLeft", "lips")[:, 0].min() > 0.2 * CM


@pytest.mark.parametrize(("name", "axis", "sign"), [("Up", 1, 1), ("Down", 1, -1), ("In", 0, -1), ("Out", 0, 1)])
def test_an_eye_looks_where_its_shape_says(name: str, axis: int, sign: int) -> None:
    pupil = points("eye", "eyeLeft")[:, 2].argmax()
    assert sign * moved(f"eyeLook{name}Left", "eye", "eyeLeft")[pupil, axis] > 0.6 * CM
    assert not moved(f"eyeLook{name}Right", "eye", "eyeLeft").any()


def test_a_blink_covers_the_eyeball() -> None:
    """Seen from the front, no line of sight to the left eye's iris passes between the lids."""
    skin = points("skin") + moved("eyeBlinkLeft")
    triangles = glb().accessor(piece("skin")["indices"]).reshape(-1, 3)
    at = np.array(glb().node("eyeLeft")["translation"]) + np.array(glb().node("head")["translation"])
    eye = points("eye", "eyeLeft") + moved("eyeBlinkLeft", "eye", "eyeLeft") + at
    near = np.abs(skin[triangles] - at)[..., :2].max((1, 2)) < 4 * CM
    for x, y, z in eye[points("eye", "eyeLeft")[:, 2] > 1.6 * CM]:
        assert in_front(skin[triangles[near]], x, y) > z


def in_front(corners: Array, x: float, y: float) -> float:
    """z of the foremost triangle (M, 3, 3) over (x, y); minus infinity where there is none."""
    a, b, c = (corners[:, i] - [x, y, 0.0] for i in range(3))
    pairs = ((b, c), (c, a), (a, b))
    weights = np.stack([one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] for one, two in pairs], axis=1)
    over = (weights >= 0).all(1) | (weights <= 0).all(1)
    total = weights[over].sum(1)
    deep = (weights[over] * corners[over][..., 2]).sum(1)[total != 0] / total[total != 0]
    return float(deep.max(initial=-np.inf))


def test_the_tongue_comes_out_between_the_lips() -> None:
    front = points("lips")[:, 2].max()
    assert points("tongue")[:, 2].max() < front - 1 * CM
    assert (points("tongue") + moved("tongueOut", "tongue"))[:, 2].max() > front


def test_the_skin_has_no_hole_but_eyes_mouth_and_neck() -> None:
    """Skin, lips and mouth share their edges; what is left open is the rims of the lids, the throat and the neck."""
    corners, start = [], 0
    for material in ("skin", "lips", "mouth"):
        corners.append(points(material)[glb().accessor(piece(material)["indices"])[:, 0]])
        start += len(points(material))
    _, numbers = np.unique(np.concatenate(corners).round(7), axis=0, return_inverse=True)
    edges: dict[tuple[int, int], int] = {}
    for a, b, c in numbers.reshape(-1, 3):
        for one, two in ((a, b), (b, c), (c, a)):
            edges[min(one, two), max(one, two)] = edges.get((min(one, two), max(one, two)), 0) + 1
    where = {number: place for number, place in zip(numbers, np.concatenate(corners), strict=True)}
    for (one, two), count in edges.items():
        if count == 1:
            middle = (where[one] + where[two]) / 2
            in_eye = np.linalg.norm(np.abs(middle) - [0.0325, 0.0035, 0.0485]) < 0.027
            assert in_eye or middle[2] < 0.035, middle


def test_the_scripts_make_the_file_that_is_shipped() -> None:
    pytest.importorskip("pygltflib", reason="pygltflib writes the face; it comes with the extra 'preview'")
    from make_face.glb import encoded
    from make_face.whole import build

    made, shipped = Glb(encoded(build())), glb()
    assert made.json["nodes"] == shipped.json["nodes"] and made.json["materials"] == shipped.json["materials"]
    assert [mesh["name"] for mesh in made.json["meshes"]] == [mesh["name"] for mesh in shipped.json["meshes"]]
    for ours, theirs in zip(made.json["meshes"], shipped.json["meshes"], strict=True):
        for one, two in zip(ours["primitives"], theirs["primitives"], strict=True):
            for kind in ("POSITION", "NORMAL"):
                near = np.abs(
                    made.accessor(one["attributes"][kind]) - shipped.accessor(two["attributes"][kind]).astype(float)
                ).max()
                assert near < (1e-6 if kind == "POSITION" else 1e-3)
            assert np.array_equal(made.accessor(one["indices"]), shipped.accessor(two["indices"]))
            for mine, other in zip(one.get("targets", []), two.get("targets", []), strict=True):
                assert np.abs(made.accessor(mine["POSITION"]) - shipped.accessor(other["POSITION"])).max() < 3e-5
