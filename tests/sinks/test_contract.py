import socket
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.takes.csv import read_take
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.sinks import Sink, open_sink
from livelink_bridge.sinks.take import TakeSink
from livelink_bridge.testing.stand_ins import CollectSink
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire import ifacialmocap as ifacialmocap_wire
from livelink_bridge.wire.livelink import decode
from livelink_bridge.wire.osc import decode as decode_module
from livelink_bridge.wire.vmc_face import VmcPose

DEVICE_ID = "00000000-0000-0000-0000-000000000001"
WEIGHTS = np.linspace(0, 1, 61).astype(np.float32)

Opened = tuple[Sink, Callable[[], np.ndarray]]
"""A sink, and what reads the last pose that arrived on its other side."""


def stamp(frame: int) -> Stamp:
    return Stamp(frame, 0.25, Fraction(60))


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def port_of(receiver: socket.socket) -> int:
    return receiver.getsockname()[1]


def collect(_receiver: socket.socket, _folder: Path) -> Opened:
    sink = CollectSink()
    return sink, lambda: sink.weights[-1]


def livelink(receiver: socket.socket, _folder: Path) -> Opened:
    sink = open_sink(f"livelink://127.0.0.1:{port_of(receiver)}", subject="Talker", device_id=DEVICE_ID)
    return sink, lambda: decode(receiver.recv(2000)).values


def osc(receiver: socket.socket, _folder: Path) -> Opened:
    from pythonosc.osc_bundle import OscBundle

    sink = open_sink(f"osc://127.0.0.1:{port_of(receiver)}", subject="Talker", device_id=DEVICE_ID)

    def last() -> np.ndarray:
        messages = [message for _ in range(2) for message in OscBundle(receiver.recv(2000))]
        found = {message.address: message.params[0] for message in messages}
        return np.array([found[f"/arkit/{name}"] for name in CHANNELS_61], np.float32)

    return sink, last


def vmc(receiver: socket.socket, _folder: Path) -> Opened:
    sink = open_sink(f"vmc://127.0.0.1:{port_of(receiver)}?head=on", subject="Talker", device_id=DEVICE_ID)

    def last() -> np.ndarray:
        avatar, poses = VmcPose(), []
        while not poses:
            poses, _ = avatar.feed(decode_module.decode(receiver.recv(2000)))
        return np.append(
            poses[0][:52], WEIGHTS[52:]
        )  # head and eyes are a rotation and a point: tests/wire/test_vmc_face.py

    return sink, last


def ifacialmocap(receiver: socket.socket, _folder: Path) -> Opened:
    sink = open_sink(f"ifacialmocap://127.0.0.1:{port_of(receiver)}", subject="Talker", device_id=DEVICE_ID)

    def last() -> np.ndarray:
        values = ifacialmocap_wire.decode(receiver.recv(2000)).values
        return np.where(np.isclose(values, WEIGHTS, atol=0.0051), WEIGHTS, values)  # it carries whole hundredths

    return sink, last


def take(_receiver: socket.socket, folder: Path) -> Opened:
    sink = open_sink(f"take:{folder}", subject="Talker", device_id=DEVICE_ID)

    def last() -> np.ndarray:
        sink.close()
        assert isinstance(sink, TakeSink)
        return read_take(sink.takes[0]).values[0]

    return sink, last


@pytest.fixture(params=[collect, livelink, osc, vmc, ifacialmocap, take], ids=lambda opener: opener.__name__)
def opened(request: pytest.FixtureRequest, receiver: socket.socket, tmp_path: Path) -> Iterator[Opened]:
    sink, last = request.param(receiver, tmp_path)
    yield sink, last
    sink.close()


class TestEverySink:
    def test_delivers_what_it_is_sent(self, opened: Opened):
        sink, last = opened
        sink.send(WEIGHTS, stamp(1000))
        np.testing.assert_allclose(last(), WEIGHTS, atol=1e-7)
        assert (sink.sent, sink.errors) == (1, 0)

    def test_keeps_no_reference_to_what_it_is_sent(self, opened: Opened):
        sink, last = opened
        pose = WEIGHTS.copy()
        sink.send(pose, stamp(1000))
        pose[:] = 0
        np.testing.assert_allclose(last(), WEIGHTS, atol=1e-7)

    def test_names_itself_and_its_lip_rule(self, opened: Opened):
        sink, _ = opened
        assert sink.name
        assert sink.closure in ("arkit", "metahuman")

    def test_closes_twice_without_harm(self, opened: Opened):
        sink, _ = opened
        sink.close()
        sink.close()


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("livelink://127.0.0.1", "names no port"),
        ("livelink://127.0.0.1:0", "has port 0"),
        ("osc://127.0.0.1:70000", "is not an address"),
        ("livelink://127.0.0.1:port", "is not an address"),
        ("livelink://127.0.0.1:-1", "is not an address"),
        ("livelink://:11111", "names no host"),
        ("livelink:11111", "names no host"),
        ("livelink://127.0.0.1:11111/face", "more than a host and a port"),
        ("livelink://[::1:11111", "is not an address"),
        ("127.0.0.1:11111", "unknown receiver"),
        ("ftp://host:21", "unknown receiver 'ftp://host:21'; expected livelink://HOST:PORT"),
        ("take:", "names no folder"),
        ("", "unknown receiver"),
    ],
)
def test_a_malformed_receiver_is_a_usage_error(uri, said):
    with pytest.raises(UsageError, match=said) as failure:
        open_sink(uri, subject="Talker", device_id=DEVICE_ID)
    assert failure.value.exit_code == 2


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_an_unknown_host_is_named(host):
    with pytest.raises(SinkError, match=f"unknown host '{host}'"):
        open_sink(f"livelink://{host}:11111", subject="Talker", device_id=DEVICE_ID)
