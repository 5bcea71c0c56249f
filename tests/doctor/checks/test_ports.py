"""Which program holds a UDP port: by what psutil lists, made up for the test, and by this machine's own sockets."""

from __future__ import annotations

import os
import socket
import sys
from types import SimpleNamespace

import psutil
import pytest

from livelink_bridge.doctor.checks import ports
from livelink_bridge.doctor.checks.listeners import receiver
from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.ports import UdpSocket, how_to_see, udp_sockets
from livelink_bridge.doctor.checks.targets import find
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.network.udp_port import Arrivals

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="macOS lists sockets for administrators only")
MACHINE = Machine(platform="linux")


class System:
    """A made-up system: its UDP sockets and the command lines of the programs that hold them."""

    def __init__(self) -> None:
        self._sockets: list[SimpleNamespace] = []
        self._commands: dict[int, list[str]] = {}

    def opens(
        self, ip: str, port: int, pid: int | None = None, *command: str, to: tuple[str, int] | tuple[()] = ()
    ) -> None:
        """A UDP socket, and the program that holds it if the system tells."""
        self._sockets.append(SimpleNamespace(laddr=(ip, port), raddr=to, pid=pid))
        if pid is not None:
            self._commands[pid] = list(command)

    def net_connections(self, kind: str) -> list[SimpleNamespace]:
        assert kind == "udp"
        return self._sockets

    def process(self, pid: int) -> SimpleNamespace:
        if not self._commands[pid]:
            raise psutil.AccessDenied(pid)
        return SimpleNamespace(cmdline=lambda: self._commands[pid], name=lambda: self._commands[pid][0][:15])


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    made = System()
    monkeypatch.setattr(ports.psutil, "net_connections", made.net_connections)
    monkeypatch.setattr(ports.psutil, "Process", made.process)
    return made


def local(port: int) -> str:
    return f"livelink://127.0.0.1:{port}"


def test_a_port_is_held_by_the_program_that_has_its_socket(system: System) -> None:
    system.opens("0.0.0.0", 11111, 77, "/opt/ue/UnrealEditor", "Game.uproject")
    assert udp_sockets() == [UdpSocket(("0.0.0.0", 11111), None, "UnrealEditor", 77)]
    found = receiver(find(local(11111)), MACHINE)
    assert found == Finding("ok", local(11111), "UDP port 11111 is held by UnrealEditor (process 77) on 0.0.0.0")


def test_two_programs_on_one_port_are_both_named(system: System) -> None:
    system.opens("0.0.0.0", 11111, 77, "/opt/ue/UnrealEditor")
    system.opens("0.0.0.0", 11111, 78, "/usr/bin/python3", "/home/a/bin/livelink-bridge", "monitor")
    found = receiver(find(local(11111)), MACHINE)
    assert found.level == "warn" and "close all but the right one" in found.text
    assert "UnrealEditor (process 77)" in found.text and "python3 livelink-bridge monitor (process 78)" in found.text


def test_a_program_that_listens_on_another_address_does_not_hear_this_one(system: System) -> None:
    system.opens("192.168.1.5", 11111, 77, "UnrealEditor")
    found = receiver(find(local(11111)), MACHINE)
    assert found.level == "fail" and "on 192.168.1.5, which does not receive at 127.0.0.1" in found.text


def test_a_program_of_another_user_has_no_name_and_holds_the_port_all_the_same(system: System) -> None:
    system.opens("127.0.0.1", 11111)
    found = receiver(find(local(11111)), MACHINE)
    assert found.level == "ok" and "a program of another user on 127.0.0.1" in found.text


def test_a_sender_that_has_the_port_as_its_own_is_no_receiver(system: System, free_port: int) -> None:
    system.opens("127.0.0.1", free_port, to=("127.0.0.1", 9))
    assert "is free" in receiver(find(local(free_port)), MACHINE).text


def test_a_program_that_hides_its_command_line_has_no_name(system: System) -> None:
    system.opens("127.0.0.1", 11111, 5)
    assert udp_sockets() == [UdpSocket(("127.0.0.1", 11111), None, None, 5)]


@pytest.mark.parametrize("error", [psutil.AccessDenied(), PermissionError(1, "not allowed"), RuntimeError("malformed")])
def test_a_system_that_lists_no_sockets_says_nothing_and_harms_nothing(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(kind: str) -> None:
        raise error

    monkeypatch.setattr(ports.psutil, "net_connections", refuse)
    assert udp_sockets() is None


@linux_only
def test_this_machines_own_sockets_are_found_with_this_process() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        own.bind(("127.0.0.1", 0))
        sender.connect(own.getsockname())
        found = udp_sockets() or []
        [held] = [each for each in found if each.own == own.getsockname()]
        [sending] = [each for each in found if each.other == own.getsockname()]
    assert held.pid == sending.pid == os.getpid() and held.program is not None and held.other is None


def test_a_local_port_is_ok_when_a_program_has_it_and_a_warning_when_none_does() -> None:
    with Arrivals(0, "127.0.0.1") as listening:
        port = listening.port
        assert receiver(find(local(port)), Machine()).level == "ok"
    free = receiver(find(local(port)), Machine())
    assert free.level == "warn" and f"monitor --port {port}" in free.text


@pytest.mark.parametrize(
    ("platform", "command"), [("win32", "Get-NetUDPEndpoint -LocalPort"), ("darwin", "lsof -nP -iUDP:")]
)
def test_where_the_system_names_no_program_the_port_is_tried_and_the_command_told(
    platform: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livelink_bridge.doctor.checks.listeners.udp_sockets", lambda: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind(("127.0.0.1", 0))
        port = alone.getsockname()[1]
        found = receiver(find(local(port)), Machine(platform=platform))
    assert found.level == "ok" and f"{command}{' ' if platform == 'win32' else ''}{port}" in found.text
    assert how_to_see(port, platform) in found.text
