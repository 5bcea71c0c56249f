"""What each OSC message does and how it is answered."""

from pathlib import Path

import pytest
from fake_interface import FakeInterface, FakeTake
from pythonosc.osc_message_builder import build_msg
from remote_sessions import DESK, PEER, known, session_of, told

from livelink_bridge.network.peers import Endpoint, read_peers
from livelink_bridge.remote_control.messages import COMMANDS, Fetch, Reply
from livelink_bridge.remote_control.server import encode


def test_every_address_leads_to_an_action_and_every_action_has_one():
    assert {command.action for command in COMMANDS.values()} == set(session_of()._table())


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
        ("/mood", ("happy:0.4",), ("set_mood", "happy:0.4", None)),
        ("/mood", ("neutral", "Ada", 1), ("set_mood", "neutral:0.5", "Ada")),
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
    remote = FakeInterface()
    session = session_of(remote)
    assert told(session, address, *arguments) == []
    assert remote.calls == [call]
    assert session.problems.count == 0


def test_a_take_is_started_marked_and_stopped_and_its_paths_are_relative_to_the_folder_of_takes(tmp_path):
    remote = FakeInterface(tmp_path)
    session = known(remote, takes=tmp_path)
    told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordAddMark", "here") == [("/RecordAddMarkConfirm", "10:00:02:00")]
    inside = "20261121_MySlate_3/MySlate_3_Ada"
    assert told(session, "/RecordStop", 1) == [("/RecordStopConfirm", "10:00:05:00", f"{inside}.csv", f"{inside}.wav")]
    assert remote.calls == [("record_start", "MySlate", 3), ("mark", "here"), ("record_stop",)]


def test_a_take_without_audio_is_confirmed_with_an_empty_path():
    session = known()
    told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordStop") == [("/RecordStopConfirm", "10:00:05:00", "a.csv", "")]


def test_a_cancelled_take_is_confirmed_and_another_may_begin():
    remote = FakeInterface()
    session = known(remote)
    told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordCancel", 1) == [("/RecordCancelConfirm", "10:00:04:00")]
    assert told(session, "/RecordStart", "MySlate", 3) == [("/RecordStartConfirm", "10:00:00:00")]


def test_the_same_take_started_twice_is_confirmed_twice_and_begun_once():
    remote = FakeInterface()
    session = known(remote)
    first = told(session, "/RecordStart", "MySlate", 3)
    assert told(session, "/RecordStart", "MySlate", 3) == first
    assert remote.calls == [("record_start", "MySlate", 3)]


def test_another_take_meanwhile_is_a_line_and_no_confirmation(caplog):
    remote = FakeInterface()
    session = known(remote)
    told(session, "/RecordStart", "MySlate", 3)
    assert (
        told(session, "/RecordStart", "Other", 1) == told(session, "/Slate", "Other") == told(session, "/Take", 9) == []
    )
    assert (remote.slate, remote.take) == ("MySlate", 3)
    assert "got take 1 of 'Other' while another is being recorded, expected its end; stop it first" in caplog.text


@pytest.mark.parametrize("address", ["/RecordStop", "/RecordCancel", "/RecordAddMark"])
def test_ending_what_was_not_begun_is_a_line(address, caplog):
    assert told(known(), address, 1) == []
    assert "nothing is being recorded" in caplog.text


def test_a_take_that_ended_by_itself_is_confirmed_when_it_is_stopped():
    remote = FakeInterface()
    remote.record_stop = lambda: FakeTake("10:00:05:00", Path("a.csv"), None)
    assert told(known(remote), "/RecordStop", 1) == [("/RecordStopConfirm", "10:00:05:00", "a.csv", "")]


def test_a_full_disk_is_a_line_and_no_confirmation(caplog):
    session = known(FakeInterface(full=True))
    assert told(session, "/RecordStart", "MySlate", 3) == []
    assert "the disk is full" in caplog.text
    assert told(session, "/BatteryQuery") == [("/Battery", 0.75)]


def test_the_face_streams_only_while_both_the_stream_and_the_session_are_on():
    remote = FakeInterface()
    session = session_of(remote)
    for address in (
        "/ARSessionStop",
        "/LiveLinkStreamStart",
        "/ARSessionStart",
        "/LiveLinkStreamStop",
        "/ARSessionStart",
    ):
        told(session, address, 1)
    assert [on for _, on in remote.calls] == [False, False, True, False, False]


def test_an_address_added_twice_is_one_target_and_after_clearing_it_is_new():
    remote = FakeInterface()
    session = session_of(remote)
    for address in ("/AddLiveLinkAddress", "/AddLiveLinkAddress", "/ClearAllLiveLinkAddresses", "/AddLiveLinkAddress"):
        told(session, address, "10.0.0.1", 11111)
    assert [call[0] for call in remote.calls] == ["add_target", "clear_targets", "add_target"]


def test_no_more_than_sixteen_addresses_are_sent_to(caplog):
    remote = FakeInterface()
    session = session_of(remote)
    for last in range(1, 30):
        told(session, "/AddLiveLinkAddress", f"10.0.0.{last}", 11111)
    assert len(remote.calls) == 16
    assert "would exceed the limit of 16 addresses" in caplog.text


def test_replies_go_where_the_peer_wants_them():
    session = session_of()
    usual = [reply.to for reply in session.handle(PEER, "/BatteryQuery", (1,))]
    assert usual == [PEER, Endpoint("127.0.0.1", 6000)]
    replies = session.handle(PEER, "/OSCSetSendTarget", ("127.0.0.1", 7000))
    assert replies == [
        Reply(Endpoint("127.0.0.1", 7000), "/OSCSetSendTargetConfirm"),
        Reply(Endpoint("127.0.0.1", 7000), "/AppActivated"),
    ]
    session.handle(PEER, "/OSCAddSendTarget", ("127.0.0.1", 6000))
    assert [reply.to.port for reply in session.handle(PEER, "/BatteryQuery", ())] == [7000, 6000]
    session.handle(PEER, "/OSCSetSendTarget", ("127.0.0.1", 7001))
    assert [reply.to.port for reply in session.handle(PEER, "/BatteryQuery", ())] == [7001]


def test_each_peer_gets_its_own_replies_and_every_peer_is_notified_of_local_takes():
    session = session_of(peers=read_peers(["10.0.0.0/24"]))
    one, other = Endpoint("10.0.0.1", 50000), Endpoint("10.0.0.2", 50000)
    session.handle(one, "/OSCSetSendTarget", ("10.0.0.1", 7000))
    session.handle(other, "/OSCAddSendTarget", ("10.0.0.2", 6000))
    assert [reply.to for reply in session.handle(other, "/BatteryQuery", (1,))] == [Endpoint("10.0.0.2", 6000)]
    both = [Endpoint("10.0.0.1", 7000), Endpoint("10.0.0.2", 6000)]
    assert session.local_take_started("MySlate", 4) == [Reply(to, "/RecordStart", ("MySlate", 4, "")) for to in both]
    assert session.local_take_stopped() == [Reply(to, "/RecordStop") for to in both]
    assert session.leave() == [Reply(to, "/AppDeactivated") for to in both]


def test_nothing_is_sent_to_an_address_that_is_not_allowed(caplog):
    session = session_of(peers=read_peers(["10.0.0.0/24"]))
    peer = Endpoint("10.0.0.1", 50000)
    assert session.handle(peer, "/OSCSetSendTarget", ("8.8.8.8", 53)) == []
    assert session.handle(peer, "/Transport", ("10.0.0.2:22", "take.csv")) == []
    assert (
        "allow it with --control-allow" in caplog.text
        and "files are only sent to the address that requests" in caplog.text
    )


def test_peers_and_their_targets_are_remembered_within_bounds():
    session = session_of(peers=read_peers(["10.0.0.0/8"]))
    for last in range(200):
        for port in range(6000, 6010):
            session.handle(Endpoint(f"10.0.0.{last}", 50000), "/OSCAddSendTarget", ("10.0.0.1", port))
    assert len(session.leave()) <= 16 * 4
    assert len(session._send_targets) == 16
    assert max(len(targets) for targets in session._send_targets.values()) == 4


def test_a_file_is_sent_to_the_address_that_requests_it():
    assert session_of().handle(PEER, "/Transport", ("127.0.0.1:7007", "a/b.csv", 1)) == [
        Fetch(Endpoint("127.0.0.1", 7007), "a/b.csv")
    ]


def test_replies_are_what_an_osc_library_writes():
    reply = Reply(DESK, "/RecordStopConfirm", ("10:00:05:00", "a.csv", ""))
    assert encode(reply) == build_msg("/RecordStopConfirm", ["10:00:05:00", "a.csv", ""]).dgram
    assert encode(Reply(DESK, "/Battery", (0.5,))) == b"/Battery\0\0\0\0,f\0\0\x3f\0\0\0"
    assert encode(Reply(DESK, "/Thermals", (0,))) == b"/Thermals\0\0\0,i\0\0\0\0\0\0"
