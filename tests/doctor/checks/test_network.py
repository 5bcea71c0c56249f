"""The route to a receiver, read from made-up tables; packets that leave, over real sockets."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from livelink_bridge.doctor.checks import network
from livelink_bridge.doctor.checks.machine import Machine
from livelink_bridge.doctor.checks.network import route, same_network
from livelink_bridge.doctor.checks.reachability import PROBE, PROBES, reach
from livelink_bridge.doctor.checks.targets import Target, check_conflicts, find
from livelink_bridge.errors import SinkError, UsageError
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.network.udp_route import ResolvedAddress
from livelink_bridge.wire.unreal import TOO_SMALL


def word(ip: str) -> str:
    (number,) = struct.unpack("=I", socket.inet_aton(ip))
    return f"{number:08X}"


def routed(root: Path, *routes: tuple[str, str, str, str]) -> Machine:
    """A machine with these routes: interface, network, mask, router ("" for none)."""
    head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    rows = [
        f"{name}\t{word(net)}\t{word(router or '0.0.0.0')}\t{3 if router else 1:04X}\t0\t0\t0\t{word(mask)}\t0\t0\t0\n"
        for name, net, mask, router in routes
    ]
    (root / "proc/net").mkdir(parents=True)
    (root / "proc/net/route").write_text(head + "".join(rows))
    return Machine(root, "linux", lambda *_: None)


HOME = ("eth0", "192.168.1.0", "255.255.255.0", "")
DEFAULT = ("eth0", "0.0.0.0", "0.0.0.0", "192.168.1.1")


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "own_address", lambda target: "192.168.1.10")


@pytest.mark.parametrize(
    ("interface", "host", "level", "said"),
    [
        ("eth0", "192.168.1.20", "ok", "from 192.168.1.10 by eth0, directly"),
        ("eth0", "192.168.1.10", "ok", "this machine itself"),
        ("eth0", "192.168.7.20", "warn", "through the router 192.168.1.1"),
        ("wg0", "192.168.1.20", "warn", "looks like a VPN"),
        ("utun3", "192.168.1.20", "warn", "looks like a VPN"),
        ("docker0", "192.168.1.20", "warn", "containers"),
        ("eth0", "192.168.1.255", "note", "broadcast"),
        ("eth0", "239.1.2.3", "warn", "joins none"),
    ],
)
def test_a_way_is_named_with_its_interface_and_what_is_odd_about_it(
    interface: str, host: str, level: str, said: str, tmp_path: Path
) -> None:
    machine = routed(tmp_path, DEFAULT, (interface, *HOME[1:]))
    found = route(find(f"livelink://{host}:11111"), machine)
    assert found is not None and (found.level, found.what) == (level, f"route to {host}")
    assert said in found.text and "\n" not in found.text


def test_the_narrowest_route_counts_as_for_the_kernel(tmp_path: Path) -> None:
    machine = routed(tmp_path, DEFAULT, ("tun0", "192.168.1.0", "255.255.255.128", ""), HOME)
    inside, outside = (route(find(f"livelink://192.168.1.{last}:11111"), machine) for last in (20, 200))
    assert inside is not None and "tun0" in inside.text
    assert outside is not None and "eth0" in outside.text


def test_wi_fi_is_told(tmp_path: Path) -> None:
    machine = routed(tmp_path, ("wlan0", *HOME[1:]))
    (tmp_path / "sys/class/net/wlan0/wireless").mkdir(parents=True)
    found = route(find("livelink://192.168.1.20:11111"), machine)
    assert found is not None and found.level == "note" and "Wi-Fi" in found.text


def test_without_the_kernels_table_networks_are_guessed_by_their_numbers() -> None:
    elsewhere = Machine(platform="win32")
    near, far = (route(find(f"livelink://192.168.{third}.20:11111"), elsewhere) for third in (1, 2))
    assert near is not None and near.level == "ok"
    assert far is not None and far.level == "warn" and "two networks" in far.text
    assert same_network("fe80::1", "fe80::2") and not same_network("10.0.0.1", "fe80::2")


def test_this_machine_itself_needs_no_way_and_no_way_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert route(find("livelink://127.0.0.1:11111"), Machine()) is None
    monkeypatch.setattr(network, "own_address", lambda target: None)
    found = route(find("livelink://192.168.1.20:11111"), Machine())
    assert found is not None and found.level == "fail"


def test_unreal_does_not_hear_ipv6() -> None:
    found = route(find("livelink://[2001:db8::1]:11111"), Machine())
    assert found is not None and found.level == "warn" and "IPv4" in found.text


def test_targets_that_are_one_and_ports_of_another_wire_are_told() -> None:
    uris = (
        "livelink://127.0.0.1:11111",
        "livelink://localhost:11111",
        "osc://127.0.0.1:39539",
        "osc://127.0.0.1:9000?preset=vrchat",
    )
    found = list(check_conflicts([find(uri) for uri in uris]))
    assert [finding.what for finding in found] == [uris[1], uris[2]]
    assert "every frame arrives twice" in found[0].text and "vmc://127.0.0.1:39539" in found[1].text


def test_an_unknown_host_and_an_unknown_scheme_are_refused() -> None:
    with pytest.raises(SinkError, match="unknown host"):
        find("livelink://no.such.host.invalid:11111")
    with pytest.raises(UsageError, match="unknown receiver 'oscc://"):
        find("oscc://127.0.0.1:9000")


def as_if_away(port: int) -> Target:
    """A receiver on this machine that is taken for one on another: its answers are real."""

    class Away(Target):
        local = False  # type: ignore[assignment]

    return Away(
        f"livelink://127.0.0.1:{port}",
        "livelink",
        "127.0.0.1",
        port,
        ResolvedAddress(socket.AF_INET, ("127.0.0.1", port)),
    )


def counted(root: Path) -> Machine:
    """A machine whose count of sent packets stands still."""
    (root / "proc/net").mkdir(parents=True)
    (root / "proc/net/snmp").write_text("Udp: InDatagrams OutDatagrams\nUdp: 5 7\n")
    return Machine(root, "linux")


def test_a_machine_that_reports_a_closed_port_is_a_failure(free_port: int) -> None:
    found = reach(as_if_away(free_port), Machine())
    assert found is not None and found.level == "fail" and f"UDP port {free_port} is closed there" in found.text


def test_probes_reach_a_listener_and_unreal_ignores_them() -> None:
    with Arrivals(0, "127.0.0.1") as listening:
        found = reach(as_if_away(listening.port), Machine(), answer_s=0.03)
        got = [listening.receive(1) for _ in range(PROBES)]
    assert found is not None and found.level == "ok"
    assert [received[0] for received in got if received] == [PROBE] * PROBES
    assert len(PROBE) <= TOO_SMALL


def test_a_count_of_sent_packets_that_stands_still_is_a_warning(tmp_path: Path) -> None:
    with Arrivals(0, "127.0.0.1") as listening:
        found = reach(as_if_away(listening.port), counted(tmp_path), answer_s=0.03)
    assert found is not None and found.level == "warn" and "does not rise" in found.text


@pytest.mark.parametrize("uri", ["osc://192.0.2.7:9000", "livelink://239.1.2.3:11111", "livelink://127.0.0.1:11111"])
def test_nothing_is_sent_to_who_might_not_ignore_it(uri: str) -> None:
    assert reach(find(uri), Machine()) is None
