"""OSC messages of several senders, gathered into poses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from arkit_mapping import CHANNELS_61
from livelink_bridge.wire.osc.decode import Message, decode
from livelink_bridge.wire.osc.face import MAX_OTHERS, OscPose, channel_of

JAW = CHANNELS_61.index("JawOpen")


def built(address: str, *arguments: Any) -> Any:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


def bundled(*messages: Any) -> bytes:
    builder = OscBundleBuilder(IMMEDIATELY)
    for message in messages:
        builder.add_content(message)
    return bytes(builder.build().dgram)


def test_a_pose_of_python_osc_in_any_number_of_bundles_is_one_pose() -> None:
    pose = OscPose()
    values = np.linspace(0, 1, 61, dtype=np.float32)
    messages = [built(f"/arkit/{name}", float(value)) for name, value in zip(CHANNELS_61, values, strict=True)]
    first = pose.feed(decode(bundled(*messages[:40]))) + pose.feed(decode(bundled(*messages[40:])))
    assert first == [], "the next pose has not begun"
    np.testing.assert_array_equal(pose.values, values)
    [done] = pose.feed(decode(messages[0].dgram))
    np.testing.assert_array_equal(done, values)


@pytest.mark.parametrize("count", [52, 61])
def test_a_list_is_a_pose_in_wire_order(count: int) -> None:
    numbers = [n / 100 for n in range(count)]
    [pose] = OscPose().feed(decode(built("/whatever", *numbers).dgram))
    np.testing.assert_allclose(pose[:count], numbers, atol=1e-7)
    assert not pose[count:].any()


def test_a_list_with_transforms_and_time_counts_as_its_shapes() -> None:
    [pose] = OscPose().feed([Message("/face", tuple([0.5] * 63))])
    assert (pose[:52] == 0.5).all() and not pose[52:].any()


@pytest.mark.parametrize("last", [False, True])
def test_a_list_beside_single_messages_is_not_counted_twice(last: bool) -> None:
    pose = OscPose()
    frame = [Message("/arkit/pose", tuple([0.25] * 61)), *(Message(f"/arkit/{name}", (0.25,)) for name in CHANNELS_61)]
    frame = frame[:: -1 if last else 1]
    assert [len(pose.feed(frame)) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("JawOpen", "JawOpen"),
        ("jawOpen", "JawOpen"),
        ("facejawopen", "JawOpen"),
        ("mouthSmile_L", "MouthSmileLeft"),
        ("eyeBlink_R", "EyeBlinkRight"),
        ("HeadYaw", "HeadYaw"),
        ("jawLeft", "JawLeft"),
    ],
)
def test_names_are_known_in_every_spelling_in_use(spelled: str, name: str) -> None:
    assert channel_of(spelled) == CHANNELS_61.index(name)


@pytest.mark.parametrize("stranger", ["", "Joy", "A", "face", "v2", "jaw", "_l"])
def test_other_names_are_no_channel(stranger: str) -> None:
    assert channel_of(stranger) is None


@pytest.mark.parametrize("address", ["/arkit/JawOpen", "/avatar/parameters/v2/jawOpen", "/facejawopen", "/JawOpen"])
def test_the_last_part_of_an_address_names_the_channel(address: str) -> None:
    pose = OscPose()
    pose.feed([Message(address, (0.5,))])
    assert pose.values[JAW] == 0.5 and np.count_nonzero(pose.values) == 1


def test_face_caps_numbers_and_degrees_are_read() -> None:
    pose = OscPose()
    pose.feed(
        [Message("/W", (0, 0.5)), Message("/HR", (10.0, 20.0, 30.0)), Message("/W", (99, 1.0)), Message("/HR", (1.0,))]
    )
    assert pose.values[CHANNELS_61.index("BrowInnerUp")] == 0.5
    angles = {name: math.degrees(pose.values[CHANNELS_61.index(name)]) for name in ("HeadPitch", "HeadYaw", "HeadRoll")}
    assert angles == pytest.approx({"HeadPitch": 10, "HeadYaw": 20, "HeadRoll": 30}, abs=1e-4)


def test_what_names_no_channel_is_kept_aside_and_only_so_much_of_it() -> None:
    pose = OscPose()
    for n in range(MAX_OTHERS + 10):
        pose.feed([Message(f"/avatar/parameters/Hat{n}", (1.0,))])
    assert len(pose.others) == MAX_OTHERS and pose.others["Hat0"] == 1
    assert pose.feed([Message("/RecordStart", ("MySlate", 3)), Message("/x", (True,)), Message("/y", ())]) == []


def test_numbers_beyond_a_float_are_infinite_without_a_warning() -> None:
    pose = OscPose()
    pose.feed([Message("/arkit/JawOpen", (1e300,))])
    assert pose.values[JAW] == math.inf


ARGUMENTS = st.one_of(
    st.floats(), st.integers(-(2**63), 2**63), st.text(max_size=4), st.booleans(), st.none(), st.binary(max_size=4)
)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["/W", "/HR", "/ELR", "/arkit/JawOpen", "/x"]), st.lists(ARGUMENTS, max_size=4)),
        max_size=9,
    )
)
def test_no_message_is_too_odd(messages: list[tuple[str, list[Any]]]) -> None:
    pose = OscPose()
    for done in pose.feed([Message(address, tuple(arguments)) for address, arguments in messages]):
        assert done.shape == (61,) and done.dtype == np.float32
