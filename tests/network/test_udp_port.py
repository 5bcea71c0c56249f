"""An open port, and when and from where datagrams arrived."""

from __future__ import annotations

import socket
import sys
import time
from datetime import datetime

import pytest

from livelink_bridge.network.udp_port import Arrivals


def test_a_datagram_comes_with_its_time_and_its_sender() -> None:
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        before_s = arrivals.now()
        sender.sendto(b"first", ("127.0.0.1", arrivals.port))
        arrival = arrivals.receive_from(5)
        after_s = arrivals.now()
        own = sender.getsockname()
    assert arrival is not None
    assert (arrival.datagram, arrival.sender) == (b"first", f"127.0.0.1:{own[1]}")
    assert before_s - 0.01 <= arrival.at_s <= after_s + 0.01


def test_nothing_in_time_is_none() -> None:
    with Arrivals(0, "127.0.0.1") as arrivals:
        assert arrivals.receive_from(0.01) is None


def test_an_arrival_has_a_time_of_day() -> None:
    with Arrivals(0, "127.0.0.1") as arrivals:
        now = datetime.now()
        of_day_s = arrivals.of_day(arrivals.now() - 2)
    expected_s = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6 - 2
    assert abs((of_day_s - expected_s + 43200) % 86400 - 43200) < 1
    assert 0 <= of_day_s < 86400


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own arrival times are read on Linux only")
def test_arrival_times_are_the_kernels_and_not_those_of_waking() -> None:
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"first", ("127.0.0.1", arrivals.port))
        sent_s = arrivals.now()
        while arrivals.now() < sent_s + 0.05:
            pass
        received = arrivals.receive(5)
    assert received is not None
    assert received[1] < sent_s + 0.02


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own arrival times are read on Linux only")
@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_clock_of_the_day_that_is_set_moves_no_arrival(step_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        times = []
        for offset_s in (0.0, step_s):
            monkeypatch.setattr("livelink_bridge.network.udp_port.time", Set(offset_s))
            sender.sendto(b"x", ("127.0.0.1", arrivals.port))
            received = arrivals.receive(5)
            assert received is not None
            assert 0 <= arrivals.now() - received[1] < 1
            times.append(received[1])
    assert 0 <= times[1] - times[0] < 1


class Set:
    """The module `time` with a clock of the day that was set by so many seconds."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s

    def time(self) -> float:
        return time.time() + self._offset_s
