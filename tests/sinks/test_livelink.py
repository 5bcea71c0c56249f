import socket
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.errors import UsageError
from livelink_bridge.sinks.base import Stamp
from livelink_bridge.sinks.livelink import LiveLinkSink
from livelink_bridge.wire.livelink import decode

DEVICE_ID = "00000000-0000-0000-0000-000000000001"


def closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_packet_carries_subject_id_and_time():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sink = LiveLinkSink(f"livelink://localhost:{receiver.getsockname()[1]}", subject="Jörg_テスト", device_id=DEVICE_ID)
        sink.send(np.zeros(61, np.float32), Stamp(216000, 0.5, Fraction(60)))
        packet = decode(receiver.recv(2000))
        sink.close()
    assert (packet.device_id, packet.subject) == (DEVICE_ID, "Jörg_テスト")
    assert (packet.frame, packet.subframe, packet.rate) == (216000, 0.5, Fraction(60))
    assert sink.closure == "metahuman"


def test_a_receiver_that_starts_late_gets_every_packet_from_then_on():
    port = closed_port()
    sink = LiveLinkSink(f"livelink://127.0.0.1:{port}", subject="Talker", device_id=DEVICE_ID)
    pose = np.zeros(61, np.float32)
    for frame in range(5):
        sink.send(pose, Stamp(frame, 0.0, Fraction(60)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", port))
        receiver.settimeout(5)
        for frame in range(5, 8):
            sink.send(pose, Stamp(frame, 0.0, Fraction(60)))
        assert [decode(receiver.recv(2000)).frame for _ in range(3)] == [5, 6, 7]
    sink.close()
    assert sink.sent == 8
    assert sink.errors <= 5


@pytest.mark.parametrize("subject", ["", "x" * 2000, "a\0b"])
def test_a_subject_that_unreal_would_not_take_is_wrong_on_sight(subject):
    with pytest.raises(UsageError, match="cannot be sent"):
        LiveLinkSink("livelink://127.0.0.1:11111", subject=subject, device_id=DEVICE_ID)
