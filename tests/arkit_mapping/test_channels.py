"""The names, their orders, and putting some of them into all of them."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping import ARKIT_52, CHANNELS_61, MOUTH_32, NEUTRAL, TAKE_COLUMNS, remap
from arkit_mapping.channels import camel, index_of, nearest, pascal


def test_the_wire_order_has_its_known_landmarks() -> None:
    landmarks = {
        0: "EyeBlinkLeft",
        15: "JawLeft",
        16: "JawRight",
        17: "JawOpen",
        18: "MouthClose",
        21: "MouthLeft",
        22: "MouthRight",
    }
    landmarks |= {
        41: "BrowDownLeft",
        46: "CheekPuff",
        51: "TongueOut",
        52: "HeadYaw",
        55: "LeftEyeYaw",
        60: "RightEyeRoll",
    }
    assert {at: CHANNELS_61[at] for at in landmarks} == landmarks
    assert len(set(CHANNELS_61)) == len(CHANNELS_61) == 61


def test_the_52_are_the_first_of_the_61_in_arkits_spelling() -> None:
    assert [pascal(name) for name in ARKIT_52] == list(CHANNELS_61[:52])
    assert ARKIT_52[17] == "jawOpen"


def test_the_32_are_the_mouth_and_no_eye_brow_or_tongue() -> None:
    kept = [name for name in ARKIT_52 if not name.startswith(("eye", "brow", "tongue"))]
    assert list(MOUTH_32) == kept
    assert (len(MOUTH_32), MOUTH_32[:5], MOUTH_32[-1]) == (
        32,
        ("jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose"),
        "noseSneerRight",
    )


def test_takes_put_right_before_left_in_two_pairs_and_agree_elsewhere() -> None:
    differing = [at for at in range(61) if TAKE_COLUMNS[at] != CHANNELS_61[at]]
    assert differing == [15, 16, 21, 22]
    assert [TAKE_COLUMNS[at] for at in differing] == ["JawRight", "JawLeft", "MouthRight", "MouthLeft"]


def test_a_channel_is_found_in_either_spelling() -> None:
    assert index_of("jawOpen") == index_of("JawOpen") == 17
    assert camel("JawOpen") == "jawOpen"
    with pytest.raises(KeyError, match="did you mean JawOpen"):
        index_of("jaw_open")
    assert nearest("Elbow", CHANNELS_61) == ""


def test_remap_puts_each_channel_where_its_name_says() -> None:
    numbered = np.arange(1, 33, dtype=np.float32)
    pose = remap(numbered)
    assert (pose.shape, pose.dtype) == ((61,), np.float32)
    assert {name: pose[index_of(name)] for name in MOUTH_32} == dict(zip(MOUTH_32, numbered.tolist(), strict=True))
    assert np.count_nonzero(pose) == 32


def test_remap_takes_any_order_of_names_and_many_frames_at_once() -> None:
    poses = remap(np.array([[1, 2], [3, 4]]), ["MouthRight", "jawLeft"])
    assert poses.shape == (2, 61)
    assert poses[:, 22].tolist() == [1, 3]
    assert poses[:, 15].tolist() == [2, 4]
    assert remap(np.zeros((0, 32))).shape == (0, 61)


@pytest.mark.parametrize(
    ("shape", "names", "reason"),
    [
        ((31,), MOUTH_32, r"shape \(31,\), expected \(32,\)"),
        ((1, 1, 32), MOUTH_32, "expected"),
        ((2,), ("jawOpen", "JawOpen"), "twice"),
        ((1,), ("jawopen",), "did you mean JawOpen"),
    ],
)
def test_remap_refuses_what_it_cannot_place(shape: tuple[int, ...], names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        remap(np.zeros(shape), names)


def test_neutral_is_all_zero_and_cannot_be_changed() -> None:
    assert (NEUTRAL.shape, NEUTRAL.dtype, NEUTRAL.any()) == ((61,), np.float32, np.False_)
    with pytest.raises(ValueError, match="read-only"):
        NEUTRAL[0] = 1
