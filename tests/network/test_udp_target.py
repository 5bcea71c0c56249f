"""Where datagrams go: unicast, broadcast, multicast, both families, and what happens when names, machines and networks
change."""

from __future__ import annotations

import socket
import struct
from fractions import Fraction

import numpy as np
import pytest
from udp_targets import FakeSocket, Network, address, port_of, receiver, refused, target

from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.network.udp_route import resolve
from livelink_bridge.network.udp_target import UdpTarget
from livelink_bridge.sinks import open_sink
from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.stamp import Stamp

GROUP, GROUP_6 = "239.255.111.11", "ff12::6c6c"


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
def test_a_wrong_option_is_a_usage_error(text: str, told: str) -> None:
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


def test_a_closed_port_is_reported_until_it_is_open_and_when_it_is_left() -> None:
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
