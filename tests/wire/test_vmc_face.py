"""VMC messages, gathered until they are applied."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arkit_mapping import CHANNELS_61
from livelink_bridge.wire import vmc
from livelink_bridge.wire.osc.decode import Message, decode
from livelink_bridge.wire.vmc_face import MAX_UNAPPLIED, VmcPose, angles_of

GOLDEN = bytes.fromhex(
    "2362756e646c65000000000000000001000000242f564d432f4578742f426c656e642f56616c00002c7366004a61774f70656e00"
    "3f0000000000001c2f564d432f4578742f426c656e642f4170706c79000000002c000000"
)
"""/VMC/Ext/Blend/Val "JawOpen" 0.5 and Apply, as python-osc reads them."""
JAW = CHANNELS_61.index("JawOpen")
APPLY = Message("/VMC/Ext/Blend/Apply", ())


def val(name: str, value: float) -> Message:
    return Message("/VMC/Ext/Blend/Val", (name, value))


def bone(name: str, *rotation: float) -> Message:
    return Message("/VMC/Ext/Bone/Pos", (name, 0.0, 0.0, 0.0, *rotation))


def test_the_golden_bundle_opens_the_jaw() -> None:
    [pose], faults = VmcPose().feed(decode(GOLDEN))
    assert pose[JAW] == 0.5 and np.count_nonzero(pose) == 1 and faults == []


def test_nothing_moves_before_it_is_applied() -> None:
    pose = VmcPose()
    assert pose.feed([val("JawOpen", 0.5), val("MouthPucker", 0.25)]) == ([], [])
    assert not pose.values.any()
    [applied], _ = pose.feed([APPLY])
    assert (applied[JAW], applied[CHANNELS_61.index("MouthPucker")]) == (0.5, 0.25)


def test_a_value_that_is_not_sent_again_stays() -> None:
    pose = VmcPose()
    (first, second), _ = pose.feed([val("JawOpen", 0.5), APPLY, val("jawForward", 0.1), APPLY])
    assert second[JAW] == 0.5 and first[CHANNELS_61.index("JawForward")] == 0


def test_a_sender_that_forgets_to_apply_is_told_once_in_a_while() -> None:
    pose = VmcPose()
    faults = [fault for _ in range(2 * MAX_UNAPPLIED + 2) for fault in pose.feed([val("JawOpen", 0.5)])[1]]
    assert [fault.reason for fault in faults] == ["no-apply"] * 2


def test_vrm_vowels_are_kept_beside_the_pose() -> None:
    pose = VmcPose()
    [applied], _ = pose.feed([val("A", 0.75), val("Joy", 1.0), APPLY])
    assert pose.others == {"A": 0.75, "Joy": 1.0} and not applied.any()


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0.3, 0, 0), (0, -0.4, 0), (0, 0, 0.2), (0.3, -0.4, 0.2), (-1.2, 0.7, -0.9)]
)
def test_the_heads_rotation_comes_back_as_the_angles_it_was_made_of(yaw: float, pitch: float, roll: float) -> None:
    assert angles_of(*vmc.quaternion(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=1e-6)
    [applied], _ = VmcPose().feed([bone("Head", *vmc.quaternion(yaw, pitch, roll)), APPLY])
    np.testing.assert_allclose(applied[52:55], [yaw, pitch, roll], atol=1e-6)


def test_a_turn_about_y_alone_is_a_yaw() -> None:
    assert angles_of(0, math.sin(0.25), 0, math.cos(0.25)) == pytest.approx((0.5, 0, 0))


@pytest.mark.parametrize("none", [(0, 0, 0, 0), (math.nan, 0, 0, 1), (math.inf, 0, 0, 1)])
def test_what_is_no_rotation_turns_nothing(none: tuple[float, float, float, float]) -> None:
    assert angles_of(*none) == (0, 0, 0)


def test_the_point_looked_at_turns_both_eyes() -> None:
    [applied], _ = VmcPose().feed([Message("/VMC/Ext/Set/Eye", (1, *vmc.looked_at(0.3, -0.2))), APPLY])
    for eye in ("LeftEye", "RightEye"):
        assert applied[CHANNELS_61.index(f"{eye}Yaw")] == pytest.approx(0.3, abs=1e-6)
        assert applied[CHANNELS_61.index(f"{eye}Pitch")] == pytest.approx(-0.2, abs=1e-6)


def test_other_bones_and_halves_of_messages_are_passed_over() -> None:
    odd = [bone("Hips", 0, 1, 0, 0), bone("Head", 1.0)]
    halves = [Message("/VMC/Ext/Blend/Val", ("JawOpen",)), Message("/VMC/Ext/Blend/Val", (1.0, 2.0))]
    [applied], _ = VmcPose().feed([*odd, *halves, Message("/VMC/Ext/OK", (1,)), APPLY])
    assert not applied.any()


ARGUMENTS = st.one_of(
    st.floats(), st.integers(-(2**63), 2**63), st.sampled_from(["Head", "JawOpen", "A", ""]), st.booleans(), st.none()
)
ADDRESSES = [f"/VMC/Ext/{end}" for end in ("Blend/Val", "Blend/Apply", "Bone/Pos", "Set/Eye", "T")]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ADDRESSES), st.lists(ARGUMENTS, max_size=8)), max_size=9))
def test_no_message_is_too_odd(messages: list[tuple[str, list[Any]]]) -> None:
    poses, _ = VmcPose().feed([Message(address, tuple(arguments)) for address, arguments in messages])
    assert all(pose.shape == (61,) for pose in poses)
