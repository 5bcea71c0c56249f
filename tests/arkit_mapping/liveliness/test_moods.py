"""Moods: how they are named, that they leave closed lips closed, and that changes glide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from arkit_mapping import CHANNELS_61
from arkit_mapping.character.character import LipRule, closed_lips
from arkit_mapping.liveliness.moods import GLIDE_POSES, Mood, MoodBlend, MoodError, apply, names_of_moods

ALL = [name for name in names_of_moods() if name != "neutral"]
JAW, CLOSE = (CHANNELS_61.index(name) for name in ("JawOpen", "MouthClose"))
PARTING = [
    CHANNELS_61.index(name)
    for name in ("JawOpen", "MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight")
]


def pose(**weights: float) -> np.ndarray:
    """float32 (61,); a name without a side sets both sides."""
    made = np.zeros(61, np.float32)
    for name, weight in weights.items():
        made[[at for at, channel in enumerate(CHANNELS_61) if channel in (name, f"{name}Left", f"{name}Right")]] = (
            weight
        )
    return made


def at(channel: str, poses: np.ndarray) -> np.ndarray:
    return poses[..., CHANNELS_61.index(channel)]


VOWEL = pose(JawOpen=0.45, MouthLowerDown=0.25, MouthUpperUp=0.1)
SHUT = np.stack(
    [
        pose(
            JawOpen=0.056, MouthClose=0.04, MouthPress=0.19, MouthRollLower=0.14, MouthRollUpper=0.10
        ),  # p, b as the rules draw them
        pose(JawOpen=0.042, MouthClose=0.04, MouthPress=0.16, MouthRollLower=0.14, MouthRollUpper=0.10),  # m
        pose(JawOpen=0.30, MouthClose=0.30, MouthPress=0.1),  # a jaw that is dropped behind shut lips, as phones see it
        pose(JawOpen=0.25, MouthClose=0.24),
        pose(JawOpen=0.12, MouthClose=0.02, MouthPress=0.3),  # pressed whatever the jaw does
        pose(JawOpen=0.01, MouthClose=0.01),  # at rest
    ]
)


def visible_gap(poses: np.ndarray, rule: LipRule) -> np.ndarray:
    """How far lips are apart on a face that understands the rule; `metahuman` faces take MouthClose over JawOpen as
    closedness."""
    sent = closed_lips(poses, rule)
    jaw, close = at("JawOpen", sent).astype(float), at("MouthClose", sent).astype(float)
    if rule == "arkit":
        return np.maximum(jaw - close, 0)
    return jaw * (1 - np.clip(np.divide(close, jaw, out=np.zeros_like(jaw), where=jaw > 0), 0, 1))


@pytest.mark.parametrize("rule", ["arkit", "metahuman"])
@pytest.mark.parametrize("name", ALL)
def test_no_mood_parts_lips_that_are_closed(name: str, rule: LipRule) -> None:
    worn = apply(SHUT, Mood.parse(f"{name}:1"))
    assert (visible_gap(worn, rule) <= visible_gap(SHUT, rule) + 0.005).all()
    np.testing.assert_allclose(worn[:, PARTING], SHUT[:, PARTING], atol=0.01)
    np.testing.assert_array_equal(at("MouthClose", worn), at("MouthClose", SHUT))


def test_corners_of_closed_lips_still_smile() -> None:
    worn = apply(SHUT, Mood.parse("happy:1"))
    assert (at("MouthSmileLeft", worn) > 0.5).all()
    assert (at("MouthSmileRight", worn) > 0.5).all()


def test_surprise_opens_a_mouth_that_is_open_and_not_one_at_rest() -> None:
    assert at("JawOpen", apply(VOWEL, Mood.parse("surprised:1"))) > 0.5
    assert at("JawOpen", apply(SHUT[-1], Mood.parse("surprised:1"))) < 0.012


def test_anger_presses_shut_lips_and_leaves_vowels_open() -> None:
    angry = Mood.parse("angry:1")
    assert at("MouthPressLeft", apply(SHUT[-1], angry)) > 0.3
    assert at("MouthPressLeft", apply(VOWEL, angry)) == 0


def test_wide_eyes_close_fully_in_a_blink() -> None:
    surprised = Mood.parse("surprised:1")
    assert at("EyeWideLeft", apply(pose(), surprised)) > 0.5
    assert at("EyeWideLeft", apply(pose(EyeBlink=1), surprised)) == 0


def test_lips_part_gradually_and_not_at_a_threshold() -> None:
    opening = np.stack([pose(JawOpen=jaw) for jaw in np.linspace(0, 0.3, 301)])
    added = at("JawOpen", apply(opening, Mood.parse("surprised:1"))) - at("JawOpen", opening)
    assert np.abs(np.diff(added)).max() < 0.003
    assert added[-1] > 0.1


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, (3, 61), elements=st.floats(0, 1, width=32)),
    st.dictionaries(st.sampled_from(ALL), st.floats(0, 1)),
)
def test_weights_stay_in_range_and_never_fall(poses: np.ndarray, moods: dict[str, float]) -> None:
    worn = apply(poses, Mood(tuple(moods.items())))
    assert worn.dtype == np.float32
    assert (worn <= 1 + 1e-6).all()
    assert (worn >= poses - 1e-6).all()
    np.testing.assert_array_equal(worn[:, 52:], poses[:, 52:])


def test_neutral_changes_nothing_and_gives_a_new_array() -> None:
    worn = apply(SHUT, Mood.parse("neutral"))
    np.testing.assert_array_equal(worn, SHUT)
    assert worn is not SHUT
    assert not Mood().offsets.any()


def test_twice_the_intensity_is_twice_the_offset_and_moods_add_up() -> None:
    np.testing.assert_allclose(Mood.parse("sad:0.8").offsets, 2 * Mood.parse("sad:0.4").offsets, rtol=1e-6)
    both = Mood.parse("happy:0.4,surprised:0.2").offsets
    np.testing.assert_allclose(both, Mood.parse("happy:0.4").offsets + Mood.parse("surprised:0.2").offsets, rtol=1e-6)


def test_each_mood_shows_the_action_units_it_is_known_by() -> None:
    signs = {
        "happy": "MouthSmileLeft",
        "sad": "MouthFrownLeft",
        "angry": "BrowDownLeft",
        "surprised": "BrowOuterUpLeft",
    }
    signs |= {"afraid": "MouthStretchLeft", "disgusted": "NoseSneerLeft"}
    assert sorted(signs) == sorted(ALL)
    for name, channel in signs.items():
        strongest = max(ALL, key=lambda other: at(channel, Mood.parse(f"{other}:1").offsets))
        assert strongest == name


def test_moods_are_even_on_both_sides() -> None:
    for name in ALL:
        offsets = dict(zip(CHANNELS_61, Mood.parse(name).offsets.tolist(), strict=True))
        assert all(
            value == offsets[channel.replace("Left", "Right")]
            for channel, value in offsets.items()
            if channel.endswith("Left")
        )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("happy", (("happy", 0.5),)),
        ("happy:0.4", (("happy", 0.4),)),
        (" Happy : 0.4 , sad:1", (("happy", 0.4), ("sad", 1.0))),
        ("neutral", (("neutral", 0.5),)),
    ],
)
def test_a_mood_is_read_from_text(text: str, parts: tuple[tuple[str, float], ...]) -> None:
    assert Mood.parse(text).parts == parts
    assert Mood.parse(str(Mood.parse(text))) == Mood.parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hapy", "mood: got 'hapy', expected neutral, happy"),
        ("happy,saad", "mood: got 'happy,saad', expected neutral, happy"),
        ("hapy", "joined by commas; did you mean happy?"),
        ("x", "disgusted, alone or joined by commas"),
        ("happy:2", "mood: got 'happy:2', expected an intensity from 0 to 1, as in happy:0.4"),
        ("happy:nan", "mood: got 'happy:nan', expected an intensity from 0 to 1"),
        ("happy:much", "mood: got 'happy:much', expected an intensity from 0 to 1"),
        ("happy,sad,happy", "mood: got 'happy,sad,happy', expected each mood once, and happy is there twice"),
        ("", "mood: got '', expected a name or name:intensity"),
        ("happy:", "mood: got 'happy:', expected"),
    ],
)
def test_a_bad_mood_is_one_line_that_says_what_to_do(text: str, says: str) -> None:
    with pytest.raises(MoodError) as error:
        Mood.parse(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_change_of_mood_glides_over_in_0_4_seconds() -> None:
    blend = MoodBlend()
    blend.to(Mood.parse("happy:1"))
    smiles = at("MouthSmileLeft", blend.apply(np.zeros((40, 61), np.float32)))
    assert 0 < smiles[0] < 0.02
    assert (np.diff(smiles[:GLIDE_POSES]) > 0).all()
    np.testing.assert_allclose(
        smiles[GLIDE_POSES - 1 :], Mood.parse("happy:1").offsets[CHANNELS_61.index("MouthSmileLeft")], rtol=1e-6
    )
    assert smiles[GLIDE_POSES - 2] < smiles[GLIDE_POSES - 1]


def test_a_change_in_the_middle_of_a_change_does_not_leap() -> None:
    blend = MoodBlend(Mood.parse("happy:1"))
    blend.to(Mood.parse("angry:1"))
    first = blend.apply(np.zeros((10, 61), np.float32))
    blend.to(Mood.parse("sad:1"))
    second = blend.apply(np.zeros((30, 61), np.float32))
    assert np.abs(np.diff(np.concatenate([first, second]), axis=0)).max() < 0.08
    np.testing.assert_allclose(second[-1], apply(np.zeros(61, np.float32), Mood.parse("sad:1")), atol=1e-6)


@pytest.mark.parametrize("portion", [1, 7, 60])
def test_any_portions_give_the_same_moods(portion: int) -> None:
    poses = np.random.default_rng(1).uniform(0, 1, (120, 61)).astype(np.float32)

    def whole(portion: int) -> np.ndarray:
        blend = MoodBlend(Mood.parse("happy"))
        parts = []
        for half, mood in ((poses[:60], "surprised:1"), (poses[60:], "neutral")):
            blend.to(Mood.parse(mood))
            parts += [blend.apply(half[start : start + portion]) for start in range(0, 60, portion)]
        return np.concatenate(parts)

    np.testing.assert_array_equal(whole(portion), whole(60))


def test_asking_for_the_mood_that_is_set_changes_nothing() -> None:
    blend = MoodBlend(Mood.parse("sad"))
    blend.to(Mood.parse("sad"))
    np.testing.assert_array_equal(blend.apply(SHUT), apply(SHUT, Mood.parse("sad")))
