"""Sliders to a character and back, solo and mute, and the same poses as a character gives in a session."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import Character, CharacterError, load_character
from arkit_mapping.character.file import PRESETS, starter
from arkit_mapping.character.head import Head
from arkit_mapping.character.smoothing import Smoothing
from livelink_bridge.preview.editor.character_edit import GROUPS, PIECE_POSES, Adjustments, smoothing_of, smoothness_of

JAW, CLOSE, YAW = (CHANNELS_61.index(name) for name in ("JawOpen", "MouthClose", "HeadYaw"))


def poses(frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((frames, 61), np.float32)


def read_back(adjusted: Adjustments, tmp_path) -> Character:
    (tmp_path / "it.yaml").write_text(adjusted.yaml(), encoding="utf-8")
    return load_character(tmp_path / "it.yaml")


def test_the_groups_are_the_61_channels_each_once():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(CHANNELS_61)
    assert list(GROUPS) == ["jaw", "lips", "smile", "cheeks", "brows", "eyes", "head"]
    assert "MouthSmileLeft" in GROUPS["smile"] and "LeftEyeYaw" in GROUPS["eyes"] and "MouthClose" in GROUPS["jaw"]


def test_untouched_it_changes_nothing_of_poses_within_range():
    given_poses = poses(100)
    np.testing.assert_array_equal(Adjustments().apply(given_poses), given_poses)


def test_poses_are_what_the_character_gives_in_a_session_whatever_the_pieces():
    worn = Character(
        gain={"JawOpen": 1.4}, curve={"MouthFunnel": 2}, smoothing={"mouth": Smoothing(5, 40)}, symmetry={"all": 0.5}
    )
    given_poses = poses(2 * PIECE_POSES + 17)
    adjusted = Adjustments.from_character(worn)
    np.testing.assert_array_equal(adjusted.apply(given_poses), worn.stream().push(given_poses))
    assert [len(piece) for piece in adjusted.pieces(given_poses)] == [PIECE_POSES, PIECE_POSES, 17]


def test_what_is_no_number_becomes_neutral_and_no_poses_are_no_poses():
    broken = poses(3)
    broken[1, 5], broken[2, 7] = np.nan, np.inf
    out = Adjustments().apply(broken)
    assert np.isfinite(out).all() and out[1, 5] == 0 and out[2, 7] == 0
    assert Adjustments().apply(np.zeros((0, 61), np.float32)).shape == (0, 61)


def test_a_slider_moves_one_channel_and_is_read_back():
    adjusted = Adjustments().with_("jawLeft", gain=0.5, offset=0.1, lowest=0.2, highest=0.6, curve=2.0)
    knobs = adjusted.slider_values("JawLeft")
    assert (knobs.gain, knobs.offset, knobs.lowest, knobs.highest, knobs.curve) == (0.5, 0.1, 0.2, 0.6, 2.0)
    assert adjusted.changed() == {"JawLeft"}
    out = adjusted.apply(np.full((1, 61), 0.8, np.float32))[0]
    assert out[CHANNELS_61.index("JawLeft")] == pytest.approx((0.8 * 0.5 + 0.1) ** 2)
    assert np.delete(out, CHANNELS_61.index("JawLeft")) == pytest.approx(0.8)


def test_none_takes_an_entry_away_again():
    adjusted = Adjustments().with_("JawOpen", gain=2, offset=0.1, lowest=0.1, curve=2, min_cutoff_hz=4)
    back = adjusted.with_("JawOpen", gain=None, offset=None, lowest=None, curve=None, min_cutoff_hz=None)
    assert back.character() == Adjustments().with_("JawOpen", min_cutoff_hz=None).character()
    assert back.changed() == frozenset()


def test_a_group_moves_its_channels_and_mouth_close_goes_on_following_the_jaw():
    adjusted = Adjustments().with_("jaw", gain=1.5)
    assert set(adjusted.character().gain) == set(GROUPS["jaw"]) - {"MouthClose"}
    assert adjusted.slider_values("MouthClose").gain == 1.5 and adjusted.slider_values("MouthClose").follows
    sealed = np.zeros((1, 61), np.float32)
    sealed[:, [JAW, CLOSE]] = 0.4
    out = adjusted.apply(sealed)[0]
    assert out[JAW] == out[CLOSE] == np.float32(0.6)


def test_a_group_of_weights_and_angles_gives_an_offset_to_its_weights_only():
    adjusted = Adjustments().with_("eyes", offset=0.1, gain=0.5)
    assert adjusted.slider_values("EyeBlinkLeft").offset == 0.1 and adjusted.slider_values("LeftEyeYaw").offset == 0
    assert adjusted.slider_values("LeftEyeYaw").gain == 0.5
    assert Adjustments().with_("head", offset=0.2).slider_values("HeadYaw").offset == 0.2


def test_mouth_close_of_its_own_follows_no_more():
    adjusted = Adjustments().with_("JawOpen", gain=2).with_("MouthClose", gain=1.1)
    assert adjusted.slider_values("MouthClose").gain == 1.1 and not adjusted.slider_values("MouthClose").follows
    assert adjusted.with_("MouthClose", gain=None).slider_values("MouthClose").gain == 2


def test_a_limit_pushes_the_other_one_along():
    knobs = Adjustments().with_("JawOpen", highest=0.4).with_("JawOpen", lowest=0.7).slider_values("JawOpen")
    assert (knobs.lowest, knobs.highest) == (0.7, 0.7)


def test_smoothing_the_jaw_smooths_mouth_close_alike_and_sealed_lips_stay_sealed(tmp_path):
    adjusted = Adjustments().with_("JawOpen", min_cutoff_hz=5, beta=35)
    assert (
        adjusted.slider_values("MouthClose").smoothing
        == adjusted.slider_values("JawOpen").smoothing
        == Smoothing(5, 35)
    )
    loaded = Adjustments.from_character(read_back(adjusted, tmp_path)).with_("JawOpen", beta=50)
    assert loaded.slider_values("MouthClose").smoothing == Smoothing(5, 50)
    sealed = np.zeros((200, 61), np.float32)
    sealed[:, [JAW, CLOSE]] = np.random.default_rng(2).random((200, 1))
    out = loaded.apply(sealed)
    np.testing.assert_array_equal(out[:, JAW], out[:, CLOSE])


def test_one_slider_for_smoothing_goes_from_off_to_the_calmest_that_speech_bears():
    assert smoothing_of(0) is None and smoothness_of(None) == 0
    stops = [smoothing_of(share) for share in (0.25, 0.5, 0.75, 1.0)]
    assert [stop.min_cutoff_hz for stop in stops] == sorted((stop.min_cutoff_hz for stop in stops), reverse=True)
    for share in (0.05, 0.25, 0.5, 0.75, 1.0):
        adjusted = Adjustments().with_("lips", smoothness=share)
        assert adjusted.slider_values("MouthFunnel").smoothness == pytest.approx(share, abs=0.01)
    assert Adjustments().with_("lips", smoothness=1).with_("lips", smoothness=0).changed() == frozenset()


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"gain": 11}, "gain of JawOpen: got 11"),
        ({"gain": float("nan")}, "gain of JawOpen"),
        ({"offset": 2}, "offset of JawOpen"),
        ({"curve": 0}, "curve of JawOpen"),
        ({"lowest": -1}, "lowest of JawOpen"),
        ({"highest": float("nan")}, "highest of JawOpen"),
        ({"lowest": "x"}, "lowest of JawOpen"),
        ({"min_cutoff_hz": 0.1, "beta": 0}, "delay speech"),
        ({"beta": 500}, "beta"),
        ({"smoothness": 2}, "smoothness"),
        ({"gian": 1}, "unknown slider 'gian', did you mean gain"),
    ],
)
def test_what_a_character_file_may_not_say_is_one_line(changes, words):
    with pytest.raises(CharacterError, match="^[^\n]*$") as caught:
        Adjustments().with_("JawOpen", **changes)
    assert words in str(caught.value)


def test_an_unknown_channel_or_group_is_one_line_with_the_nearest():
    now = Adjustments()
    for wrong in (lambda: now.with_("JawOpem", gain=1), lambda: now.with_solo("lisp"), lambda: now.slider_values("x")):
        with pytest.raises(CharacterError, match="unknown channel"):
            wrong()
    with pytest.raises(CharacterError, match="an angle has no curve"):
        Adjustments().with_("HeadYaw", curve=2.0)


def test_reset_takes_a_channel_or_a_group_back():
    adjusted = (
        Adjustments().with_("jaw", gain=2, min_cutoff_hz=5).with_("MouthClose", offset=0.1).with_("brows", gain=0.5)
    )
    assert adjusted.reset("jaw").changed() == set(GROUPS["brows"])
    assert "JawOpen" not in adjusted.reset("JawOpen").character().gain


def test_solo_lets_only_these_move_and_mute_all_but_these_and_neither_is_saved():
    given_poses = poses(10)
    mouth = Adjustments().with_solo("jaw", "TongueOut")
    out = mouth.apply(given_poses)
    moving = {CHANNELS_61[at] for at in np.flatnonzero(out.any(0))}
    assert moving == {*GROUPS["jaw"], "TongueOut"}
    quiet = Adjustments().with_muted("brows")
    assert {CHANNELS_61[at] for at in np.flatnonzero(~quiet.apply(given_poses).any(0))} == set(GROUPS["brows"])
    assert mouth.yaml() == quiet.yaml() == Adjustments().yaml()
    np.testing.assert_array_equal(mouth.unmasked().apply(given_poses), given_poses)
    assert not mouth.with_solo().solo


def test_mute_holds_a_channel_at_rest_even_with_an_offset():
    out = Adjustments().with_("BrowInnerUp", offset=0.5).with_muted("BrowInnerUp").apply(poses(3))
    assert not out[:, CHANNELS_61.index("BrowInnerUp")].any()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_survives_being_opened_and_saved(preset, tmp_path):
    (tmp_path / "given.yaml").write_text(starter(preset), encoding="utf-8")
    worn = load_character(tmp_path / "given.yaml")
    again = read_back(Adjustments.from_character(worn), tmp_path)
    np.testing.assert_array_equal(again.stream().push(poses(50)), worn.stream().push(poses(50)))
    assert again.closure == worn.closure


def test_every_key_of_a_character_survives(tmp_path):
    worn = Character(
        name="Zoë: #1",
        gain={"JawOpen": 1.2, "headYaw": -2},
        offset={"BrowInnerUp": 0.05},
        limits={"JawOpen": (0.0, 0.8), "HeadYaw": (-1, 1)},
        curve={"MouthPucker": 1.3, "MouthSmileLeft": [[0.3, 0.1], [0.7, 0.8]]},
        symmetry={"all": 0.3, "MouthSmile": 1},
        closure="arkit",
        smoothing={"mouth": Smoothing(4, 30), "JawOpen": None},
        head=Head(yaw=-1, gain=0.5),
    )
    again = read_back(Adjustments.from_character(worn), tmp_path)
    np.testing.assert_array_equal(again.stream().push(poses(50)), worn.stream().push(poses(50)))
    assert (again.name, again.closure, again.head) == (worn.name, worn.closure, worn.head)
    text = Adjustments.from_character(worn).yaml()
    assert Adjustments.from_character(again).yaml() == text, "saving twice gives the same file"


def test_a_group_that_is_smoothed_alike_is_one_line_of_the_file():
    text = Adjustments.from_character(Character(smoothing={"all": Smoothing(4, 30)})).yaml()
    assert len(text.splitlines()) <= 4, text


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*CHANNELS_61[:52], *GROUPS]),
            st.sampled_from(["gain", "lowest", "highest", "smoothness"]),
            st.floats(0, 1),
        ),
        max_size=8,
    )
)
def test_any_sliders_give_a_file_that_gives_the_same_poses(tmp_path_factory, moves):
    adjusted = Adjustments()
    for what, key, value in moves:
        adjusted = adjusted.with_(what, **{key: round(value, 2)})
    again = read_back(adjusted, tmp_path_factory.mktemp("yaml"))
    np.testing.assert_allclose(again.stream().push(poses(30)), adjusted.apply(poses(30)), atol=1e-6)
