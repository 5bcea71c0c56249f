"""Vowels and blinks of VRM avatars, out of ARKit's shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arkit_mapping import CHANNELS_61, NEUTRAL
from arkit_mapping.vrm import EXPRESSIONS, expressions


def said(**shapes: float) -> dict[str, float]:
    pose = np.zeros(61, np.float32)
    for name, value in shapes.items():
        pose[[at for at, channel in enumerate(CHANNELS_61) if channel in (name, name + "Left", name + "Right")]] = value
    return dict(zip(EXPRESSIONS, expressions(pose).tolist(), strict=True))


def loudest(**shapes: float) -> str:
    found = said(**shapes)
    return max("AIUEO", key=lambda vowel: found[vowel])


def test_a_neutral_face_says_nothing() -> None:
    assert not expressions(NEUTRAL).any()


@pytest.mark.parametrize(
    ("vowel", "shapes"),
    [
        ("A", dict(JawOpen=0.5, MouthLowerDown=0.2)),
        ("I", dict(JawOpen=0.08, MouthStretch=0.4, MouthSmile=0.2, MouthLowerDown=0.3, MouthUpperUp=0.2)),
        ("U", dict(JawOpen=0.08, MouthPucker=0.7)),
        ("E", dict(JawOpen=0.35, MouthStretch=0.4, MouthSmile=0.2, MouthLowerDown=0.3)),
        ("O", dict(JawOpen=0.4, MouthFunnel=0.5, MouthPucker=0.2)),
    ],
)
def test_a_mouth_shape_is_mostly_its_vowel(vowel: str, shapes: dict[str, float]) -> None:
    assert loudest(**shapes) == vowel
    assert said(**shapes)[vowel] > 0.5


def test_closed_lips_and_a_closed_smile_say_nothing() -> None:
    assert max(said(JawOpen=0.3, MouthClose=0.3)[vowel] for vowel in "AIUEO") == 0
    assert max(said(MouthSmile=1.0, MouthDimple=0.5)[vowel] for vowel in "AIUEO") == 0


@settings(deadline=None)
@given(arrays(np.float32, 61, elements=st.floats(0, 1, width=32)))
def test_vowels_share_one_mouth_and_each_lid_gets_its_own_blink(pose: np.ndarray) -> None:
    made = dict(zip(EXPRESSIONS, expressions(pose).tolist(), strict=True))
    assert all(0 <= value <= 1 for value in made.values())
    assert sum(made[vowel] for vowel in "AIUEO") <= 1 + 1e-6
    left, right = (float(pose[CHANNELS_61.index(f"EyeBlink{side}")]) for side in ("Left", "Right"))
    assert (made["Blink"] + made["Blink_L"], made["Blink"] + made["Blink_R"]) == pytest.approx((left, right))
