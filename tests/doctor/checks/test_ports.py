"""Who has a port, read from a /proc made for the test, and from this machine's own."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path

import pytest

from livelink_bridge.doctor.checks.listeners import receiver
from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.ports import UdpSocket, how_to_see, udp_sockets
from livelink_bridge.doctor.checks.targets import find
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.network.udp_port import Arrivals

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
links = pytest.mark.skipif(sys.platform == "win32", reason="Windows makes links for administrators only")
HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer "
    "drops\n"
)


class Proc:
    """A made-up /proc."""

    def __init__(self, root: Path) -> None:
        self.machine = Machine(root, "linux", lambda *_: None)
        self._proc = root / "proc"
        (self._proc / "net").mkdir(parents=True)
        self._table = self._proc / "net" / "udp"
        self._table.write_text(HEAD)
        self._inode = 100

    def opens(
        self, ip: str, port: int, pid: int | None = None, *command: str, to: tuple[str, int] = ("0.0.0.0", 0)
    ) -> None:
        """A UDP socket, and the process that has it if it is told."""
        self._inode += 1
        with self._table.open("a") as table:
            table.write(f"  0: {words(ip, port)} {words(*to)} 07 0:0 00:0 0  1000        0 {self._inode} 2 0 0\n")
        if pid is not None:
            folder = self._proc / str(pid) / "fd"
            folder.mkdir(parents=True, exist_ok=True)
            os.symlink(f"socket:[{self._inode}]", folder / str(self._inode))
            (self._proc / str(pid) / "cmdline").write_text("\0".join(command) + "\0")


def words(ip: str, port: int) -> str:
    (word,) = struct.unpack("=I", socket.inet_aton(ip))
    return f"{word:08X}:{port:04X}"


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def local(port: int) -> str:
    return f"livelink://127.0.0.1:{port}"


@links
def test_a_port_is_held_by_the_program_that_has_its_socket(proc: Proc) -> None:
    proc.opens("0.0.0.0", 11111, 77, "/opt/ue/UnrealEditor", "Game.uproject")
    assert udp_sockets(proc.machine) == [UdpSocket(("0.0.0.0", 11111), None, "UnrealEditor", 77)]
    found = receiver(find(local(11111)), proc.machine)
    assert found == Finding("ok", local(11111), "UDP port 11111 is held by UnrealEditor (process 77) on 0.0.0.0")


@links
def test_two_programs_on_one_port_are_both_named(proc: Proc) -> None:
    proc.opens("0.0.0.0", 11111, 77, "/opt/ue/UnrealEditor")
    proc.opens("0.0.0.0", 11111, 78, "/usr/bin/python3", "/home/a/bin/livelink-bridge", "monitor")
    found = receiver(find(local(11111)), proc.machine)
    assert found.level == "warn" and "close all but the one" in found.text
    assert "UnrealEditor (process 77)" in found.text and "python3 livelink-bridge monitor (process 78)" in found.text


@links
def test_a_program_that_listens_on_another_address_does_not_hear_this_one(proc: Proc) -> None:
    proc.opens("192.168.1.5", 11111, 77, "UnrealEditor")
    found = receiver(find(local(11111)), proc.machine)
    assert found.level == "fail" and "on 192.168.1.5, which does not hear 127.0.0.1" in found.text


def test_a_program_of_another_user_has_no_name_and_holds_the_port_all_the_same(proc: Proc) -> None:
    proc.opens("127.0.0.1", 11111)
    found = receiver(find(local(11111)), proc.machine)
    assert found.level == "ok" and "a program of another user on 127.0.0.1" in found.text


def test_a_sender_that_has_the_port_as_its_own_is_no_receiver(proc: Proc, free_port: int) -> None:
    proc.opens("127.0.0.1", free_port, to=("127.0.0.1", 9))
    assert "is free" in receiver(find(local(free_port)), proc.machine).text


def test_a_damaged_table_tells_nothing_and_harms_nothing(proc: Proc) -> None:
    (proc.machine.root / "proc/net/udp").write_text("not a table\nat all\n")
    assert udp_sockets(proc.machine) == []
    assert udp_sockets(Machine(proc.machine.root / "nowhere", "linux")) == []


@linux_only
def test_this_machines_own_sockets_are_found_with_this_process() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        own.bind(("127.0.0.1", 0))
        sender.connect(own.getsockname())
        found = udp_sockets(Machine()) or []
        [held] = [each for each in found if each.own == own.getsockname()]
        [sending] = [each for each in found if each.other == own.getsockname()]
    assert held.pid == sending.pid == os.getpid() and held.program is not None and held.other is None


def test_a_local_port_is_ok_when_somebody_has_it_and_a_warning_when_nobody_does() -> None:
    with Arrivals(0, "127.0.0.1") as listening:
        port = listening.port
        assert receiver(find(local(port)), Machine()).level == "ok"
    free = receiver(find(local(port)), Machine())
    assert free.level == "warn" and f"monitor --port {port}" in free.text


@pytest.mark.parametrize(
    ("platform", "command"), [("win32", "Get-NetUDPEndpoint -LocalPort"), ("darwin", "lsof -nP -iUDP:")]
)
def test_where_the_system_names_nobody_the_port_is_tried_and_the_command_told(
    platform: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livelink_bridge.doctor.checks.listeners.udp_sockets", lambda machine: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind(("127.0.0.1", 0))
        port = alone.getsockname()[1]
        found = receiver(find(local(port)), Machine(platform=platform))
    assert found.level == "ok" and f"{command}{' ' if platform == 'win32' else ''}{port}" in found.text
    assert how_to_see(port, platform) in found.text


def test_psutil_tells_the_same_where_there_is_no_proc() -> None:
    pytest.importorskip("psutil", reason="psutil is not installed")
    with Arrivals(0, "127.0.0.1") as listening:
        found = udp_sockets(Machine(platform="elsewhere"))
        if found is None:
            pytest.skip("psutil may not look at sockets here")
        assert [each.pid for each in found if each.own[1] == listening.port] == [os.getpid()]
