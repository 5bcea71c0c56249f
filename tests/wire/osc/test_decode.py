"""The OSC decoder: what senders mean, an independent library's output, and everything that is not OSC."""

from __future__ import annotations

import math
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from livelink_bridge.errors import WireError
from livelink_bridge.wire.osc.decode import MAX_ARGUMENTS, MAX_DATAGRAM, MAX_DEPTH, MAX_MESSAGES, Message, decode

RECORD_START = "2f5265636f72645374617274000000002c7369004d79536c6174650000000003"
SET_TARGET = "2f4f534353657453656e645461726765740000002c7369003139322e3136382e312e31300000000000001770"


def padded(raw: bytes) -> bytes:
    return raw + bytes(4 - len(raw) % 4)


def raw_message(tags: str, body: bytes, address: str = "/a") -> bytes:
    return padded(address.encode()) + padded(tags.encode()) + body


def bundle(*elements: bytes) -> bytes:
    return (
        b"#bundle\0"
        + struct.pack(">Q", 1)
        + b"".join(struct.pack(">i", len(element)) + element for element in elements)
    )


def nested(depth: int, inner: bytes) -> bytes:
    for _ in range(depth):
        inner = bundle(inner)
    return inner


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (RECORD_START, Message("/RecordStart", ("MySlate", 3))),
        (SET_TARGET, Message("/OSCSetSendTarget", ("192.168.1.10", 6000))),
    ],
)
def test_the_control_interfaces_check_bytes_are_read(raw: str, meant: Message) -> None:
    assert decode(bytes.fromhex(raw)) == [meant]


def test_a_surplus_argument_is_delivered_for_the_reader_to_leave() -> None:
    assert decode(raw_message(",i", struct.pack(">i", 1), "/RecordStop")) == [Message("/RecordStop", (1,))]


def test_a_message_may_end_after_its_address() -> None:
    assert decode(b"/BatteryQuery\0\0\0") == decode(b"/BatteryQuery\0\0\0,\0\0\0") == [Message("/BatteryQuery", ())]


def test_an_empty_bundle_holds_nothing() -> None:
    assert decode(bundle()) == decode(bundle(bundle(), bundle(bundle()))) == []


def test_messages_come_in_their_order_whatever_bundles_they_are_in() -> None:
    one, two, three, four = (raw_message(",", b"", f"/{n}") for n in range(4))
    assert [each.address for each in decode(bundle(one, bundle(two, bundle(), bundle(three)), four))] == [
        "/0",
        "/1",
        "/2",
        "/3",
    ]


@pytest.mark.parametrize(
    ("tags", "body", "arguments"),
    [
        (",ihfd", struct.pack(">iqfd", -1, 2**40, 0.5, 0.1), (-1, 2**40, 0.5, 0.1)),
        (",TFNI", b"", (True, False, None, math.inf)),
        (",sS", "Jörg\0\0\0\0".encode()[:8] + b"abc\0", ("Jörg", "abc")),
        (",c", struct.pack(">i", ord("ß")), ("ß",)),
        (",bb", b"\0\0\0\0" + b"\0\0\0\5hello\0\0\0", (b"", b"hello")),
        (",m", b"\1\x90\x40\x7f", (b"\1\x90\x40\x7f",)),
        (",rt", struct.pack(">IQ", 0xFF0000FF, 1), (0xFF0000FF, 1)),
        (",i[f[]T]i", struct.pack(">ifi", 1, 2.0, 3), (1, (2.0, (), True), 3)),
    ],
)
def test_arguments_of_every_type_in_use_are_read(tags: str, body: bytes, arguments: tuple[object, ...]) -> None:
    assert decode(raw_message(tags, body)) == [Message("/a", arguments)]


def test_numbers_that_are_none_are_passed_on_as_they_are() -> None:
    (read,) = decode(raw_message(",ff", struct.pack(">ff", math.nan, math.inf)))
    assert math.isnan(read.arguments[0]) and read.arguments[1] == math.inf  # type: ignore[arg-type]


numbers = st.integers(-(2**31), 2**31 - 1) | st.floats(width=32, allow_nan=False)
simple = numbers | st.booleans() | st.none() | st.binary(min_size=1, max_size=9)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def theirs(address: str, arguments: list[Any]) -> Any:
    builder = OscMessageBuilder("/" + address)
    for argument in arguments:
        builder.add_arg(argument, "d" if isinstance(argument, float) else None)
    return builder.build()


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(texts, st.lists(simple | texts | st.lists(simple, max_size=3), max_size=6)), max_size=5))
def test_what_an_independent_library_builds_is_read_as_it_was_meant(messages: list[tuple[str, list[Any]]]) -> None:
    builder = OscBundleBuilder(IMMEDIATELY)
    for address, arguments in messages:
        builder.add_content(theirs(address, arguments))
    meant = [
        Message("/" + address, tuple(tuple(a) if isinstance(a, list) else a for a in arguments))
        for address, arguments in messages
    ]
    assert decode(builder.build().dgram) == meant


@pytest.mark.parametrize(
    ("datagram", "said", "offset"),
    [
        (b"", "neither an address", 0),
        (bytes(65507), "neither an address", 0),
        (b"\0" * 4, "neither an address", 0),
        (b"#bundle", "neither an address", 0),
        (b"#bundle\0" + bytes(7), "ends in its time tag", 0),
        (bundle() + b"\0\0\0", "ends in the size", 16),
        (bundle() + struct.pack(">i", -4), "got -4 as the size", 16),
        (bundle() + struct.pack(">i", -2147483648), "got -2147483648 as the size", 16),
        (bundle() + struct.pack(">i", 6) + bytes(8), "got 6 as the size", 16),
        (bundle() + struct.pack(">i", 8) + b"/a\0\0", "8 bytes long, but 4 follow", 16),
        (bundle(b""), "neither an address", 20),
        (bundle(b"\0\0\0\0"), "neither an address", 20),
        (bundle(b"#bundle\0"), "ends in its time tag", 20),
        (b"/abc", "address does not end", 0),
        (b"/ab\0,i", "type tags does not end", 4),
        (b"/a\0", "address does not end", 0),
        (b"/\xff\xfe\0,\0\0\0", "not UTF-8", 1),
        (b"/a\0\0\0\0\0\1", "expected type tags", 4),
        (raw_message(",i", b"\0\0"), "ends in an argument of type 'i'", 8),
        (raw_message(",q", b""), "got 'q' as a type", 8),
        (raw_message(",i", bytes(8)), "4 bytes follow the last argument", 12),
        (raw_message(",s", b"abcd"), "text does not end", 8),
        (raw_message(",b", b"\0\0"), "as the size of a blob", 8),
        (raw_message(",b", struct.pack(">i", -1)), "got -1 as the size of a blob", 8),
        (raw_message(",b", struct.pack(">i", 2**31 - 1)), "as the size of a blob, with 0 bytes left", 8),
        (raw_message(",m", b"\0"), "four bytes", 8),
        (raw_message(",c", struct.pack(">i", -1)), "not a character", 8),
        (raw_message(",c", struct.pack(">i", 0xD800)), "not a character", 8),
        (raw_message(",]", b""), "did not begin", 8),
        (raw_message(",[i", bytes(4)), "do not end it", 12),
    ],
)
def test_what_is_not_osc_is_refused_with_the_reason_and_the_byte(datagram: bytes, said: str, offset: int) -> None:
    with pytest.raises(WireError, match=said) as refused:
        decode(datagram)
    assert refused.value.offset == offset


def test_bundles_nested_a_thousand_deep_are_refused_without_recursion() -> None:
    assert decode(nested(MAX_DEPTH, raw_message(",", b""))) == [Message("/a", ())]
    for depth in (MAX_DEPTH + 1, 1000):
        with pytest.raises(WireError, match="nested bundles"):
            decode(nested(depth, raw_message(",", b"")))


def test_lists_nested_without_end_are_refused() -> None:
    assert len(decode(raw_message("," + "[" * MAX_DEPTH + "]" * MAX_DEPTH, b""))) == 1
    with pytest.raises(WireError, match="nested lists"):
        decode(raw_message("," + "[" * 500 + "]" * 500, b""))


def test_more_than_a_datagram_should_hold_is_refused() -> None:
    small = raw_message(",", b"")
    assert len(decode(bundle(*[small] * MAX_MESSAGES))) == MAX_MESSAGES
    with pytest.raises(WireError, match="messages in a datagram"):
        decode(bundle(*[small] * (MAX_MESSAGES + 1)))
    assert len(decode(raw_message("," + "T" * MAX_ARGUMENTS, b""))[0].arguments) == MAX_ARGUMENTS
    with pytest.raises(WireError, match="type tags"):
        decode(raw_message("," + "T" * (MAX_ARGUMENTS + 1), b""))
    with pytest.raises(WireError, match="at most"):
        decode(bytes(MAX_DATAGRAM + 1))


PIECES = [b"\xff" * 4, b"#bundle\0", b"\x7f\xff\xff\xfc", b"[", b"]"]
SOUND = [
    bytes.fromhex(RECORD_START),
    bundle(
        raw_message(",sf", padded(b"JawOpen") + struct.pack(">f", 0.5)),
        bundle(raw_message(",i[bT]", struct.pack(">ii", 1, 0))),
    ),
    nested(5, raw_message(",hdtrmcN", bytes(8 * 3 + 4 * 3))),
]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A sound datagram with bytes changed, cut out or doubled."""
    datagram = bytearray(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(datagram)))
        taken = draw(st.integers(0, 8))
        datagram[at : at + taken] = draw(st.binary(max_size=8) | st.sampled_from(PIECES))
    return bytes(datagram)


def survives(datagram: bytes) -> None:
    try:
        messages = decode(datagram)
    except WireError as refused:
        assert 0 <= refused.offset <= len(datagram)
        return
    assert len(messages) <= MAX_MESSAGES
    assert all(each.address.startswith("/") and len(each.arguments) <= MAX_ARGUMENTS for each in messages)


@settings(deadline=None, max_examples=400)
@given(broken() | st.binary(max_size=200))
def test_nothing_but_a_wire_error_comes_of_any_bytes(datagram: bytes) -> None:
    survives(datagram)


def broken_by(dice: random.Random) -> bytes:
    """As `broken`, by dice: a hundred times faster, and nothing of it is made smaller when it fails."""
    datagram = bytearray(dice.choice(SOUND))
    for _ in range(dice.randint(1, 6)):
        at = dice.randint(0, len(datagram))
        datagram[at : at + dice.randint(0, 8)] = dice.choice([dice.randbytes(dice.randint(0, 8)), *PIECES])
    return bytes(datagram)


@pytest.mark.slow
def test_nothing_but_a_wire_error_comes_of_a_hundred_thousand_inputs() -> None:
    for seed in range(100_000):
        survives(broken_by(random.Random(seed)))


def test_nothing_but_a_wire_error_comes_of_large_noise() -> None:
    noise = random.Random(1)
    for size in (1000, 20_000, MAX_DATAGRAM):
        survives(b"#bundle\0" + noise.randbytes(size - 8))
        survives(b"/" + noise.randbytes(size - 1))
