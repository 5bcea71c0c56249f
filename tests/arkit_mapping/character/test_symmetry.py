"""Left and right pulled together."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.character.entries import CharacterError
from arkit_mapping.character.symmetry import PAIRS, Symmetry, by_pair

AT = {name: at for at, name in enumerate(CHANNELS_61)}


def pulled(pulls: dict[str, float], **weights: float) -> dict[str, float]:
    pose = np.zeros(61, np.float32)
    for name, weight in weights.items():
        pose[AT[name]] = weight
    after = Symmetry(pulls)(pose)
    return {name: round(float(after[at]), 5) for name, at in AT.items() if after[at]}


def test_a_pair_meets_at_its_mean_and_part_of_the_way_is_part_of_the_way() -> None:
    assert pulled({"MouthSmile": 1}, MouthSmileLeft=0.6, MouthSmileRight=0.2) == {
        "MouthSmileLeft": 0.4,
        "MouthSmileRight": 0.4,
    }
    assert pulled({"MouthSmile": 0.5}, MouthSmileLeft=0.6, MouthSmileRight=0.2) == {
        "MouthSmileLeft": 0.5,
        "MouthSmileRight": 0.3,
    }


def test_a_sideways_jaw_goes_less_far_and_moves_no_second_shape() -> None:
    assert pulled({"Jaw": 0.5}, JawLeft=0.4) == {"JawLeft": 0.2}
    assert pulled({"all": 1}, JawLeft=0.4, MouthRight=0.3) == {}


def test_all_is_every_pair_that_is_not_named() -> None:
    after = pulled({"all": 1, "MouthSmile": 0}, MouthSmileLeft=0.6, BrowDownRight=0.4)
    assert after == {"MouthSmileLeft": 0.6, "BrowDownLeft": 0.2, "BrowDownRight": 0.2}


def test_what_has_no_sides_and_where_the_eyes_look_are_left_alone() -> None:
    poses = np.random.default_rng(0).random((10, 61), np.float32)
    after = Symmetry({"all": 1})(poses)
    alone = [at for name, at in AT.items() if name.startswith("EyeLook") or not name.endswith(("Left", "Right"))]
    np.testing.assert_array_equal(after[:, alone], poses[:, alone])
    assert {"JawOpen", "EyeLookInLeft", "LeftEyeYaw", "HeadYaw"} <= {CHANNELS_61[at] for at in alone}


def test_every_pair_is_a_left_and_its_right() -> None:
    assert len(PAIRS) == 16
    for stem, (left, right) in PAIRS.items():
        assert (CHANNELS_61[left], CHANNELS_61[right]) == (f"{stem}Left", f"{stem}Right")


def test_nothing_pulled_is_nothing_to_do() -> None:
    assert not Symmetry({})
    assert not Symmetry({"all": 0})
    assert Symmetry({"all": 0.1})


def test_one_number_is_for_all_and_names_begin_with_either_case() -> None:
    assert by_pair(0.5) == dict.fromkeys(PAIRS, 0.5)
    assert by_pair({"mouthSmile": 1}) == {"MouthSmile": 1.0}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (1.5, "symmetry of all: got 1.5, expected a number from 0 to 1"),
        ({"MouthSmlie": 1}, "unknown pair 'MouthSmlie', did you mean MouthSmile?"),
        ({"MouthSmileLeft": 1}, "did you mean MouthSmile?"),
        ({"MouthSmile": "much"}, "symmetry of MouthSmile: got 'much'"),
        (True, "symmetry: got True, expected a number from 0 to 1, or pairs"),
        ("much", "symmetry: got 'much'"),
    ],
)
def test_an_entry_that_is_none_is_refused(entry: object, reason: str) -> None:
    with pytest.raises(CharacterError) as caught:
        by_pair(entry)
    assert reason in str(caught.value)
