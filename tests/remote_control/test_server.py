"""The control port over real sockets: a fake Switchboard, unknown peers, malformed datagrams, shutdown."""

import socket
import struct
import threading
from contextlib import contextmanager

import pytest
from fake_interface import CSV, FakeInterface
from pythonosc.osc_message_builder import build_msg
from switchboard import Switchboard, fetched

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.errors import BridgeError
from livelink_bridge.network.peers import Endpoint, Peers, read_peers
from livelink_bridge.remote_control.server import Server


@contextmanager
def serving(remote=None, peers=None, takes=None):
    server = Server(remote or FakeInterface(), peers or Peers(), port=0, clock=MonotonicClock(), takes=takes)
    thread = threading.Thread(target=server.run, name="control")
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
        assert not thread.is_alive()


class Mistaken(FakeInterface):
    """A remote with a bug of ours in it."""

    def rename(self, subject):
        raise ZeroDivisionError("division by zero")


def test_a_bug_in_one_message_is_logged_once_and_the_next_message_is_carried_out(caplog):
    remote = Mistaken()
    with serving(remote) as server:
        for _ in range(3):
            server.handle(Endpoint("127.0.0.1", 9), build_msg("/LiveLinkSubject", "Ada").dgram)
        server.handle(Endpoint("127.0.0.1", 9), build_msg("/LiveLinkStreamStart", 1).dgram)
    assert [record.getMessage() for record in caplog.records if "has failed" in record.getMessage()] == [
        "remote control: /LiveLinkSubject from 127.0.0.1 has failed: ZeroDivisionError: division by zero; please "
        "report it"
    ]
    assert ("stream", True) in remote.calls


def test_a_switchboard_session_from_looking_for_the_device_to_its_end(tmp_path):
    remote = FakeInterface(tmp_path)
    with serving(remote, takes=tmp_path) as server:
        board = Switchboard(server.port)
        # It looks for the device every five seconds, and launches it when it answers.
        board.send("/OSCAddSendTarget", "127.0.0.1", board.inbox.getsockname()[1])
        board.send("/BatteryQuery", 1)
        board.wait_for("target", ("battery", 0.75))
        board.send("/LiveLinkSubject", "Ada")
        board.send("/ARSessionStart", 1)
        board.send("/ClearAllLiveLinkAddresses", 1)
        board.send("/AddLiveLinkAddress", "192.168.1.10", 11111)
        board.send("/AddLiveLinkAddress", "192.168.1.11", 11111)
        board.send("/LiveLinkStreamStart", 1)
        board.wait_for("ready")
        board.send("/Take", 3)
        board.send("/Slate", "MySlate")
        board.wait_for("/TakeConfirm", "/SlateConfirm")
        board.send("/BatteryQuery", 1)
        board.wait_for(("battery", 0.75))
        board.send("/RecordStart", "MySlate", 3)
        board.wait_for(("recording", "10:00:00:00"))
        board.send("/RecordStop", 1)
        inside = "20261121_MySlate_3/MySlate_3_Ada"
        board.wait_for(("stopped", "10:00:05:00", (f"{inside}.csv", f"{inside}.wav")))
        assert fetched(board, f"{inside}.csv") == struct.pack(">i", len(CSV)) + CSV
        assert fetched(board, f"{inside}.wav") == struct.pack(">i", 4) + b"RIFF"
        board.send("/ARSessionStop", 1)
        board.wait_for("closed")
    board.wait_for("/AppDeactivated")
    board.close()
    assert remote.calls == [
        ("rename", "Ada"),
        ("stream", True),
        ("clear_targets",),
        ("add_target", "livelink://192.168.1.10:11111"),
        ("add_target", "livelink://192.168.1.11:11111"),
        ("stream", True),
        ("record_start", "MySlate", 3),
        ("record_stop",),
        ("stream", False),
    ]
    assert server.session.problems.count == 0


def test_the_apps_own_spelling_is_confirmed_at_the_new_target_which_is_notified_of_local_takes():
    with serving() as server:
        board = Switchboard(server.port)
        board.send("/OSCSetSendTarget", "127.0.0.1", board.inbox.getsockname()[1])
        board.wait_for("/OSCSetSendTargetConfirm", "/AppActivated")
        server.local_take_started("MySlate", 5)
        server.local_take_stopped()
        board.wait_for("/RecordStart", "/RecordStop")
    board.close()


def test_a_peer_that_named_no_target_is_answered_at_the_port_it_sent_from():
    with serving() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
        desk.settimeout(5)
        desk.sendto(build_msg("/BatteryQuery", []).dgram, ("127.0.0.1", server.port))
        assert desk.recv(100) == build_msg("/Battery", 0.75).dgram


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        bytes(65507),
        b"\xff" * 1000,
        b"GET / HTTP/1.1\r\n",
        b"#bundle\0" + bytes(8),
        b"/BatteryQuery",
        (b"#bundle\0" + struct.pack(">Qi", 1, 16)) * 1000,
        build_msg("/RecordStart", ["x", 1]).dgram[:-4],
    ],
    ids=["empty", "64 kB of zeros", "ones", "http", "empty bundle", "cut", "nested", "short"],
)
def test_what_is_not_osc_is_at_most_a_line_and_the_next_message_is_answered(datagram, caplog):
    with serving() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
        desk.settimeout(5)
        for _ in range(20):
            desk.sendto(datagram, ("127.0.0.1", server.port))
        desk.sendto(build_msg("/BatteryQuery", []).dgram, ("127.0.0.1", server.port))
        assert desk.recv(100) == build_msg("/Battery", 0.75).dgram
    assert len([record for record in caplog.records if record.name.startswith("livelink_bridge")]) <= 1


def test_strangers_are_counted_logged_once_each_and_not_answered(caplog):
    server = Server(FakeInterface(), read_peers(["192.0.2.1"]), port=0, clock=MonotonicClock())
    for last in range(200):
        for _ in range(2):
            server.handle(Endpoint(f"198.51.100.{last}", 5000), build_msg("/RecordStart", ["x", 1]).dgram)
    assert (server.refused, server.session.received) == (400, 0)
    assert len(caplog.records) == 65
    assert "198.51.100.0 is not an allowed peer; to allow it, add --control-allow 198.51.100.0" in caplog.text
    server.stop()
    server.run()


def test_a_datagram_of_many_messages_is_heeded_up_to_a_bound(caplog):
    element = build_msg("/TakeQuery", []).dgram
    bundle = b"#bundle\0" + struct.pack(">Q", 1) + 500 * (struct.pack(">i", len(element)) + element)
    server = Server(FakeInterface(), Peers(), port=0, clock=MonotonicClock())
    server.handle(Endpoint("127.0.0.1", 9), bundle)
    assert server.session.received == 64
    assert "500 messages at once, expected at most 64" in caplog.text
    server.stop()
    server.run()


def test_a_port_that_is_taken_is_one_line():
    with (
        serving() as server,
        pytest.raises(BridgeError, match=rf"control port {server.port} on 127.0.0.1 cannot be opened: .*--control"),
    ):
        Server(FakeInterface(), Peers(), port=server.port, clock=MonotonicClock())


def test_only_this_machine_reaches_the_port_unless_others_are_named():
    with serving() as server:
        assert server._socket.getsockname()[0] == "127.0.0.1"
    with serving(peers=read_peers(["127.0.0.1"])) as server:
        assert server._socket.getsockname()[0] == "0.0.0.0"
