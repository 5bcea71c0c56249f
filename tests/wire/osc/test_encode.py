"""Bundles built once: what independent parsers read from them, byte by byte where it matters."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing.ntp import ntp_to_system_time

from arkit_mapping import CHANNELS_61
from livelink_bridge.wire.osc.encode import (
    IMMEDIATELY,
    MAX_BUNDLE,
    Bundle,
    Template,
    Value,
    bundles_of,
    message,
    timetag,
)

FACE = [message(f"/arkit/{name}", Value(number)) for number, name in enumerate(CHANNELS_61)]
VMC_GOLDEN = (
    "2362756e646c65000000000000000001000000242f564d432f4578742f426c656e642f56616c00002c736600"
    "4a61774f70656e003f0000000000001c2f564d432f4578742f426c656e642f4170706c79000000002c000000"
)


def pose(count: int = 61, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)


@pytest.mark.parametrize("count", [1, 52, 61])
def test_an_independent_parser_reads_every_channel(count: int) -> None:
    values = pose(count)
    read = [each for bundle in bundles_of(FACE[:count]) for each in OscBundle(bundle.filled(values))]
    assert [each.address for each in read] == [f"/arkit/{name}" for name in CHANNELS_61[:count]]
    assert [each.params for each in read] == [[value] for value in values.tolist()]


def test_the_golden_vmc_bundle_is_built_byte_for_byte() -> None:
    bundle = Bundle([message("/VMC/Ext/Blend/Val", "JawOpen", Value(0)), message("/VMC/Ext/Blend/Apply")])
    assert bundle.filled(np.array([0.5], np.float32)).hex() == VMC_GOLDEN


def test_no_datagram_is_long_enough_to_be_cut_on_the_way_and_there_are_no_more_than_needed() -> None:
    sizes = [len(bundle.filled(pose())) for bundle in bundles_of(FACE)]
    assert len(sizes) == 2
    assert max(sizes) <= MAX_BUNDLE < sum(sizes)


@pytest.mark.parametrize(("letters", "bundles"), [(678, 1), (679, 1), (680, 2)])
def test_a_bundle_may_be_exactly_as_long_as_allowed(letters: int, bundles: int) -> None:
    """Two messages and the head are 16 + 2 * (4 + 680 + 4 + 4) = 1400 bytes with addresses of 676 to 679 bytes and
    their NUL."""
    messages = [message("/" + "x" * (letters - 1), Value(0))] * 2
    sizes = [len(bundle.filled(pose(1))) for bundle in bundles_of(messages)]
    assert sizes == [MAX_BUNDLE] if bundles == 1 else len(sizes) == 2


def test_a_message_longer_than_a_bundle_stands_alone() -> None:
    long = message("/list", *map(Value, range(500)))
    assert [bundle.messages for bundle in bundles_of([FACE[0], long, FACE[1]])] == [1, 1, 1]


def test_no_messages_make_no_bundle() -> None:
    assert bundles_of([]) == []


def test_a_second_pose_leaves_nothing_of_the_first() -> None:
    bundle = Bundle(FACE[:3])
    bundle.filled(np.ones(3, np.float32))
    assert bundle.filled(np.zeros(3, np.float32)) == Bundle(FACE[:3]).filled(np.zeros(3, np.float32))


def test_a_datagram_that_was_handed_out_is_not_written_to_again() -> None:
    bundle = Bundle(FACE[:3])
    first = bundle.filled(np.ones(3, np.float32))
    kept = bytes(first)
    bundle.filled(np.zeros(3, np.float32))
    assert first == kept


def test_one_value_may_stand_in_several_messages_and_a_message_may_hold_several() -> None:
    bundle = Bundle([message("/list", Value(2), Value(0)), message("/one", Value(2))])
    read = OscBundle(bundle.filled(np.array([0.25, 0.5, 0.75], np.float32)))
    assert [each.params for each in read] == [[0.75, 0.25], [0.75]]


def test_only_the_chosen_messages_are_in_the_datagram() -> None:
    bundle = Bundle(FACE)
    chosen = np.zeros(61, bool)
    chosen[[3, 17, 60]] = True
    read = OscBundle(bundle.some(pose(), chosen, IMMEDIATELY))
    assert [each.address for each in read] == [f"/arkit/{CHANNELS_61[at]}" for at in (3, 17, 60)]
    assert [each.params[0] for each in read] == pose()[[3, 17, 60]].tolist()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@settings(deadline=None, max_examples=100)
@given(
    address=st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=20),
    arguments=st.lists(st.integers(-(2**31), 2**31 - 1) | st.floats(width=32, allow_nan=False) | texts),
)
def test_a_message_is_what_an_independent_builder_makes_of_it(address: str, arguments: list[int | float | str]) -> None:
    builder = OscMessageBuilder("/" + address)
    for argument in arguments:
        builder.add_arg(argument, {int: "i", float: "f", str: "s"}[type(argument)])
    assert message("/" + address, *arguments) == Template(builder.build().dgram, (), ())


@pytest.mark.parametrize(
    ("unix_ns", "tag"),
    [
        (0, 2208988800 << 32),
        (1_500_000_000, (2208988801 << 32) + 2**31),
        (1_795_300_000_123_456_789, ((1_795_300_000 + 2208988800) << 32) + (123_456_789 << 32) // 10**9),
        (int(datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC).timestamp()) * 10**9, 0),
    ],
    ids=["1970", "a second and a half later", "now", "when NTP's seconds begin anew"],
)
def test_a_time_tag_counts_from_1900_in_parts_of_two_to_the_32(unix_ns: int, tag: int) -> None:
    assert timetag(unix_ns) == tag


def test_an_independent_clock_reads_the_time_tag_that_was_written() -> None:
    datagram = Bundle(FACE[:1]).filled(pose(1), timetag(1_795_300_000_250_000_000))
    assert ntp_to_system_time(datagram[8:16]) == pytest.approx(1_795_300_000.25, abs=1e-6)
    assert OscBundle(datagram).timestamp == pytest.approx(1_795_300_000.25, abs=1e-6)


def test_a_bundle_without_a_time_tag_is_for_immediately() -> None:
    assert Bundle(FACE[:1]).filled(pose(1))[8:16] == struct.pack(">Q", 1)
