"""That the monitor hears a port, sums up each second and ends when it is told to."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from live_link import face, reasons

from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.monitor.monitor import listen, watch
from livelink_bridge.network.udp_port import Arrivals


def ticking(step_s: float) -> Callable[[], float]:
    """A clock that goes on by a step each time it is read."""
    return (step_s * tick for tick in count()).__next__


def test_a_port_is_heard_and_summed_up_each_second() -> None:
    each_second: list[Any] = []
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        before_s = arrivals.now()
        for frame in range(30):
            sender.sendto(face(frame), ("127.0.0.1", arrivals.port))
        final: Any = watch(arrivals, 3.0, each_second.append, stop=threading.Event(), now=ticking(0.1))
        assert final["port"] == arrivals.port
        assert before_s - 1 < arrivals.now() - final["subjects"][0]["silent_s"] < arrivals.now() + 1
    assert [summary["datagrams"] for summary in each_second] == [10, 20, 30]
    assert (final["datagrams"], final["shown"], final["subjects"][0]["lost"]) == (30, 30, 0)
    assert final["subjects"][0]["sender"].startswith("127.0.0.1:")
    assert "bursts" in reasons(final["warnings"]), "thirty at once"


def test_after_a_stall_there_is_one_late_summary_and_then_the_usual_ones() -> None:
    each_second: list[Any] = []
    clock = iter([0.0, 0.9, 5.5, 5.6, 5.7, 6.1, 6.5, 7.2])
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for frame in range(7):
            sender.sendto(face(frame), ("127.0.0.1", arrivals.port))
        watch(arrivals, 7.0, each_second.append, stop=threading.Event(), now=clock.__next__)
    assert [summary["listened_s"] for summary in each_second] == [5.5, 6.1, 7.2]


def test_a_long_datagram_is_reported_with_its_true_length() -> None:
    with Arrivals(0, "127.0.0.1") as arrivals, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(face() + bytes(9000), ("127.0.0.1", arrivals.port))
        summary: Any = watch(arrivals, 0.1, None, stop=threading.Event(), now=ticking(0.1))
    assert "9312 bytes" in summary["ignored"][0]["text"]


def test_a_stop_request_ends_listening() -> None:
    stop = threading.Event()
    with Arrivals(0, "127.0.0.1") as arrivals:
        port = arrivals.port
    summary = listen(port, 10, lambda _: stop.set(), host="127.0.0.1", stop=stop)
    assert 0.9 < float(summary["listened_s"]) < 5  # type: ignore[arg-type]


def test_a_port_that_another_program_shares_is_warned_about() -> None:
    with Arrivals(0, "127.0.0.1") as unreal:
        summary: Any = listen(unreal.port, 0.01, host="127.0.0.1")
    assert reasons(summary["warnings"]) == {"port-shared": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows shares a port with whoever asks")
def test_a_port_that_cannot_be_opened_is_one_line_and_leaves_nothing_open() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        with pytest.raises(BridgeError, match="cannot be opened") as caught:
            listen(holder.getsockname()[1], 0.01, host="127.0.0.1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", [0, -1, 65536, 70000])
def test_a_port_that_does_not_exist_is_a_usage_error(port: int) -> None:
    with pytest.raises(UsageError, match="expected 1 to 65535"):
        listen(port, 0.01)


def test_the_monitor_starts_quickly_and_without_the_network_libraries() -> None:
    code = (
        "import sys, livelink_bridge.monitor.monitor; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    root = Path(__file__).parents[2]
    began_s = time.monotonic()
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20, cwd=root
    ).stdout.split()
    assert not {"torch", "transformers", "onnxruntime", "scipy", "sounddevice", "soundfile", "yaml"} & set(loaded)
    assert time.monotonic() - began_s < 5, "half a second on an idle machine"
