"""A target whose network goes away, comes back, or whose name is looked up meanwhile: sending goes on."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable

import pytest
from udp_targets import FakeSocket, Network, address, port_of, receiver, refused

from livelink_bridge.errors import SinkError
from livelink_bridge.network.udp_route import ResolvedAddress, connect, resolve
from livelink_bridge.network.udp_target import Backoff, UdpTarget
from livelink_bridge.network.uri import Address
from livelink_bridge.testing.stand_ins import ManualClock


def down() -> OSError:
    return OSError(errno.ENETUNREACH, "Network is unreachable")


def test_a_network_that_goes_away_costs_datagrams_and_then_a_new_socket_sends_on() -> None:
    old, new = FakeSocket(down(), down()), FakeSocket()
    network = Network(old, new)
    made = network.target()
    assert [made.send(b"1"), made.send(b"2")] == [False, False]
    assert (made.lost, made.sent) == (2, 0)
    assert network.run() == 1, "one attempt at a time"
    assert made.send(b"3")
    assert (new.taken, old.taken, old.closed) == ([b"3"], [], True)
    assert (made.sent, made.renewed) == (1, 1)


def test_a_receiver_that_got_another_address_is_found_again_after_refusals() -> None:
    old, new = FakeSocket(refused(), None, refused()), FakeSocket()
    network = Network(old, new)
    made = network.target()
    network.ip = "192.168.1.33"
    assert made.send(b"1"), "a refusal tells of an earlier datagram: this one leaves"
    network.run()
    made.send(b"2")
    assert (old.taken, new.taken) == ([b"1"], [b"2"])
    assert made.delivery.address == "192.168.1.33:11111"
    assert made.refused == 1


def test_a_receiver_that_only_is_not_open_yet_keeps_its_socket() -> None:
    only = FakeSocket(refused(), None, refused(), None)
    network = Network(only)
    made = network.target()
    made.send(b"1")
    assert network.run() == 1
    made.send(b"2")
    assert (only.taken, made.renewed, made.refused) == ([b"1", b"2"], 0, 2)


def test_an_address_given_as_such_is_not_looked_up_for_refusals() -> None:
    network = Network(FakeSocket(refused()))
    made = network.target("192.168.1.20:11111")
    made.send(b"1")
    assert network.waiting == []


def test_windows_resets_are_refusals() -> None:
    network = Network(
        FakeSocket(ConnectionResetError(10054, "WSAECONNRESET"), ConnectionResetError(10054, "WSAECONNRESET"))
    )
    made = network.target("192.168.1.20:11111")
    assert not made.send(b"1")
    assert (made.refused, made.lost, made.sent) == (2, 0, 0)


def test_a_retry_that_is_refused_too_was_not_sent() -> None:
    network = Network(FakeSocket(refused(), refused(), refused(), None))
    made = network.target("192.168.1.20:11111")
    assert [made.send(b"1"), made.send(b"2")] == [False, True]
    assert (made.sent, made.refused) == (1, 3)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM])
def test_a_full_buffer_costs_the_datagram_and_nothing_else(number: int, caplog: pytest.LogCaptureFixture) -> None:
    network = Network(FakeSocket(None, OSError(number, "No buffer space available")))
    made = network.target()
    assert [made.send(b"1"), made.send(b"2"), made.send(b"3")] == [True, False, True]
    assert (made.lost, made.sent, made.renewed, network.waiting, caplog.records) == (1, 2, 0, [], [])


def test_looking_up_in_vain_slows_down_and_never_stops() -> None:
    network = Network(FakeSocket(*[down() for _ in range(3600)]), FakeSocket())
    made = network.target()
    network.unknown = True
    looked_at = []
    for _ in range(3600):
        made.send(b"pose")
        if network.run():
            looked_at.append(network.clock.now())
        network.clock.advance(1 / 60)
    gaps = [later - earlier for earlier, later in zip(looked_at, looked_at[1:], strict=False)]
    assert gaps == pytest.approx([0.5, 1, 2, 4] + [5] * (len(gaps) - 4), abs=0.04)
    assert len(gaps) == 14
    network.unknown = False
    network.clock.advance(5)
    made._socket.errors = [down()]  # type: ignore[attr-defined]
    made.send(b"lost")
    network.run()
    assert made.send(b"pose")
    assert made.lost == 3601


def test_an_outage_is_told_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    network = Network(FakeSocket(*[down() for _ in range(50)]))
    made = network.target()
    for _ in range(52):
        made.send(b"pose")
    assert [record.getMessage().partition(":11111: ")[2] for record in caplog.records] == [
        "a datagram could not be sent: Network is unreachable; will keep trying",
        "sending to 192.168.1.20:11111 works again; 50 datagrams were lost",
    ]


def test_sending_goes_on_while_a_name_is_being_looked_up() -> None:
    """With a real thread whose look-up takes until the test lets it."""
    may_answer, answered = threading.Event(), threading.Event()
    old, new = FakeSocket(down()), FakeSocket()
    network = Network(old, new)

    def slow(wanted: Address) -> ResolvedAddress:
        if network.looked_up:
            assert may_answer.wait(5)
        return network.resolve(wanted)

    def told(where: Address, found: ResolvedAddress) -> FakeSocket:
        if len(network.sockets) == 1:
            answered.set()
        return network.connect(where, found)

    made = UdpTarget(address("stage.local:11111"), clock=network.clock, resolve=slow, connect=told)  # type: ignore[arg-type]
    made.send(b"1")
    assert all(made.send(b"more") for _ in range(100))
    may_answer.set()
    assert answered.wait(5)
    thread = next((thread for thread in threading.enumerate() if thread.name == "udp-look-up"), None)
    if thread is not None:
        thread.join(5)
    made.send(b"last")
    assert (new.taken, len(old.taken)) == ([b"last"], 100)


def test_a_name_found_after_closing_leaves_no_socket_open() -> None:
    late = FakeSocket()
    network = Network(FakeSocket(down()), late)
    made = network.target()
    made.send(b"1")
    made.close()
    made.close()
    network.run()
    assert late.closed
    assert not made.send(b"after"), "neither raises nor looks further"
    assert network.waiting == []


def test_a_socket_that_was_ready_and_never_used_is_closed_too() -> None:
    ready = FakeSocket()
    network = Network(FakeSocket(down()), ready)
    made = network.target()
    made.send(b"1")
    network.run()
    made.close()
    assert ready.closed


def test_no_thread_to_be_had_is_no_error() -> None:
    network = Network(FakeSocket(down(), down()), FakeSocket())

    def none(_work: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    made = UdpTarget(
        address("stage.local:1"), clock=network.clock, resolve=network.resolve, connect=network.connect, start=none
    )  # type: ignore[arg-type]
    assert not made.send(b"1")
    made._start = network.waiting.append
    network.clock.advance(60)
    made.send(b"2")
    assert network.run() == 1


def test_a_quiet_while_makes_the_pauses_short_again() -> None:
    clock = ManualClock()
    pace = Backoff(clock, first_s=1, longest_s=4)
    due = []
    for second in range(40):
        if second not in range(20, 30) and pace.due():
            due.append(second)
        clock.advance(1)
    assert due == [0, 1, 3, 7, 11, 15, 19, 30, 31, 33, 37]


def test_what_is_looked_up_and_connected_by_default_is_the_systems() -> None:
    with receiver() as there:
        wanted = address(f"127.0.0.1:{port_of(there)}")
        with connect(wanted, resolve(wanted)) as sock:
            sock.send(b"pose")
            assert there.recv(100) == b"pose"
            assert sock.getblocking() is False


def test_a_name_server_that_does_not_answer_is_one_line_soon() -> None:
    never = threading.Event()

    def silent(_address: Address) -> ResolvedAddress:
        never.wait(30)
        raise OSError

    with pytest.raises(SinkError, match="the name server did not resolve 'unreal-pc' within 0.05 s; give an address"):
        UdpTarget(Address("livelink://unreal-pc:11111", "unreal-pc", 11111), resolve=silent, resolve_s=0.05)
    never.set()
