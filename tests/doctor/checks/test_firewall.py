"""Firewalls, as far as they can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from livelink_bridge.doctor.checks.firewall import firewall, remote_firewall
from livelink_bridge.doctor.checks.machine import Machine, run_command


def machine(root: Path, platform: str = "linux", **printed: str) -> Machine:
    """`printed` is what commands print, dashes written as underscores."""
    return Machine(root, platform, lambda *command: printed.get(command[0].replace("-", "_")))


def test_a_machine_without_one_is_ok(tmp_path: Path) -> None:
    assert firewall(11111, machine(tmp_path)).level == "ok"


def test_ufw_is_seen_in_its_settings_and_the_line_that_opens_the_port_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc/ufw").mkdir(parents=True)
    settings = tmp_path / "etc/ufw/ufw.conf"
    settings.write_text("# ENABLED=yes\nENABLED=no\n")
    assert firewall(11111, machine(tmp_path)).level == "ok"
    settings.write_text("ENABLED=yes\n")
    found = firewall(11111, machine(tmp_path))
    assert found.level == "note" and "sudo ufw allow 11111/udp" in found.text


def test_firewalld_is_asked_whether_it_runs(tmp_path: Path) -> None:
    assert "firewall-cmd --add-port=9000/udp" in firewall(9000, machine(tmp_path, firewall_cmd="running\n")).text
    assert firewall(9000, machine(tmp_path, firewall_cmd="not running\n")).level == "ok"


def chain(hook: str, policy: str) -> str:
    return f"chain {hook} {{\n type filter hook {hook} priority 0; policy {policy};\n}}\n"


@pytest.mark.parametrize(
    "printed",
    [
        {"nft": "table inet f {\n" + chain("output", "drop") + "}"},
        {"iptables": "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT DROP\n"},
    ],
)
def test_a_firewall_that_stops_what_goes_out_is_a_warning(printed: dict[str, str], tmp_path: Path) -> None:
    found = firewall(11111, machine(tmp_path, **printed))
    assert found.level == "warn" and "--dport 11111" in found.text


@pytest.mark.parametrize(
    ("printed", "level"),
    [
        ({"nft": chain("input", "drop") + chain("output", "accept")}, "note"),
        ({"nft": chain("input", "accept") + chain("forward", "drop")}, "ok"),
        ({"iptables": "-P INPUT DROP\n-P OUTPUT ACCEPT\n"}, "note"),
    ],
)
def test_a_firewall_that_stops_what_comes_in_is_noted(printed: dict[str, str], level: str, tmp_path: Path) -> None:
    assert firewall(11111, machine(tmp_path, **printed)).level == level


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_what_to_do_is_told(platform: str, tmp_path: Path) -> None:
    found = firewall(11111, machine(tmp_path, platform))
    assert found.level == "note" and "11111" in found.text
    assert ("netsh advfirewall" in found.text) == (platform == "win32")


def test_the_receivers_own_firewall_is_opened_by_one_line() -> None:
    assert (
        'netsh advfirewall firewall add rule name="Live Link 9000" dir=in action=allow protocol=UDP localport=9000'
        in remote_firewall(9000).text
    )


def test_a_command_that_is_absent_or_fails_prints_nothing() -> None:
    assert run_command("no-such-command-as-this") is None
