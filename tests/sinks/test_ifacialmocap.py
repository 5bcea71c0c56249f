"""iFacialMocap receivers on loopback: named in the URI, and asking as they would ask a phone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.sinks.ifacialmocap import DROP_AFTER, MAX_SUBSCRIBERS, IFacialMocapSink, Subscribers, read_listen
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.ifacialmocap import HANDSHAKE, HANDSHAKE_V2, decode

POSE = np.linspace(0, 1, 61, dtype=np.float32)
STAMP = Stamp(216000, 0.5, Fraction(60))


@contextmanager
def receiver(host: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((host, port))
        except OSError as error:
            pytest.skip(f"{host} is no address of this machine: {error}")
        sock.settimeout(5)
        yield sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def free_port() -> int:
    with receiver() as sock:
        return port_of(sock)


@contextmanager
def sink_to(there: socket.socket, options: str = "", *, answer_port: int = 49983) -> Iterator[IFacialMocapSink]:
    sink = IFacialMocapSink(f"ifacialmocap://127.0.0.1:{port_of(there)}{options}", answer_port=answer_port)
    yield sink
    sink.close()


@contextmanager
def listening_sink(there: socket.socket, *, answer_port: int = 49983) -> Iterator[IFacialMocapSink]:
    with sink_to(there, f"?listen=127.0.0.1:{free_port()}", answer_port=answer_port) as sink:
        assert sink.listens_on is not None
        yield sink


def ask(sink: IFacialMocapSink, asker: socket.socket, handshake: bytes = HANDSHAKE) -> None:
    assert sink.listens_on is not None
    asker.sendto(handshake, sink.listens_on)


def silent(sock: socket.socket) -> bool:
    sock.settimeout(0.1)
    try:
        sock.recv(2000)
        return False
    except TimeoutError:
        return True


def test_who_is_named_gets_version_1_from_the_first_pose_on_without_asking() -> None:
    with receiver() as there, sink_to(there) as sink:
        sink.send(POSE, STAMP)
        read = decode(there.recv(2000))
        assert read.version == 1
        np.testing.assert_allclose(read.values, POSE, atol=0.00501)
        assert (sink.sent, sink.errors, sink.closure) == (1, 0, "arkit")
        assert sink.delivery.address == f"127.0.0.1:{port_of(there)}"


@pytest.mark.parametrize(("handshake", "version"), [(HANDSHAKE, 1), (HANDSHAKE_V2, 2)])
def test_who_asks_at_any_time_is_answered_as_asked_at_the_protocols_port(handshake: bytes, version: int) -> None:
    with receiver() as there, receiver("127.0.0.3") as stage, receiver("127.0.0.3") as asker:
        with listening_sink(there, answer_port=port_of(stage)) as sink:
            sink.send(POSE, STAMP)
            ask(sink, asker, handshake)
            sink.send(POSE, STAMP)
            assert decode(stage.recv(2000)).version == version
            assert [decode(there.recv(2000)).version for _ in range(2)] == [1, 1]
            assert [asked.address for asked in sink.subscribers] == [f"127.0.0.3:{port_of(stage)}"]
            assert silent(asker), (
                "the answer goes to the port where such receivers listen, not to where the question came from"
            )


def test_who_asks_again_changes_its_version_and_gets_each_pose_once() -> None:
    with receiver() as there, receiver("127.0.0.3") as stage, listening_sink(there, answer_port=port_of(stage)) as sink:
        ask(sink, stage, HANDSHAKE)
        ask(sink, stage, HANDSHAKE_V2)
        sink.send(POSE, STAMP)
        assert decode(stage.recv(2000)).version == 2
        assert silent(stage)
        assert len(sink.subscribers) == 1


def test_who_is_named_and_asks_gets_one_stream_in_the_version_asked_for() -> None:
    with receiver() as there, listening_sink(there, answer_port=port_of(there)) as sink:
        ask(sink, there, HANDSHAKE_V2)
        sink.send(POSE, STAMP)
        assert decode(there.recv(2000)).version == 2
        assert silent(there)
        assert sink.subscribers == ()


def test_what_is_no_handshake_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    with (
        receiver() as there,
        receiver("127.0.0.3") as stranger,
        listening_sink(there, answer_port=port_of(stranger)) as sink,
    ):
        for noise in (
            b"",
            b"hello",
            b"x" * 4000,
            HANDSHAKE[:-1],
            *[b"iFacialMocap_UDPTCP_sahuasouryya9218sauhuiayeta91555dy3719"] * 3,
        ):
            ask(sink, stranger, noise)
        sink.send(POSE, STAMP)
        assert sink.subscribers == ()
        assert there.recv(2000)
    assert sum("set it to UDP" in record.getMessage() for record in caplog.records) == 1


def test_a_flood_of_questions_is_read_a_few_at_a_time() -> None:
    with receiver() as there, receiver("127.0.0.3") as stage, listening_sink(there, answer_port=port_of(stage)) as sink:
        for _ in range(30):
            ask(sink, stage, b"noise")
        ask(sink, stage, HANDSHAKE)
        sink.send(POSE, STAMP)
        assert sink.subscribers == ()
        for _ in range(4):
            sink.send(POSE, STAMP)
        assert len(sink.subscribers) == 1


def test_the_one_that_has_not_asked_for_longest_makes_room() -> None:
    subscribers = Subscribers(49983)
    hosts = [f"127.0.1.{number}" for number in range(1, MAX_SUBSCRIBERS + 1)]
    for host in hosts:
        subscribers.add(host, 1)
    subscribers.add(hosts[0], 2)
    subscribers.add("127.0.2.1", 1)
    addresses = [delivery.address for delivery in subscribers.deliveries]
    assert addresses == [f"{host}:49983" for host in [*hosts[2:], hosts[0], "127.0.2.1"]]
    subscribers.close()


def test_an_asker_that_closed_is_dropped_and_may_come_back() -> None:
    with ExitStack() as stack:
        there = stack.enter_context(receiver())
        stage = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stage.bind(("127.0.0.1", 0))
        answers = port_of(stage)
        sink = stack.enter_context(listening_sink(there, answer_port=answers))
        ask(sink, stage)
        sink.send(POSE, STAMP)
        stage.close()
        for _ in range(3 * DROP_AFTER):
            sink.send(POSE, STAMP)
        if sink.subscribers and not sink.subscribers[0].refused:
            pytest.skip("this system does not tell of ports where nobody listens")
        assert sink.subscribers == ()
        with receiver("127.0.0.1", answers) as again:
            ask(sink, again)
            sink.send(POSE, STAMP)
            assert decode(again.recv(2000)).version == 1


def test_a_port_in_use_is_a_warning_and_the_named_receiver_gets_its_packets(caplog: pytest.LogCaptureFixture) -> None:
    with receiver() as there, receiver() as taken, sink_to(there, f"?listen=127.0.0.1:{port_of(taken)}") as sink:
        assert sink.listens_on is None
        sink.send(POSE, STAMP)
        assert decode(there.recv(2000)).version == 1
    assert "handshakes cannot be received on 127.0.0.1 port" in caplog.text
    assert "listen=off" in caplog.text


def test_a_receiver_on_this_machine_keeps_the_port_for_itself() -> None:
    with receiver() as there, sink_to(there) as sink:
        assert sink.listens_on is None


def test_nothing_is_heard_when_switched_off_and_for_another_machine_the_phones_port_is() -> None:
    try:
        sink = IFacialMocapSink("ifacialmocap://192.0.2.1:49983?listen=off")
    except SinkError as error:
        pytest.skip(f"this machine has no way out: {error}")
    assert sink.listens_on is None
    sink.close()
    sink = IFacialMocapSink("ifacialmocap://192.0.2.1:49983")
    assert sink.listens_on in (("0.0.0.0", 49983), None)
    sink.close()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("off", None),
        ("49983", ("0.0.0.0", 49983)),
        ("127.0.0.2:5000", ("127.0.0.2", 5000)),
        ("[::1]:5000", ("::1", 5000)),
    ],
)
def test_where_to_listen_is_read(text: str, meant: tuple[str, int] | None) -> None:
    assert read_listen(text) == meant


@pytest.mark.parametrize("text", ["", "0", "65536", "on", "stage:49983", "127.0.0.1", "-1", "1.5"])
def test_a_port_that_no_program_can_open_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=f"listen is '{text}', expected off, a port from 1 to 65535"):
        IFacialMocapSink(f"ifacialmocap://127.0.0.1:49983?listen={text}")


def test_a_closed_sink_neither_answers_nor_raises() -> None:
    with receiver() as there, listening_sink(there) as sink:
        sink.close()
        sink.close()
        sink.send(POSE, STAMP)
        assert (sink.sent, sink.listens_on) == (0, None)
