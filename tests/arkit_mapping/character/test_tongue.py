"""A tongue that is out stays behind lips that touch."""

from __future__ import annotations

import numpy as np

from arkit_mapping import CHANNELS_61, MOUTH_32, remap
from arkit_mapping.character.tongue import behind_lips

TONGUE, JAW, CLOSE = (CHANNELS_61.index(name) for name in ("TongueOut", "JawOpen", "MouthClose"))


def poses(tongue: float, **channels: float) -> np.ndarray:
    pose = np.zeros((3, 61), np.float32)
    pose[:, TONGUE] = tongue
    for name, value in channels.items():
        pose[:, CHANNELS_61.index(name)] = value
    return pose


def test_it_is_out_between_lips_that_are_apart_and_in_behind_lips_that_touch() -> None:
    assert (behind_lips(poses(0.4, JawOpen=0.3))[:, TONGUE] == np.float32(0.4)).all()
    assert not behind_lips(poses(0.4))[:, TONGUE].any()
    assert not behind_lips(poses(0.4, JawOpen=0.3, MouthClose=0.3))[:, TONGUE].any()
    assert not behind_lips(poses(0.4, JawOpen=0.3, MouthPressLeft=0.4, MouthPressRight=0.4))[:, TONGUE].any()
    assert 0.05 < behind_lips(poses(0.4, JawOpen=0.05))[0, TONGUE] < 0.35


def test_nothing_but_the_tongue_changes_and_nothing_at_all_where_it_is_in() -> None:
    out = poses(0.4, JawOpen=0.02, EyeBlinkLeft=0.7)
    before = out.copy()
    kept = behind_lips(out)
    np.testing.assert_array_equal(out, before)
    np.testing.assert_array_equal(np.delete(kept, TONGUE, 1), np.delete(before, TONGUE, 1))
    calm = poses(0.0, JawOpen=0.3)
    assert behind_lips(calm) is calm


def test_a_column_of_that_name_behind_the_32_lands_on_it() -> None:
    coefficients = np.zeros((2, 33), np.float32)
    coefficients[:, 32] = (0.2, 0.4)
    np.testing.assert_array_equal(remap(coefficients, (*MOUTH_32, "tongueOut"))[:, TONGUE], np.float32([0.2, 0.4]))
