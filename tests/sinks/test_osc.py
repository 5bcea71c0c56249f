"""What an `osc:` receiver gets for every option, as an independent parser reads it from a socket."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from inbox import Inbox, inbox
from pythonosc.osc_bundle import OscBundle

from arkit_mapping import ARKIT_52, CHANNELS_61
from livelink_bridge.errors import UsageError
from livelink_bridge.sinks.osc import OscSink
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.osc.encode import MAX_BUNDLE

POSE = np.random.default_rng(0).uniform(-1, 1, 61).astype(np.float32)
NOW_NS = 1_795_300_000_250_000_000


def stamp(frame: int) -> Stamp:
    return Stamp(frame, 0.0, Fraction(60))


def pose(**named: float) -> np.ndarray:
    values = np.zeros(61, np.float32)
    for name, value in named.items():
        values[CHANNELS_61.index(name)] = value
    return values


Receiver = Inbox[OscSink]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with inbox(lambda rest: OscSink(f"osc://{rest}", unix_ns=lambda: NOW_NS)) as made:
        yield made


def test_by_default_every_channel_is_a_message_in_two_datagrams_that_are_not_cut(receiver: Receiver) -> None:
    receiver.sink().send(POSE, stamp(0))
    datagrams = receiver.datagrams()
    assert len(datagrams) == 2 and max(map(len, datagrams)) <= MAX_BUNDLE
    read = [(each.address, each.params) for datagram in datagrams for each in OscBundle(datagram)]
    assert read == [(f"/arkit/{name}", [value]) for name, value in zip(CHANNELS_61, POSE.tolist(), strict=True)]


def test_names_addresses_and_channels_are_the_users(receiver: Receiver) -> None:
    receiver.sink("address=/face/{name}/weight&names=camel&channels=TongueOut,jawOpen,MouthClose").send(POSE, stamp(0))
    expected = [
        (f"/face/{name}/weight", [POSE[ARKIT_52.index(name)]]) for name in ("jawOpen", "mouthClose", "tongueOut")
    ]
    assert receiver.messages() == expected


@pytest.mark.parametrize(
    ("channels", "names"),
    [
        ("shapes", CHANNELS_61[:52]),
        ("head", CHANNELS_61[52:55]),
        ("brows,head", CHANNELS_61[41:46] + CHANNELS_61[52:55]),
        ("all", CHANNELS_61),
        ("mouth", CHANNELS_61[14:41] + CHANNELS_61[46:52]),
    ],
)
def test_channels_may_be_groups_and_come_in_wire_order(
    receiver: Receiver, channels: str, names: tuple[str, ...]
) -> None:
    receiver.sink(f"channels={channels}").send(POSE, stamp(0))
    assert [address for address, _ in receiver.messages()] == [f"/arkit/{name}" for name in names]


def test_a_list_comes_before_the_messages_of_each_channel(receiver: Receiver) -> None:
    receiver.sink("array=/face").send(POSE, stamp(0))
    messages = receiver.messages()
    assert messages[0] == ("/face", POSE.tolist())
    assert len(messages) == 62


def test_a_list_of_some_channels_is_in_wire_order(receiver: Receiver) -> None:
    receiver.sink("array=/face&each=off&channels=HeadRoll,JawOpen").send(POSE, stamp(0))
    assert receiver.messages() == [("/face", [POSE[17], POSE[54]])]


def test_unreal_gets_one_message_a_pose_with_61_floats_in_wire_order(receiver: Receiver) -> None:
    receiver.sink("preset=unreal").send(POSE, stamp(0))
    assert receiver.messages() == [("/arkit/pose", POSE.tolist())]


def test_what_is_given_goes_before_the_preset(receiver: Receiver) -> None:
    receiver.sink("each=on&array=/mine&preset=unreal").send(POSE, stamp(0))
    messages = receiver.messages()
    assert messages[0][0] == "/mine" and len(messages) == 62


def test_vrchat_gets_avatar_parameters_of_the_52_shapes(receiver: Receiver) -> None:
    receiver.sink("preset=vrchat").send(POSE, stamp(0))
    assert receiver.messages() == [(f"/avatar/parameters/{name}", [POSE[n]]) for n, name in enumerate(CHANNELS_61[:52])]


def test_face_cap_gets_its_own_numbers_and_degrees(receiver: Receiver) -> None:
    angles = dict(HeadPitch=0.1, HeadYaw=-0.2, HeadRoll=0.3, LeftEyePitch=0.4, RightEyeYaw=0.5)
    face = pose(BrowInnerUp=0.125, JawOpen=0.5, TongueOut=0.25, **angles)
    receiver.sink("preset=facecap").send(face, stamp(0))
    messages = receiver.messages()
    shapes = {params[0]: params[1] for address, params in messages if address == "/W"}
    assert sorted(shapes) == list(range(52))
    assert {number: value for number, value in shapes.items() if value} == {0: 0.125, 24: 0.5, 51: 0.25}
    turned = {address: params for address, params in messages if address != "/W"}
    assert list(turned) == ["/HR", "/ELR", "/ERR"]
    assert turned["/HR"] == pytest.approx([5.729578, -11.459156, 17.188734])
    assert turned["/ELR"] == pytest.approx([22.918312, 0])
    assert turned["/ERR"] == pytest.approx([0, 28.64789])


def test_face_caps_shapes_are_the_52_and_a_subset_is_possible(receiver: Receiver) -> None:
    receiver.sink("preset=facecap&channels=brows,HeadYaw").send(POSE, stamp(0))
    messages = receiver.messages()
    assert [params[0] for address, params in messages if address == "/W"] == [0, 1, 2, 3, 4]
    assert [address for address, _ in messages[5:]] == ["/HR"]


def test_time_tags_are_the_moment_of_sending_or_immediately(receiver: Receiver) -> None:
    receiver.sink("preset=unreal&timetag=now").send(POSE, stamp(0))
    receiver.sink("preset=unreal").send(POSE, stamp(0))
    now, immediately = receiver.datagrams()
    assert now[8:16] == (((1_795_300_000 + 2208988800) << 32) + 2**30).to_bytes(8, "big")
    assert immediately[8:16] == (1).to_bytes(8, "big")


def test_a_rate_leaves_out_poses_and_does_not_count_them(receiver: Receiver) -> None:
    sink = receiver.sink("preset=unreal&rate=20")
    for frame in range(60):
        sink.send(pose(JawOpen=frame / 64), stamp(frame))
    assert [params[17] for _, params in receiver.messages()] == [frame / 64 for frame in range(0, 60, 3)]
    assert sink.sent == 20


def test_the_last_pose_is_sent_at_the_end_though_the_rate_left_it_out(receiver: Receiver) -> None:
    sink = receiver.sink("preset=unreal&rate=1")
    for frame in range(10):
        sink.send(pose(JawOpen=frame / 16), stamp(frame))
    sink.close()
    sink.close()
    assert [params[17] for _, params in receiver.messages()] == [0.0, 9 / 16]


def test_a_pose_that_was_left_out_is_kept_as_a_copy(receiver: Receiver) -> None:
    sink = receiver.sink("preset=unreal&rate=1")
    face = pose(JawOpen=0.5)
    sink.send(face, stamp(0))
    sink.send(face, stamp(1))
    face[:] = 1
    sink.close()
    assert receiver.messages()[-1][1] == pose(JawOpen=0.5).tolist()


def test_a_dead_band_sends_what_moved_and_everything_once_a_second(receiver: Receiver) -> None:
    sink = receiver.sink("deadband=0.01")
    counts = []
    for frame in range(121):
        sink.send(pose(JawOpen=0.02 * (frame % 2), MouthClose=0.005 * (frame % 2)), stamp(frame))
        counts.append(len(receiver.messages()))
    whole = [frame for frame, count in enumerate(counts) if count == 61]
    assert set(counts) == {1, 61}
    assert whole[0] == 0 and len(whole) == 3 and max(np.diff(whole)) <= 60
    assert sink.sent == 121


def test_a_face_at_rest_costs_nothing_between_refreshes(receiver: Receiver) -> None:
    sink = receiver.sink("deadband=0")
    for frame in range(30):
        sink.send(POSE, stamp(frame))
    assert len(receiver.datagrams()) == 2


def test_what_a_dead_band_kept_back_is_sent_at_the_end(receiver: Receiver) -> None:
    sink = receiver.sink("deadband=0.5&channels=JawOpen")
    sink.send(pose(JawOpen=0.4), stamp(0))
    sink.send(pose(), stamp(1))
    sink.close()
    assert receiver.messages() == [("/arkit/JawOpen", [pytest.approx(0.4)]), ("/arkit/JawOpen", [0.0])]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("preset=maya", "expected one of unreal, vrchat, facecap"),
        ("adress=/a/{name}", "unknown option 'adress', did you mean 'address'"),
        ("address=/a", "with {name} once"),
        ("address=/{name}/{name}", "with {name} once"),
        ("address=face/{name}", "an OSC address: a /"),
        ("address=/a b/{name}", "other than"),
        ("address=/" + "x" * 300 + "{name}", "up to 199"),
        ("array=pose", "an OSC address: a /"),
        ("array=/a*", "other than"),
        ("array=/ä", "ASCII"),
        ("channels=JawOpne", "did you mean JawOpen"),
        ("channels=", "channels or groups"),
        ("each=off", "leaves nothing to send; add array="),
        ("preset=facecap&names=camel", "names goes with another preset"),
        ("preset=facecap&array=/a", "array goes with another preset"),
        ("rate=0", "from 1 to 60 Hz"),
        ("rate=61", "from 1 to 60 Hz"),
        ("deadband=-1", "from 0 to 1"),
        ("timetag=later", "one of now, immediately"),
    ],
)
def test_a_wrong_option_is_told_with_what_was_expected(query: str, said: str) -> None:
    with pytest.raises(UsageError) as failure:
        OscSink(f"osc://127.0.0.1:9000?{query}")
    assert said in str(failure.value) and "\n" not in str(failure.value)
