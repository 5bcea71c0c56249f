"""Where datagrams go: unicast, broadcast, multicast, both families, and what happens when names, machines and networks
change."""

from __future__ import annotations

import errno
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest

from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.network.udp_route import ResolvedAddress, connect, resolve
from livelink_bridge.network.udp_target import UDP_OPTIONS, Backoff, UdpTarget
from livelink_bridge.network.uri import Address, read_uri
from livelink_bridge.sinks import open_sink
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.stamp import Stamp

GROUP, GROUP_6 = "239.255.111.11", "ff12::6c6c"


@contextmanager
def receiver(host: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        sock.settimeout(5)
        yield sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def address(text: str) -> Address:
    return read_uri(f"livelink://{text}", UDP_OPTIONS)


@contextmanager
def target(text: str, **made_with: object) -> Iterator[UdpTarget]:
    made = UdpTarget(address(text), **made_with)  # type: ignore[arg-type]
    yield made
    made.close()


def loopback_6() -> None:
    try:
        with receiver("::1"):
            pass
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")


def test_a_datagram_arrives_and_is_counted() -> None:
    with receiver() as there, target(f"127.0.0.1:{port_of(there)}") as made:
        assert made.send(b"pose")
        assert there.recv(100) == b"pose"
        assert made.delivery == type(made.delivery)(f"127.0.0.1:{port_of(there)}", sent=1, refused=0, lost=0, renewed=0)
        assert made.on_this_machine


def test_ipv6_arrives() -> None:
    loopback_6()
    with receiver("::1") as there, target(f"[::1]:{port_of(there)}?ttl=3") as made:
        assert made.send(b"pose")
        assert there.recv(100) == b"pose"
        assert made.delivery.address == f"[::1]:{port_of(there)}"


def test_a_name_with_both_families_means_ipv4_unless_the_interface_is_ipv6() -> None:
    loopback_6()
    with receiver() as there, target(f"localhost:{port_of(there)}") as made:
        assert made.found.family == socket.AF_INET
    try:
        with target("localhost:11111?interface=::1") as made:
            assert made.found.family == socket.AF_INET6
    except SinkError as error:
        assert "has no IPv6 address" in str(error)


def test_the_interface_is_where_datagrams_come_from() -> None:
    with receiver("127.0.0.1") as there, target(f"127.0.0.1:{port_of(there)}?interface=127.0.0.1") as made:
        made.send(b"pose")
        assert there.recvfrom(100)[1][0] == "127.0.0.1"


def test_multicast_arrives_at_every_member_by_the_named_interface() -> None:
    with receiver("0.0.0.0") as there:
        member = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
        try:
            there.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        except OSError as error:
            pytest.skip(f"this machine's loopback takes no multicast: {error}")
        with target(f"{GROUP}:{port_of(there)}?interface=127.0.0.1&ttl=4") as made:
            made.send(b"pose")
            assert there.recv(100) == b"pose"
            assert made._socket.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) == 4


def test_ipv6_multicast_arrives_by_the_named_interface() -> None:
    loopback_6()
    for number, name in socket.if_nameindex():
        with receiver("::") as there:
            member = socket.inet_pton(socket.AF_INET6, GROUP_6) + struct.pack("@I", number)
            try:
                there.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
                made = UdpTarget(address(f"[{GROUP_6}]:{port_of(there)}?interface={name}&ttl=2"))
            except (OSError, SinkError):
                continue
            made.send(b"pose")
            assert there.recv(100) == b"pose"
            made.close()
            return
    pytest.skip("no interface of this machine has a way for IPv6 multicast")


def test_broadcast_is_allowed() -> None:
    with receiver("0.0.0.0") as there, target(f"127.255.255.255:{port_of(there)}") as made:
        made.send(b"pose")
        assert there.recv(100) == b"pose"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("127.0.0.1:1?ttl=0", "ttl is '0', expected a whole number from 1 to 255"),
        ("127.0.0.1:1?ttl=1.5", "ttl is '1.5', expected a whole number from 1 to 255"),
        ("127.0.0.1:1?interface=", "interface is '', expected an address of this machine"),
        ("127.0.0.1:1?interfac=lo", "unknown option 'interfac', did you mean 'interface'"),
    ],
)
def test_a_wrong_option_is_wrong_on_sight(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        address(text)


def test_an_interface_this_machine_does_not_have_is_named() -> None:
    with pytest.raises(SinkError, match=r"cannot send from 192\.0\.2\.77: .*expected an address that this machine has"):
        UdpTarget(address("127.0.0.1:11111?interface=192.0.2.77"))


def test_ipv4_wants_an_interfaces_address() -> None:
    with pytest.raises(UsageError, match="interface is 'lo', expected its address"):
        UdpTarget(address("127.0.0.1:11111?interface=lo"))


def test_an_ipv6_interface_that_does_not_exist_is_named_with_those_that_do() -> None:
    loopback_6()
    with pytest.raises(SinkError, match="no interface 'nowhere0'; it has "):
        UdpTarget(address("[ff15::1]:11111?interface=nowhere0"))


def test_a_host_without_the_interfaces_family_is_told() -> None:
    with pytest.raises(SinkError, match=r"has no IPv6 address, which its interface is of"):
        UdpTarget(address("127.0.0.1:11111?interface=::1"))


class FakeSocket:
    """Fails to send with the errors it was given, one a call, then takes everything."""

    def __init__(self, *errors: OSError | None) -> None:
        self.errors = list(errors)
        self.taken: list[bytes] = []
        self.closed = False

    def send(self, datagram: bytes) -> int:
        if self.closed:
            raise OSError(errno.EBADF, "Bad file descriptor")
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.taken.append(datagram)
        return len(datagram)

    def close(self) -> None:
        self.closed = True


class Network:
    """A network with one receiver, whose address and ways a test sets; what the target starts beside itself runs when
    told."""

    def __init__(self, *sockets: FakeSocket) -> None:
        self.ip = "192.168.1.20"
        self.unknown = False
        self.sockets = list(sockets)
        self.looked_up = 0
        self.waiting: list[Callable[[], None]] = []
        self.clock = ManualClock()

    def resolve(self, wanted: Address) -> ResolvedAddress:
        self.looked_up += 1
        if self.unknown:
            raise SinkError("unknown host")
        return ResolvedAddress(socket.AF_INET, (self.ip, wanted.port))

    def connect(self, _address: Address, _found: ResolvedAddress) -> FakeSocket:
        return self.sockets.pop(0)

    def run(self) -> int:
        ran = len(self.waiting)
        while self.waiting:
            self.waiting.pop(0)()
        return ran

    def target(self, text: str = "stage.local:11111") -> UdpTarget:
        return UdpTarget(
            address(text),
            clock=self.clock,
            resolve=self.resolve,
            connect=self.connect,  # type: ignore[arg-type]
            start=self.waiting.append,
        )


def down() -> OSError:
    return OSError(errno.ENETUNREACH, "Network is unreachable")


def refused() -> OSError:
    return ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


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


def test_a_port_where_nobody_listens_is_told_until_somebody_does_and_when_it_is_left() -> None:
    sock = FakeSocket()
    network = Network(sock)
    made = network.target("192.168.1.20:39539")

    def send(seconds: float, *, heard: bool) -> str | None:
        for _ in range(round(seconds * 60)):
            network.clock.advance(1 / 60)
            sock.errors = [] if heard else [refused(), None]
            made.send(b"pose")
        return made.unreachable

    assert made.unreachable is None
    assert send(0.1, heard=False) == send(5, heard=False) == "nothing listens on port 39539 yet"
    assert send(1, heard=True) == "nothing listens on port 39539 yet", "a machine may refuse only once a second"
    assert send(2, heard=True) is None
    assert send(0.1, heard=False) == "nothing listens on port 39539 any more"


@pytest.mark.parametrize(
    "uri", ["vmc://127.0.0.1:9", "osc://127.0.0.1:9", "livelink://127.0.0.1:9", "ifacialmocap://127.0.0.1:9?listen=off"]
)
def test_a_sink_counts_poses_however_many_datagrams_each_takes(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sock = FakeSocket()
    monkeypatch.setattr(
        UdpTarget.__init__,
        "__kwdefaults__",
        {
            "clock": ManualClock(),
            "resolve": resolve,
            "start": None,
            "resolve_s": 4.0,
            "connect": lambda _address, _found: sock,
        },
    )
    sink = open_sink(uri, subject="Ada", device_id="00000000-0000-0000-0000-000000000001")
    rng = np.random.default_rng(0)
    for tick in range(10):
        sock.errors = [refused(), None] * 9 if tick < 6 else []
        sink.send(rng.uniform(0, 1, 61).astype(np.float32), Stamp(tick, 0.0, Fraction(60), tick / 60))
    assert len(sock.taken) >= 10
    assert (sink.sent, sink.errors) == (10, 6)
    assert sink.trouble == "nothing listens on port 9 yet"  # type: ignore[attr-defined]
    sink.close()


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
