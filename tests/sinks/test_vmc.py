"""What a `vmc:` receiver gets for every option, as an independent parser reads it from a socket."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from inbox import Inbox, inbox
from pythonosc.osc_bundle import OscBundle

from arkit_mapping import ARKIT_52, CHANNELS_61
from arkit_mapping.vrm import EXPRESSIONS
from livelink_bridge.errors import UsageError
from livelink_bridge.sinks.vmc import VmcSink
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.osc.encode import MAX_BUNDLE

POSE = np.random.default_rng(0).uniform(0, 1, 61).astype(np.float32)
VALUE = "/VMC/Ext/Blend/Val"


def stamp(frame: int) -> Stamp:
    return Stamp(frame, 0.5, Fraction(60))


def pose(**named: float) -> np.ndarray:
    values = np.zeros(61, np.float32)
    for name, value in named.items():
        values[CHANNELS_61.index(name)] = value
    return values


Receiver = Inbox[VmcSink]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with inbox(lambda rest: VmcSink(f"vmc://{rest}", unix_ns=lambda: 0)) as made:
        yield made


def shapes_of(messages: list[tuple[str, list[Any]]]) -> dict[str, float]:
    return {params[0]: params[1] for address, params in messages if address == VALUE}


def test_a_pose_is_state_time_the_52_shapes_and_apply_last_in_datagrams_that_are_not_cut(receiver: Receiver) -> None:
    receiver.sink().send(POSE, stamp(0))
    datagrams = receiver.datagrams()
    assert len(datagrams) == 2 and max(map(len, datagrams)) <= MAX_BUNDLE
    messages = [(each.address, each.params) for datagram in datagrams for each in OscBundle(datagram)]
    assert messages[:2] == [("/VMC/Ext/OK", [1]), ("/VMC/Ext/T", [0.0])]
    assert messages[2:-1] == [
        (VALUE, [name, value]) for name, value in zip(CHANNELS_61[:52], POSE[:52].tolist(), strict=True)
    ]
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    assert all(datagram[8:16] == (1).to_bytes(8, "big") for datagram in datagrams)


def test_the_time_counts_from_the_first_pose(receiver: Receiver) -> None:
    sink = receiver.sink()
    for frame in (5000, 5001, 5090):
        sink.send(POSE, stamp(frame))
    assert [params[0] for address, params in receiver.messages() if address == "/VMC/Ext/T"] == pytest.approx(
        [0, 1 / 60, 1.5]
    )
    assert sink.sent == 3


def test_names_are_as_arkit_has_them_by_choice(receiver: Receiver) -> None:
    receiver.sink("names=camel").send(POSE, stamp(0))
    assert list(shapes_of(receiver.messages())) == list(ARKIT_52)


def test_some_channels_leave_the_others_to_another_sender(receiver: Receiver) -> None:
    receiver.sink("channels=JawOpen,TongueOut,head").send(POSE, stamp(0))
    assert list(shapes_of(receiver.messages())) == ["JawOpen", "TongueOut"]


def test_a_performer_is_sent_neither_state_nor_time(receiver: Receiver) -> None:
    receiver.sink("role=assistant").send(POSE, stamp(0))
    addresses = [address for address, _ in receiver.messages()]
    assert set(addresses) == {VALUE, "/VMC/Ext/Blend/Apply"} and addresses[-1] == "/VMC/Ext/Blend/Apply"


def test_a_model_without_perfect_sync_gets_vowels_and_blinks_beside_the_52(receiver: Receiver) -> None:
    receiver.sink("vowels=on").send(pose(JawOpen=0.5, EyeBlinkLeft=1, EyeBlinkRight=0.25), stamp(0))
    messages = receiver.messages()
    shapes = shapes_of(messages)
    assert list(shapes)[52:] == list(EXPRESSIONS)
    assert {name: shapes[name] for name in EXPRESSIONS if shapes[name]} == {"A": 1, "Blink": 0.25, "Blink_L": 0.75}
    assert messages[-1][0] == "/VMC/Ext/Blend/Apply"


def test_the_head_and_the_point_looked_at_come_when_asked_for(receiver: Receiver) -> None:
    face = pose(HeadYaw=0.2, LeftEyeYaw=0.3, RightEyeYaw=0.1, LeftEyePitch=-0.1, RightEyePitch=-0.1)
    receiver.sink().send(face, stamp(0))
    assert not {"/VMC/Ext/Bone/Pos", "/VMC/Ext/Set/Eye"} & {address for address, _ in receiver.messages()}
    receiver.sink("head=on").send(face, stamp(0))
    found = {address: params for address, params in receiver.messages() if address != VALUE}
    assert found["/VMC/Ext/Bone/Pos"][:4] == ["Head", 0, 0, 0]
    assert found["/VMC/Ext/Bone/Pos"][4:] == pytest.approx([0, math.sin(0.1), 0, math.cos(0.1)])
    enabled, x, y, z = found["/VMC/Ext/Set/Eye"]
    assert enabled == 1
    assert (math.atan2(x, z), math.asin(y), math.hypot(x, y, z)) == pytest.approx((0.2, 0.1, 1))


def test_time_tags_are_the_moment_of_sending_by_choice(receiver: Receiver) -> None:
    receiver.sink("timetag=now").send(POSE, stamp(0))
    assert {datagram[8:16] for datagram in receiver.datagrams()} == {(2208988800 << 32).to_bytes(8, "big")}


@pytest.mark.parametrize(
    ("uri", "doubted"),
    [
        ("vmc://127.0.0.1:39539", False),
        ("vmc://127.0.0.1:39540?role=assistant", False),
        ("vmc://127.0.0.1:39540", True),
        ("vmc://127.0.0.1:39539?role=assistant", True),
        ("vmc://127.0.0.1:50000?role=assistant", False),
    ],
)
def test_the_port_of_the_other_role_is_doubted(caplog: pytest.LogCaptureFixture, uri: str, doubted: bool) -> None:
    with caplog.at_level(logging.WARNING):
        VmcSink(uri).close()
    assert ("usually listen on" in caplog.text) is doubted


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("role=marionette", "expected one of performer, assistant"),
        ("vowel=on", "did you mean 'vowels'"),
        ("vowels=yes", "expected on or off"),
        ("channels=head", "names no blend shape"),
    ],
)
def test_a_wrong_option_is_told_with_what_was_expected(query: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        VmcSink(f"vmc://127.0.0.1:39539?{query}")
