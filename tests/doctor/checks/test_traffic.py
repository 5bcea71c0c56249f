"""Other senders to a port, heard over real sockets or read from a made-up /proc."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.ports import UdpSocket
from livelink_bridge.doctor.checks.targets import find
from livelink_bridge.doctor.checks.traffic import others
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.wire.livelink import Packet, encode

ID = "00000000-0000-0000-0000-000000000001"
OTHER_ID = "00000000-0000-0000-0000-000000000002"


def packet(subject: str = "Ada", device_id: str = ID, yaw: float = 0.0) -> bytes:
    values = np.zeros(61, np.float32)
    values[52] = yaw
    return encode(Packet(device_id, subject, 0, 0.0, Fraction(60), values))


@contextmanager
def sending(port: int, *datagrams: bytes) -> Iterator[None]:
    """Somebody who sends these again and again until the block is left."""
    stop = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not stop.wait(0.01):
                for datagram in datagrams:
                    sender.sendto(datagram, ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)


def found(port: int, seconds: float = 0.15, **known: str) -> list[Finding]:
    target = find(f"livelink://127.0.0.1:{port}")
    return list(others(target, known.get("subject", "Mine"), known.get("device_id", OTHER_ID), seconds, Machine()))


def test_a_quiet_port_is_ok(free_port: int) -> None:
    [finding] = found(free_port, 0.01)
    assert finding.level == "ok" and finding.text.startswith("none in")


def test_another_sender_is_named_with_its_subject_and_address(free_port: int) -> None:
    with sending(free_port, packet()):
        first = found(free_port)[0]
    assert first.level == "ok" and first.text.startswith("'Ada' from 127.0.0.1:")


def test_one_with_your_subject_or_your_device_id_is_a_warning(free_port: int) -> None:
    with sending(free_port, packet()):
        assert "your subject's name" in found(free_port, subject="ADA")[0].text
        assert "your device id" in found(free_port, device_id=ID)[0].text


def test_head_angles_in_degrees_and_what_unreal_ignores_are_told(free_port: int) -> None:
    with sending(free_port, packet(yaw=12.0), b"hello"):
        said = " ".join(finding.text for finding in found(free_port))
    assert "HeadYaw is 12, expected radians" in said and "switch the sender to radians" in said
    assert "5 bytes, Unreal reads only what is longer than 266" in said


def test_a_port_that_a_program_has_is_not_listened_to() -> None:
    with Arrivals(0, "127.0.0.1") as unreal, sending(unreal.port, packet()):
        [finding] = found(unreal.port)
        assert unreal.receive(2) is not None, "its packets were not taken from it"
    assert finding.level == "note" and f"monitor --port {unreal.port}" in finding.text


def test_not_listening_is_by_choice(free_port: int) -> None:
    [finding] = found(free_port, 0)
    assert finding.level == "note"


def test_a_program_of_this_machine_that_sends_there_is_named_without_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = [
        UdpSocket(("0.0.0.0", 11111), None, "UnrealEditor", 7),
        UdpSocket(("127.0.0.1", 5000), ("127.0.0.1", 11111), "python livelink-bridge", 8),
    ]
    monkeypatch.setattr("livelink_bridge.doctor.checks.traffic.udp_sockets", lambda: sockets)
    [finding] = found(11111)
    assert finding.level == "warn" and "python livelink-bridge (process 8) sends there already" in finding.text
