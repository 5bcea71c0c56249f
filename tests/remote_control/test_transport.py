"""Which files are sent, to which address, and what happens when a transfer fails."""

import os
import socket
import struct
import threading

import pytest
from fake_interface import CSV, recorded_take

from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.network.peers import Endpoint
from livelink_bridge.remote_control.messages import ControlError, Fetch
from livelink_bridge.remote_control.rate_limited_log import RateLimitedLog
from livelink_bridge.remote_control.transport import MAX_CONCURRENT, MAX_WAITING, Transport, open_take_file, take_file

CLOCK = MonotonicClock()


def transport_of(folder):
    problems = RateLimitedLog(CLOCK)
    return Transport(folder, clock=CLOCK, problems=problems), problems


def listening():
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(5)
    return server, Endpoint("127.0.0.1", server.getsockname()[1])


def read_all(connection):
    connection.settimeout(5)
    with connection, connection.makefile("rb") as stream:
        return stream.read()


def test_a_file_arrives_as_its_size_and_its_bytes(tmp_path):
    take = recorded_take(tmp_path)
    server, to = listening()
    transport, problems = transport_of(tmp_path)
    with server:
        transport.send(Fetch(to, take.csv.relative_to(tmp_path).as_posix()))
        got = read_all(server.accept()[0])
    transport.close()
    assert got == struct.pack(">i", len(CSV)) + CSV
    assert (transport.delivered, problems.count) == (1, 0)


@pytest.mark.parametrize("name", ["MySlate_3_Ada.csv", "MySlate_3_Ada.wav", "take.json"])
def test_every_file_of_a_take_is_served_by_its_relative_and_its_absolute_path(tmp_path, name):
    inside = recorded_take(tmp_path).csv.parent
    for asked in (f"{inside.name}/{name}", f"./{inside.name}/../{inside.name}/{name}", str(inside / name)):
        assert take_file(tmp_path, asked) == (inside / name).resolve()


@pytest.fixture
def tempting(tmp_path):
    """A folder of takes, and beside and within it what is nobody's business."""
    folder = tmp_path / "takes"
    inside = recorded_take(folder).csv.parent
    other = recorded_take(tmp_path / "elsewhere").csv.parent
    (tmp_path / "takes-too").mkdir()
    (folder / "notes.csv").write_text("mine")
    (inside / "key.pem").write_text("mine")
    (inside / ".MySlate_3_Ada.csv.1.partial").write_text("half")
    (inside / ".half.csv").write_text("half")
    (inside / "folder.csv").mkdir()
    if hasattr(os, "symlink"):
        (inside / "link.csv").symlink_to(other / "MySlate_3_Ada.csv")
        (folder / "linked").symlink_to(other)
        (inside / "loop.csv").symlink_to(inside / "loop.csv")
    return folder


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "/etc/passwd",
        "../elsewhere/20261121_MySlate_3/MySlate_3_Ada.csv",
        "20261121_MySlate_3/../../elsewhere/20261121_MySlate_3/MySlate_3_Ada.csv",
        "20261121_MySlate_3/link.csv",
        "20261121_MySlate_3/loop.csv",
        "linked/MySlate_3_Ada.csv",
        "linked/take.json",
        "notes.csv",
        "20261121_MySlate_3",
        "20261121_MySlate_3/folder.csv",
        "20261121_MySlate_3/key.pem",
        "20261121_MySlate_3/.half.csv",
        "20261121_MySlate_3/.MySlate_3_Ada.csv.1.partial",
        "20261121_MySlate_3/absent.csv",
        "20261121_MySlate_3/MySlate_3_Ada.csv\0.json",
        "..\\elsewhere\\20261121_MySlate_3\\MySlate_3_Ada.csv",
        "~/x.csv",
        "a/" * 600 + "x.csv",
        "\ud800.csv",
    ],
)
def test_nothing_but_a_takes_own_files_is_served_and_a_refusal_says_nothing_of_what_is_there(tempting, asked):
    with pytest.raises(ControlError, match="expected a file of a take recorded here"):
        take_file(tempting, asked)


def test_without_a_folder_nothing_is_served():
    with pytest.raises(ControlError, match="start with --record DIR"):
        take_file(None, "a.csv")


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot open a file without following links")
def test_a_link_that_took_a_files_place_is_not_followed(tmp_path):
    take = recorded_take(tmp_path)
    path = take_file(tmp_path, str(take.csv))
    path.unlink()
    path.symlink_to(__file__)
    with pytest.raises(ControlError, match="cannot be read"):
        open_take_file(path)


def test_a_peer_that_does_not_listen_is_a_line(tmp_path, caplog):
    take = recorded_take(tmp_path)
    server, to = listening()
    server.close()
    transport, problems = transport_of(tmp_path)
    transport.send(Fetch(to, str(take.csv)))
    transport._threads.shutdown(wait=True)
    transport.close()
    assert (transport.delivered, problems.count) == (0, 1)
    assert f"MySlate_3_Ada.csv did not reach {to}" in caplog.text


def test_a_peer_that_takes_nothing_holds_up_only_its_own_and_is_left_at_the_end(tmp_path):
    take = recorded_take(tmp_path)
    take.csv.write_bytes(bytes(32 << 20))
    server, to = listening()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    transport, problems = transport_of(tmp_path)
    with server:
        for _ in range(MAX_WAITING):
            transport.send(Fetch(to, str(take.csv)))
        with pytest.raises(ControlError, match=f"{MAX_WAITING} files wait already"):
            transport.send(Fetch(to, str(take.csv)))
        held = [server.accept()[0] for _ in range(MAX_CONCURRENT)]
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
        begun_s = CLOCK.now()
        transport.close()
        assert CLOCK.now() - begun_s < 3
        for connection in held:
            connection.close()
    assert transport.delivered == 0
    assert problems.count >= MAX_CONCURRENT
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("transport")]
