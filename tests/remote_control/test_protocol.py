"""What each message does and what is answered, and that nothing wrong with one does more than write a line."""

import logging
import re
import struct
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message_builder import build_msg
from staged import FakeStage, Taken

from arkit_mapping.takes.folder import MOST_TAKE
from livelink_bridge.errors import SinkError, WireError
from livelink_bridge.network.peers import Endpoint, Peers, read_peers
from livelink_bridge.remote_control.messages import COMMANDS, Fetch, Reply
from livelink_bridge.remote_control.protocol import RemoteProtocol
from livelink_bridge.remote_control.server import encode
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.wire.osc.decode import decode

PEER = Endpoint("127.0.0.1", 50000)
DESK = Endpoint("127.0.0.1", 6000)


def session_of(stage=None, peers=None, takes=None, clock=None):
    return RemoteProtocol(stage or FakeStage(), peers or Peers(), clock=clock or ManualClock(), takes=takes)


def told(session, address, *arguments, peer=PEER):
    return [(reply.address, *reply.arguments) for reply in session.hear(peer, address, arguments)]


def known(stage=None, **kept):
    """A session whose peer has said where it listens."""
    session = session_of(stage, **kept)
    assert told(session, "/OSCAddSendTarget", *DESK) == [("/OSCAddSendTargetConfirm",)]
    return session


def test_every_address_leads_to_an_action_and_every_action_has_one():
    assert {command.does for command in COMMANDS.values()} == set(session_of()._table())


@pytest.mark.parametrize(
    ("address", "arguments", "answers"),
    [
        ("/BatteryQuery", (1,), [("/Battery", 0.75)]),
        ("/ThermalsQuery", (), [("/Thermals", 0)]),
        ("/ARSessionStart", (1,), [("/ARSessionStartConfirm",)]),
        ("/ARSessionStop", (1,), [("/ARSessionStopConfirm",)]),
        ("/Slate", ("Act2",), [("/SlateConfirm", "Act2")]),
        ("/SlateQuery", (), [("/Slate", "MySlate")]),
        ("/Take", (7,), [("/TakeConfirm", 7)]),
        ("/Take", (7.0,), [("/TakeConfirm", 7)]),
        ("/TakeQuery", (1,), [("/Take", 1)]),
        ("/RecordStart", ("Act2", 4), [("/RecordStartConfirm", "10:00:00:00")]),
        ("/RecordStart", (), [("/RecordStartConfirm", "10:00:00:00")]),
        ("/RecordStart", (1,), [("/RecordStartConfirm", "10:00:00:00")]),
        ("/VideoDisplayOn", (1,), []),
        ("/VideoDisplayOff", (), []),
        ("/SlateDescription", ("x",), []),
    ],
)
def test_each_question_gets_its_answer(address, arguments, answers):
    assert told(known(), address, *arguments) == answers


@pytest.mark.parametrize(
    ("address", "arguments", "call"),
    [
        ("/AddLiveLinkAddress", ("192.168.1.10", 11112), ("add_target", "livelink://192.168.1.10:11112")),
        ("/AddLiveLinkAddress", ("192.168.1.10",), ("add_target", "livelink://192.168.1.10:11111")),
        ("/ClearAllLiveLinkAddresses", (1,), ("clear_targets",)),
        ("/LiveLinkSubject", ("Jörg テスト", 1), ("rename", "Jörg テスト")),
        ("/LiveLinkStreamStart", (1,), ("stream", True)),
        ("/LiveLinkStreamStop", (1,), ("stream", False)),
        ("/mood", ("happy:0.4",), ("feel", "happy:0.4", None)),
        ("/mood", ("neutral", "Ada", 1), ("feel", "neutral:0.5", "Ada")),
        ("/gain", (-6.5,), ("set_gain", -6.5, None)),
        ("/gain", (3, "Ada"), ("set_gain", 3.0, "Ada")),
        ("/calibrate", (1,), ("calibrate", None)),
        ("/calibrate", ("Ada",), ("calibrate", "Ada")),
        ("/mute", (), ("mute", True, None)),
        ("/mute", (0, "Ada"), ("mute", False, "Ada")),
        ("/neutral", (), ("neutral", True, None)),
        ("/neutral", (0.0,), ("neutral", False, None)),
        ("/neutral", (1, "Ada"), ("neutral", True, "Ada")),
    ],
)
def test_each_order_is_done_and_surplus_arguments_are_ignored(address, arguments, call):
    stage = FakeStage()
    session = session_of(stage)
    assert told(session, address, *arguments) == []
    assert stage.calls == [call]
    assert session.complaints.count == 0


def test_a_take_is_started_marked_and_stopped_and_its_files_are_told_from_the_folder_of_takes_on(tmp_path):
    stage = FakeStage(tmp_path)
    session = known(stage, takes=tmp_path)
    told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordAddMark", "here") == [("/RecordAddMarkConfirm", "10:00:02:00")]
    inside = "20261121_MySlate_3/MySlate_3_Ada"
    assert told(session, "/RecordStop", 1) == [("/RecordStopConfirm", "10:00:05:00", f"{inside}.csv", f"{inside}.wav")]
    assert stage.calls == [("record_start", "MySlate", 3), ("mark", "here"), ("record_stop",)]


def test_a_take_without_sound_is_told_with_an_empty_path():
    session = known()
    told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordStop") == [("/RecordStopConfirm", "10:00:05:00", "a.csv", "")]


def test_a_cancelled_take_is_confirmed_and_another_may_begin():
    stage = FakeStage()
    session = known(stage)
    told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordCancel", 1) == [("/RecordCancelConfirm", "10:00:04:00")]
    assert told(session, "/RecordStart", "MySlate", 3) == [("/RecordStartConfirm", "10:00:00:00")]


def test_the_same_take_started_twice_is_confirmed_twice_and_begun_once():
    stage = FakeStage()
    session = known(stage)
    first = told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordStart", "MySlate", 3) == first
    assert stage.calls == [("record_start", "MySlate", 3)]


def test_another_take_meanwhile_is_a_line_and_no_confirmation(caplog):
    stage = FakeStage()
    session = known(stage)
    told(session, "/RecordStart", "MySlate", 3)
    assert (
        told(session, "/RecordStart", "Other", 1) == told(session, "/Slate", "Other") == told(session, "/Take", 9) == []
    )
    assert (stage.slate, stage.take) == ("MySlate", 3)
    assert "got take 1 of 'Other' while another is being recorded, expected its end; stop it first" in caplog.text


@pytest.mark.parametrize("address", ["/RecordStop", "/RecordCancel", "/RecordAddMark"])
def test_ending_what_was_not_begun_is_a_line(address, caplog):
    assert told(known(), address, 1) == []
    assert "nothing is being recorded" in caplog.text


def test_a_take_that_ended_by_itself_is_told_when_it_is_stopped():
    stage = FakeStage()
    stage.record_stop = lambda: Taken("10:00:05:00", Path("a.csv"), None)
    assert told(known(stage), "/RecordStop", 1) == [("/RecordStopConfirm", "10:00:05:00", "a.csv", "")]


def test_a_full_disk_is_a_line_and_no_confirmation(caplog):
    session = known(FakeStage(full=True))
    assert told(session, "/RecordStart", "MySlate", 3) == []
    assert "the disk is full" in caplog.text
    assert told(session, "/BatteryQuery") == [("/Battery", 0.75)]


def test_the_face_streams_only_while_both_the_stream_and_the_session_are_on():
    stage = FakeStage()
    session = session_of(stage)
    for address in (
        "/ARSessionStop",
        "/LiveLinkStreamStart",
        "/ARSessionStart",
        "/LiveLinkStreamStop",
        "/ARSessionStart",
    ):
        told(session, address, 1)
    assert [on for _, on in stage.calls] == [False, False, True, False, False]


def test_an_address_added_twice_is_one_target_and_after_clearing_it_is_new():
    stage = FakeStage()
    session = session_of(stage)
    for address in ("/AddLiveLinkAddress", "/AddLiveLinkAddress", "/ClearAllLiveLinkAddresses", "/AddLiveLinkAddress"):
        told(session, address, "10.0.0.1", 11111)
    assert [call[0] for call in stage.calls] == ["add_target", "clear_targets", "add_target"]


def test_no_more_than_sixteen_addresses_are_sent_to(caplog):
    stage = FakeStage()
    session = session_of(stage)
    for last in range(1, 30):
        told(session, "/AddLiveLinkAddress", f"10.0.0.{last}", 11111)
    assert len(stage.calls) == 16
    assert "one address more than 16, which is the most" in caplog.text


def test_replies_go_where_the_peer_wants_them():
    session = session_of()
    usual = [reply.to for reply in session.hear(PEER, "/BatteryQuery", (1,))]
    assert usual == [PEER, Endpoint("127.0.0.1", 6000)]
    replies = session.hear(PEER, "/OSCSetSendTarget", ("127.0.0.1", 7000))
    assert replies == [
        Reply(Endpoint("127.0.0.1", 7000), "/OSCSetSendTargetConfirm"),
        Reply(Endpoint("127.0.0.1", 7000), "/AppActivated"),
    ]
    session.hear(PEER, "/OSCAddSendTarget", ("127.0.0.1", 6000))
    assert [reply.to.port for reply in session.hear(PEER, "/BatteryQuery", ())] == [7000, 6000]
    session.hear(PEER, "/OSCSetSendTarget", ("127.0.0.1", 7001))
    assert [reply.to.port for reply in session.hear(PEER, "/BatteryQuery", ())] == [7001]


def test_each_peer_is_answered_for_itself_and_everybody_is_told_of_takes_begun_here():
    session = session_of(peers=read_peers(["10.0.0.0/24"]))
    one, other = Endpoint("10.0.0.1", 50000), Endpoint("10.0.0.2", 50000)
    session.hear(one, "/OSCSetSendTarget", ("10.0.0.1", 7000))
    session.hear(other, "/OSCAddSendTarget", ("10.0.0.2", 6000))
    assert [reply.to for reply in session.hear(other, "/BatteryQuery", (1,))] == [Endpoint("10.0.0.2", 6000)]
    both = [Endpoint("10.0.0.1", 7000), Endpoint("10.0.0.2", 6000)]
    assert session.started_here("MySlate", 4) == [Reply(to, "/RecordStart", ("MySlate", 4, "")) for to in both]
    assert session.stopped_here() == [Reply(to, "/RecordStop") for to in both]
    assert session.leave() == [Reply(to, "/AppDeactivated") for to in both]


def test_nobody_is_told_anything_at_an_address_that_is_not_heard(caplog):
    session = session_of(peers=read_peers(["10.0.0.0/24"]))
    peer = Endpoint("10.0.0.1", 50000)
    assert session.hear(peer, "/OSCSetSendTarget", ("8.8.8.8", 53)) == []
    assert session.hear(peer, "/Transport", ("10.0.0.2:22", "take.csv")) == []
    assert "name it with --control-allow" in caplog.text and "files only go to the address that asks" in caplog.text


def test_peers_and_their_targets_are_remembered_within_bounds():
    session = session_of(peers=read_peers(["10.0.0.0/8"]))
    for last in range(200):
        for port in range(6000, 6010):
            session.hear(Endpoint(f"10.0.0.{last}", 50000), "/OSCAddSendTarget", ("10.0.0.1", port))
    assert len(session.leave()) <= 16 * 4
    assert len(session._send_targets) == 16
    assert max(len(targets) for targets in session._send_targets.values()) == 4


def test_a_file_is_sent_to_the_address_that_asks_for_it():
    assert session_of().hear(PEER, "/Transport", ("127.0.0.1:7007", "a/b.csv", 1)) == [
        Fetch(Endpoint("127.0.0.1", 7007), "a/b.csv")
    ]


def test_an_unknown_address_is_answered_by_nothing_and_logged_once(caplog):
    session = known()
    for _ in range(1000):
        assert told(session, "/Foo", 1) == []
    assert session.complaints.count == 1000
    assert caplog.text.count("/Foo") == 1


def test_a_thousand_unknown_addresses_are_a_bounded_number_of_lines(caplog):
    session = known()
    for number in range(1000):
        told(session, f"/Foo{number}")
    assert session.complaints.count == 1000
    assert len(caplog.records) == 65
    assert "only counted" in caplog.records[-1].message


def test_what_fails_again_after_a_while_is_said_again(caplog):
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
        ("/Take", ("3",), f"a whole number from 1 to {MOST_TAKE}"),
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
    stage = FakeStage()
    session = known(stage)
    assert told(session, address, *arguments) == []
    assert stage.calls == []
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and "\n" not in record.message
    assert expected in record.message and address in record.message


@pytest.mark.parametrize("address", [address for address, command in COMMANDS.items() if command.needs])
def test_what_an_argument_cannot_be_is_said_once(address, caplog):
    for value in (None, "", -1, 1e9, "hapy", "happy:7", "sad,sad", b"blob", "é" * 90):
        caplog.clear()
        told(known(FakeStage()), address, value, *["x"] * (len(COMMANDS[address].needs) - 1))
        for said in caplog.messages:
            assert len(re.findall(r"\b(?:got|unknown)\b", said)) == said.count("expected") == 1, said


def test_replies_are_what_an_osc_library_writes():
    reply = Reply(DESK, "/RecordStopConfirm", ("10:00:05:00", "a.csv", ""))
    assert encode(reply) == build_msg("/RecordStopConfirm", ["10:00:05:00", "a.csv", ""]).dgram
    assert encode(Reply(DESK, "/Battery", (0.5,))) == b"/Battery\0\0\0\0,f\0\0\x3f\0\0\0"
    assert encode(Reply(DESK, "/Thermals", (0,))) == b"/Thermals\0\0\0,i\0\0\0\0\0\0"


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


class Refusing(FakeStage):
    """Holds the session to what it promises the stage."""

    def record_stop(self) -> Taken:
        if not self.recording:
            raise SinkError("nothing is being recorded")
        self.recording = False
        return Taken("10:00:05:00", Path("/takes/a.csv"), None)


def hear_anything(session, stage, address, arguments):
    outcomes = session.hear(PEER, address, arguments)
    for outcome in outcomes:
        if isinstance(outcome, Reply):
            assert outcome.to.host.startswith("127.")
            (message,) = decode(encode(outcome))
            assert message.address == outcome.address
    assert len(outcomes) <= 8
    assert len(stage.slate.encode()) <= 100 and 1 <= stage.take <= MOST_TAKE
    stage.calls.clear()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ADDRESS, st.lists(ARGUMENT, max_size=4)), max_size=8))
def test_no_message_is_more_than_a_line(messages):
    stage = Refusing()
    session = session_of(stage)
    for address, arguments in messages:
        hear_anything(session, stage, address, arguments)


def small(session):
    return len(session.complaints._said_s) <= 64 and len(session._send_targets) <= 16 and len(session._addresses) <= 16


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_messages_are_no_more_than_lines():
    stage = Refusing()
    clock = ManualClock()
    session = session_of(stage, clock=clock)

    @settings(max_examples=5_000, deadline=None, database=None)
    @given(st.lists(st.tuples(ADDRESS, st.lists(ARGUMENT, max_size=4)), min_size=20, max_size=20))
    def hear(messages):
        for address, arguments in messages:
            clock.advance(0.01)
            hear_anything(session, stage, address, arguments)

    hear()
    assert session.heard >= 100_000
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
    rng, stage, clock = Random(1), Refusing(), ManualClock()
    session = session_of(stage, clock=clock)
    refused = 0
    for _ in range(100_000):
        try:
            messages = decode(damaged(rng))
        except WireError:
            refused += 1
            continue
        for message in messages:
            clock.advance(0.01)
            hear_anything(session, stage, message.address, message.arguments)
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
        session_of().hear(PEER, message.address, message.arguments)
