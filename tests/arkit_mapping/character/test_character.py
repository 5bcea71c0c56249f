"""A character's gain, offset and limits, and lips that close and do not flutter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import case
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from arkit_mapping import CHANNELS_61, NEUTRAL
from arkit_mapping.character.character import Character, CharacterError, Head, Smoothing, closed_lips, load_character

JAW, CLOSE, YAW = (CHANNELS_61.index(name) for name in ("JawOpen", "MouthClose", "HeadYaw"))


def mouth(jaw: object, close: object) -> np.ndarray:
    """float32 (frames, 61) with only JawOpen and MouthClose set."""
    jaw, close = np.broadcast_arrays(np.atleast_1d(jaw), close)
    poses = np.zeros((len(jaw), 61), np.float32)
    poses[:, JAW], poses[:, CLOSE] = jaw, close
    return poses


def rig_ratio(poses: np.ndarray) -> np.ndarray:
    """How far a MetaHuman's lips are together: what its rig makes of the two weights."""
    jaw, close = poses[..., JAW].astype(float), poses[..., CLOSE].astype(float)
    return np.clip(np.divide(close, jaw, out=np.zeros_like(jaw), where=jaw > 0), 0, 1)


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ada.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@settings(deadline=None)
@given(hnp.arrays(np.float32, st.sampled_from([(61,), (3, 61), (0, 61)]), elements=st.floats(width=32)))
def test_any_pose_comes_out_finite_and_in_range(poses: np.ndarray) -> None:
    worn = Character().apply(poses)
    assert worn.shape == poses.shape
    assert worn.dtype == np.float32
    assert np.isfinite(worn).all()
    assert ((worn[..., :52] >= 0) & (worn[..., :52] <= 1)).all()
    good = np.isfinite(poses) & (poses >= 0) & (poses <= 1)
    np.testing.assert_array_equal(worn[good], poses[good])


def test_angles_pass_unclamped_and_the_input_is_left_alone() -> None:
    pose = NEUTRAL.copy()
    pose[YAW] = -1.5
    pose[JAW] = 1.5
    worn = Character().apply(pose)
    assert (worn[YAW], worn[JAW], pose[JAW]) == (-1.5, 1.0, 1.5)


def test_gain_comes_before_offset_and_limits_come_last() -> None:
    character = Character(
        gain={"jawOpen": 2},
        offset={"JawOpen": 0.1, "HeadYaw": 0.2},
        limits={"JawOpen": (0.0, 0.6), "HeadYaw": (-0.1, 0.1)},
    )
    worn = character.apply(mouth([0.1, 0.2, 0.4], 0))
    np.testing.assert_allclose(worn[:, JAW], [0.3, 0.5, 0.6], atol=1e-6)
    np.testing.assert_allclose(worn[:, YAW], 0.1, atol=1e-6)


def test_mouth_close_follows_the_jaws_gain_so_that_sealed_lips_stay_sealed() -> None:
    sealed = mouth(0.3, 0.3)
    np.testing.assert_allclose(Character(gain={"JawOpen": 1.5}).apply(sealed)[0, [JAW, CLOSE]], [0.45, 0.45], atol=1e-6)
    own = Character(gain={"JawOpen": 1.5, "mouthClose": 0.5}).apply(sealed)
    np.testing.assert_allclose(own[0, [JAW, CLOSE]], [0.45, 0.15], atol=1e-6)


def test_a_curve_comes_after_gain_and_offset_and_before_limits() -> None:
    character = Character(
        gain={"JawOpen": 2}, offset={"JawOpen": 0.1}, curve={"JawOpen": 2}, limits={"JawOpen": (0.0, 0.5)}
    )
    np.testing.assert_allclose(character.apply(mouth([0.1, 0.2, 0.4], 0))[:, JAW], [0.09, 0.25, 0.5], atol=1e-6)


def test_symmetry_comes_first_so_that_a_gain_can_still_make_a_crooked_smile() -> None:
    pose = NEUTRAL.copy()
    left, right = (CHANNELS_61.index(f"MouthSmile{side}") for side in ("Left", "Right"))
    pose[left] = 0.4
    worn = Character(symmetry={"all": 1}, gain={"MouthSmileRight": 2}).apply(pose)
    np.testing.assert_allclose(worn[[left, right]], [0.2, 0.4], atol=1e-6)


def test_a_head_turns_by_its_own_signs_and_gain_on_top_of_the_channels() -> None:
    angles = [CHANNELS_61.index(f"Head{axis}") for axis in ("Yaw", "Pitch", "Roll")]
    pose = np.full(61, 0.2, np.float32)
    worn = Character(head=Head(yaw=-1, roll=-1, gain=0.5), gain={"HeadPitch": 3}).apply(pose)
    np.testing.assert_allclose(worn[angles], [-0.1, 0.3, -0.1], atol=1e-6)
    np.testing.assert_array_equal(np.delete(worn, angles), np.delete(pose, angles))


@settings(deadline=None)
@given(hnp.arrays(np.float32, st.sampled_from([(61,), (3, 61), (0, 61)]), elements=st.floats(width=32)))
@example(np.array([[-3e38] * 61, [3e38] * 61], np.float32))
@example(np.array([[-9e5] * 61, [9e5] * 61], np.float32))
def test_any_pose_comes_out_finite_and_in_range_of_a_character_with_everything(poses: np.ndarray) -> None:
    smoothing = {"all": Smoothing(3, 30)}
    character = Character(
        gain={"JawOpen": 2},
        curve={"JawOpen": [[0.5, 0.1]], "MouthPucker": 0.5},
        symmetry={"all": 0.5},
        smoothing=smoothing,
    )
    worn = character.stream().push(poses)
    assert worn.shape == poses.shape
    assert worn.dtype == np.float32
    assert np.isfinite(worn).all()
    assert ((worn[..., :52] >= 0) & (worn[..., :52] <= 1)).all()


def test_a_character_applies_to_one_frame_as_it_is_among_many() -> None:
    character = Character(
        gain={"JawOpen": 1.3}, curve={"JawOpen": [[0.2, 0.3], [0.6, 0.7]], "MouthPucker": 1.5}, symmetry={"all": 0.5}
    )
    poses = np.random.default_rng(5).random((50, 61), np.float32)
    np.testing.assert_allclose(np.stack([character.apply(pose) for pose in poses]), character.apply(poses), atol=1e-6)


def test_a_stream_smooths_what_the_character_makes_of_each_pose_and_apply_does_not() -> None:
    poses = np.random.default_rng(6).random((60, 61), np.float32)
    smooth, plain = (Character(gain={"JawOpen": 0.5}, smoothing=entry) for entry in ({"mouth": Smoothing(3, 30)}, {}))
    np.testing.assert_array_equal(smooth.apply(poses), plain.apply(poses))
    np.testing.assert_array_equal(plain.stream().push(poses), plain.apply(poses))
    streamed = smooth.stream().push(poses)
    assert np.abs(np.diff(streamed[:, JAW])).mean() < np.abs(np.diff(plain.apply(poses)[:, JAW])).mean()
    brow = CHANNELS_61.index("BrowInnerUp")
    np.testing.assert_array_equal(streamed[:, brow], poses[:, brow])


def test_two_streams_of_a_character_know_nothing_of_each_other_and_reset_forgets() -> None:
    character = Character(smoothing={"all": Smoothing(3, 30)})
    poses = np.random.default_rng(7).random((20, 61), np.float32)
    first, second = character.stream(), character.stream()
    expected = first.push(poses)
    np.testing.assert_array_equal(second.push(poses), expected)
    first.reset()
    np.testing.assert_array_equal(first.push(poses), expected)


def test_characters_that_do_the_same_are_equal() -> None:
    assert Character(smoothing={"mouth": Smoothing(20)}, head=Head(yaw=-1)) == Character(
        smoothing={"mouth": Smoothing(20)}, head=Head(yaw=-1)
    )
    assert Character(closure="arkit") != Character()


def test_a_file_makes_the_character_it_describes(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        "name: Jörg\ngain: {JawOpen: 1.2, HeadYaw: -1}\noffset:\n  browInnerUp: 0.05\nlimits: {JawOpen: [0, 0.8]}\n",
    )
    expected = Character("Jörg", {"JawOpen": 1.2, "HeadYaw": -1}, {"browInnerUp": 0.05}, {"JawOpen": (0, 0.8)})
    pose = np.linspace(0, 1, 61, dtype=np.float32)
    np.testing.assert_array_equal(load_character(path).apply(pose), expected.apply(pose))
    assert load_character(path).name == "Jörg"


@pytest.mark.parametrize("text", ["", "{}", "gain:\noffset: {}\n", "# nothing yet\n"])
def test_a_file_that_sets_nothing_is_the_plain_character(tmp_path: Path, text: str) -> None:
    pose = np.linspace(0, 1, 61, dtype=np.float32)
    np.testing.assert_array_equal(load_character(saved(tmp_path, text)).apply(pose), pose)


BAD = {
    "an unknown key": ("gains: {JawOpen: 1}", "unknown key 'gains', did you mean gain?"),
    "an unknown channel": ("gain: {JawOpne: 1}", "gain: unknown channel 'JawOpne', did you mean JawOpen?"),
    "a channel in the wrong case": ("offset: {jawopen: 0}", "did you mean JawOpen?"),
    "a channel like none": ("limits: {Elbow: [0, 1]}", "unknown channel 'Elbow'"),
    "a number as a word": ("gain: {JawOpen: loud}", "gain of JawOpen: got 'loud', expected a number from 0 to 10"),
    "a truth value": ("gain: {JawOpen: yes}", "got True"),
    "a negative weight gain": ("gain: {JawOpen: -1}", "from 0 to 10"),
    "a gain that is not a number": ("gain: {JawOpen: .nan}", "got nan"),
    "an offset too large": ("offset: {JawOpen: 2}", "from -1 to 1"),
    "an angle in degrees": ("offset: {HeadYaw: 15}", "from -3.142 to 3.142"),
    "limits the wrong way round": ("limits: {JawOpen: [0.8, 0.2]}", "lowest 0.8 above highest 0.2"),
    "one limit": ("limits: {JawOpen: 0.8}", "expected [lowest, highest]"),
    "a limit out of range": ("limits: {JawOpen: [0, 1.2]}", "got 1.2"),
    "a list for channels": ("gain: [JawOpen]", "expected channels and their values"),
    "a list for a file": ("- gain", "got list, expected keys: name, gain, offset, limits"),
    "a curve of nothing": ("curve: {JawOpen: 0}", "curve of JawOpen: got 0, expected a number from 0.1 to 10"),
    "smoothing that is late": (
        "smoothing: {mouth: {min_cutoff_hz: 2}}",
        "smoothing of mouth: got min_cutoff_hz 2 and beta 0, which delay",
    ),
    "an unknown group": ("smoothing: {lips: {min_cutoff_hz: 20}}", "unknown channel or group 'lips'"),
    "an unknown pair": ("symmetry: {MouthSmileLeft: 1}", "did you mean MouthSmile?"),
    "an unknown rule": (
        "closure: metahumans",
        "closure: unknown rule 'metahumans', did you mean metahuman?; known are auto, arkit, metahuman",
    ),
    "an unknown axis": ("head: {jaw: 1}", "head: unknown key 'jaw', did you mean yaw?"),
    "a sign that is none": ("head: {yaw: 0.5}", "yaw of head: got 0.5, expected 1 or -1"),
    "a head gain out of range": ("head: {gain: -1}", "gain of head: got -1, expected a number from 0 to 10"),
    "an unknown preset": ("preset: metahumen", "preset: unknown name 'metahumen', did you mean metahuman?"),
    "no YAML": ("gain: {JawOpen: 1", "is not YAML"),
}


@pytest.mark.parametrize(("text", "reason"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_in_one_line_that_names_it(tmp_path: Path, text: str, reason: str) -> None:
    path = saved(tmp_path, text)
    with pytest.raises(CharacterError) as caught:
        load_character(path)
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_absent_binary_or_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x80")
    for name, reason in (("none.yaml", "No such file"), ("binary.yaml", "is not YAML"), (".", "cannot be read")):
        with pytest.raises(CharacterError, match=reason):
            load_character(tmp_path / name)


def test_the_arkit_rule_leaves_the_lips_as_predicted() -> None:
    poses = np.random.default_rng(0).random((50, 61), np.float32)
    closed = closed_lips(poses, "arkit")
    np.testing.assert_array_equal(closed, poses)
    assert closed is not poses


def test_the_metahuman_rule_changes_mouth_close_and_nothing_else() -> None:
    poses = np.random.default_rng(0).random((50, 61), np.float32)
    before = poses.copy()
    closed = closed_lips(poses, "metahuman")
    np.testing.assert_array_equal(np.delete(closed, CLOSE, axis=1), np.delete(poses, CLOSE, axis=1))
    assert (closed[:, CLOSE] != poses[:, CLOSE]).any()
    np.testing.assert_array_equal(poses, before)


def test_p_b_and_m_seal_whatever_the_jaws_opening() -> None:
    for share in [0.92, 1.0, 1.3, 4.0]:
        for jaw in [0.02, 0.05, 0.1, 0.3, 0.7, 1.0]:
            with case(jaw, share):
                close = max(min(jaw * share, 1.0), 0.02)
                assert rig_ratio(closed_lips(mouth(jaw, close), "metahuman")) == pytest.approx(1.0)


def test_a_closure_leaves_no_visible_slit_at_any_opening() -> None:
    jaw = np.linspace(0, 1, 2001)
    closed = closed_lips(mouth(jaw, np.maximum(jaw, 0.02)), "metahuman")
    assert (jaw * (1 - rig_ratio(closed))).max() < 0.003


def test_a_trembling_jaw_does_not_flutter_resting_lips() -> None:
    rng = np.random.default_rng(1)
    rest = mouth(rng.uniform(0, 0.012, 600), rng.uniform(0, 0.008, 600))
    assert np.ptp(rig_ratio(rest)) > 0.95, "as predicted, the ratio leaps from end to end"
    assert np.ptp(rig_ratio(closed_lips(rest, "metahuman"))) < 0.2


def test_a_jaw_that_touches_zero_during_a_closure_does_not_flip_the_lips() -> None:
    touching = mouth(np.tile([0.0, 0.003], 100), 0.3)
    assert np.ptp(rig_ratio(touching)) == 1.0, "as predicted, the ratio leaps from end to end"
    assert np.ptp(rig_ratio(closed_lips(touching, "metahuman"))) < 0.25


def test_a_trembling_jaw_that_is_nearly_shut_does_not_open_a_closure() -> None:
    nearly = mouth(np.random.default_rng(4).uniform(0.01, 0.02, 600), 0.1)
    assert rig_ratio(closed_lips(nearly, "metahuman")).min() > 0.999


def test_a_trembling_jaw_does_not_open_a_held_closure() -> None:
    rng = np.random.default_rng(2)
    held = mouth(0.1 + rng.uniform(-0.005, 0.005, 600), 0.1)
    assert rig_ratio(closed_lips(held, "metahuman")).min() > 0.999


def test_an_open_vowel_stays_open() -> None:
    vowel = closed_lips(mouth(0.5, [0.0, 0.01, 0.05]), "metahuman")
    assert (rig_ratio(vowel) < 0.12).all()


def test_the_ratio_moves_without_leaps_as_the_lips_close() -> None:
    closing = closed_lips(mouth(0.2, np.linspace(0, 0.3, 301)), "metahuman")
    steps = np.diff(rig_ratio(closing))
    assert (steps >= -1e-6).all()
    assert steps.max() < 0.02


def test_one_pose_closes_as_it_does_among_many() -> None:
    poses = np.random.default_rng(3).random((20, 61), np.float32) * 0.1
    together = closed_lips(poses, "metahuman")
    np.testing.assert_array_equal(np.stack([closed_lips(pose, "metahuman") for pose in poses]), together)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of arkit, metahuman"):
        closed_lips(NEUTRAL, "unreal")  # type: ignore[arg-type]
