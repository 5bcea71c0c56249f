"""Networks that lose and shuffle, and receivers that do not keep up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest
from faulty import Relay

from livelink_bridge.errors import BridgeError
from livelink_bridge.monitor.subject_stats import SubjectStats
from livelink_bridge.sinks import open_sink
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.livelink import decode

pytestmark = pytest.mark.usefixtures("shared_clock")

PACKETS = 1200


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        made.bind(("127.0.0.1", 0))
        made.settimeout(5.0)
        yield made


def send(port: int, relay: Relay | None = None) -> None:
    """PACKETS poses to a port, thirty at a time through the relay, so that no buffer on the way overflows."""
    rng = np.random.default_rng(0)
    with closing(open_sink(f"livelink://127.0.0.1:{port}", subject="Ada", device_id="0" * 32)) as sink:
        for frame in range(PACKETS):
            sink.send(rng.random(61, np.float32), Stamp(frame, 0.0, Fraction(60)))
            if relay is not None and frame % 30 == 29:
                relay.pass_on(30)
        assert (sink.sent, sink.errors) == (PACKETS, 0)


def test_thirty_of_a_hundred_packets_lost_and_others_swapped_are_counted_as_such(receiver: socket.socket) -> None:
    with closing(Relay(receiver.getsockname()[1], dropped=0.3, swapped=0.1)) as relay:
        send(relay.port, relay)
        stats = SubjectStats("id", "Ada")
        for number in range(PACKETS - relay.lost):
            stats.add(decode(receiver.recv(4096)), number / 60)
    assert 0.25 * PACKETS < relay.lost < 0.35 * PACKETS and relay.swaps > 40
    assert stats.order.lost == pytest.approx(relay.lost, rel=0.03)
    assert 0 < stats.order.backwards <= relay.swaps and stats.order.restarts == 0


def test_a_receiver_that_never_reads_costs_the_sender_nothing(receiver: socket.socket) -> None:
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    began_s = time.perf_counter()
    send(receiver.getsockname()[1])
    assert time.perf_counter() - began_s < 5.0


def test_a_closed_port_costs_neither_time_nor_the_session() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with closing(open_sink(f"livelink://127.0.0.1:{port}", subject="Ada", device_id="0" * 32)) as sink:
        for frame in range(300):
            sink.send(np.zeros(61, np.float32), Stamp(frame, 0.0, Fraction(60)))
        assert sink.sent + sink.errors >= 300 and sink.sent > 0, "every one was tried"


def test_a_sink_that_hangs_is_named_when_the_session_ends() -> None:
    from livelink_bridge.core.workers import Runner

    hung = threading.Event()
    try:
        with pytest.raises((BridgeError, RuntimeError), match="sender"), Runner(join_s=0.2) as run:
            run.start("sender", lambda: (hung.wait(30), None)[1])
    finally:
        hung.set()
