"""Invalid messages are logged, one line each and bounded in number."""

import logging
import re
import struct
from pathlib import Path
from random import Random

import pytest
from fake_interface import FakeInterface, FakeTake
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message_builder import build_msg
from remote_sessions import PEER, known, session_of, told

from arkit_mapping.takes.folder import MAX_TAKE
from livelink_bridge.errors import SinkError, WireError
from livelink_bridge.remote_control.messages import COMMANDS, Reply
from livelink_bridge.remote_control.server import encode
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.wire.osc.decode import decode


def test_an_unknown_address_is_answered_by_nothing_and_logged_once(caplog):
    session = known()
    for _ in range(1000):
        assert told(session, "/Foo", 1) == []
    assert session.problems.count == 1000
    assert caplog.text.count("/Foo") == 1


def test_a_thousand_unknown_addresses_are_a_bounded_number_of_lines(caplog):
    session = known()
    for number in range(1000):
        told(session, f"/Foo{number}")
    assert session.problems.count == 1000
    assert len(caplog.records) == 65
    assert "only counted" in caplog.records[-1].message


def test_a_repeated_failure_is_logged_again_after_the_interval(caplog):
    clock = ManualClock()
    session = known(clock=clock)
    for _ in range(100):
        told(session, "/RecordStop")
        clock.advance(0.1)
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("address", "arguments", "expected"),
    [
        ("/OSCSetSendTarget", (), "got 0 arguments, expected 2"),
        ("/OSCSetSendTarget", ("host.example", 6000), "an IPv4 address such as 192.168.1.10"),
        ("/OSCSetSendTarget", ("127.0.0.1", 0), "a whole number from 1 to 65535"),
        ("/AddLiveLinkAddress", (11111, "127.0.0.1"), "argument 1: got 11111, expected an IPv4 address"),
        ("/LiveLinkSubject", (1,), "a name of printable characters"),
        ("/LiveLinkSubject", ("none",), "another name"),
        ("/Slate", ("a\nb",), "a name of at most 100 bytes"),
        ("/Take", ("3",), f"a whole number from 1 to {MAX_TAKE}"),
        ("/Take", (float("nan"),), "a whole number"),
        ("/Take", (2.5,), "a whole number"),
        ("/Transport", ("127.0.0.1", "a.csv"), "IP:PORT such as"),
        ("/Transport", ("127.0.0.1:99999", "a.csv"), "IP:PORT such as"),
        ("/mood", ("hapy",), "argument 1: got 'hapy', expected neutral, happy,"),
        ("/gain", (float("inf"),), "argument 1: got inf, expected a number"),
        ("/gain", (41,), "a number from -40 to 40 dB"),
        ("/neutral", ("Ada",), "1 or 0"),
    ],
)
def test_wrong_arguments_are_one_line_that_says_what_was_expected(address, arguments, expected, caplog):
    remote = FakeInterface()
    session = known(remote)
    assert told(session, address, *arguments) == []
    assert remote.calls == []
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and "\n" not in record.message
    assert expected in record.message and address in record.message


@pytest.mark.parametrize("address", [address for address, command in COMMANDS.items() if command.required])
def test_an_invalid_argument_is_logged_once(address, caplog):
    for value in (None, "", -1, 1e9, "hapy", "happy:7", "sad,sad", b"blob", "é" * 90):
        caplog.clear()
        told(known(FakeInterface()), address, value, *["x"] * (len(COMMANDS[address].required) - 1))
        for line in caplog.messages:
            assert len(re.findall(r"\b(?:got|unknown)\b", line)) == line.count("expected") == 1, line


ARGUMENT = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=20),
    st.tuples(st.integers()),
    st.sampled_from(["127.0.0.1", "127.0.0.1:7000", "happy", "../../etc/passwd", "MySlate", "\0", "\ud800"]),
    st.integers(0, 7000),
)
ADDRESS = st.one_of(st.sampled_from(sorted(COMMANDS)), st.text(max_size=30))


class Refusing(FakeInterface):
    """Holds the session to what it promises the remote."""

    def record_stop(self) -> FakeTake:
        if not self.recording:
            raise SinkError("nothing is being recorded")
        self.recording = False
        return FakeTake("10:00:05:00", Path("/takes/a.csv"), None)


def hear_anything(session, remote, address, arguments):
    outcomes = session.handle(PEER, address, arguments)
    for outcome in outcomes:
        if isinstance(outcome, Reply):
            assert outcome.to.host.startswith("127.")
            (message,) = decode(encode(outcome))
            assert message.address == outcome.address
    assert len(outcomes) <= 8
    assert len(remote.slate.encode()) <= 100 and 1 <= remote.take <= MAX_TAKE
    remote.calls.clear()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ADDRESS, st.lists(ARGUMENT, max_size=4)), max_size=8))
def test_no_message_is_more_than_a_line(messages):
    remote = Refusing()
    session = session_of(remote)
    for address, arguments in messages:
        hear_anything(session, remote, address, arguments)


def small(session):
    return len(session.problems._logged_s) <= 64 and len(session._send_targets) <= 16 and len(session._addresses) <= 16


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_messages_are_no_more_than_lines():
    remote = Refusing()
    clock = ManualClock()
    session = session_of(remote, clock=clock)

    @settings(max_examples=5_000, deadline=None, database=None)
    @given(st.lists(st.tuples(ADDRESS, st.lists(ARGUMENT, max_size=4)), min_size=20, max_size=20))
    def hear(messages):
        for address, arguments in messages:
            clock.advance(0.01)
            hear_anything(session, remote, address, arguments)

    hear()
    assert session.received >= 100_000
    assert small(session)


def damaged(rng):
    """A datagram of a known message whose bytes were cut, changed or added to."""
    pool = [1, 3, 0.5, "127.0.0.1", 7000, "127.0.0.1:7000", "happy", "MySlate", "", b"x", True, None]
    raw = bytearray(build_msg(rng.choice(sorted(COMMANDS)), rng.choices(pool, k=rng.randrange(4))).dgram)
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(raw) + 1)
        raw[at : at + rng.randrange(5)] = rng.randbytes(rng.choice((0, 1, 4)))
    return bytes(raw)


@pytest.mark.slow
def test_a_hundred_thousand_damaged_datagrams_are_no_more_than_lines():
    rng, remote, clock = Random(1), Refusing(), ManualClock()
    session = session_of(remote, clock=clock)
    refused = 0
    for _ in range(100_000):
        try:
            messages = decode(damaged(rng))
        except WireError:
            refused += 1
            continue
        for message in messages:
            clock.advance(0.01)
            hear_anything(session, remote, message.address, message.arguments)
    assert 10_000 < refused < 90_000
    assert small(session)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_a_bundle_of_rubbish_is_refused_before_the_session_sees_it(rubbish):
    try:
        messages = decode(b"#bundle\0" + struct.pack(">Q", 1) + rubbish)
    except WireError:
        return
    for message in messages:
        session_of().handle(PEER, message.address, message.arguments)
