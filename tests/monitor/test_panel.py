"""The monitor on a screen, and in lines."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from arkit_mapping import CHANNELS_61
from livelink_bridge.cli import run
from livelink_bridge.commands.checks.monitor import channels_of
from livelink_bridge.errors import UsageError
from livelink_bridge.monitor.monitor import Monitor
from livelink_bridge.monitor.panel import BAR_CELLS, bar, panel
from livelink_bridge.monitor.summary_text import lines
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.wire.livelink import Packet, encode

FACE = Packet("00000000-0000-0000-0000-000000000001", "Talker", 0, 0.0, Fraction(60), np.zeros(61, np.float32))


def face(frame: int = 0, subject: str = "Talker", **named: float) -> bytes:
    values = np.zeros(61, np.float32)
    for name, value in named.items():
        values[CHANNELS_61.index(name)] = value
    return encode(replace(FACE, frame=frame, subject=subject, values=values))


def summary_of(*datagrams: bytes, channels: Any = None) -> dict[str, Any]:
    monitor = Monitor(channels)
    for n, datagram in enumerate(datagrams):
        monitor.feed(datagram, n / 60, "10.0.0.1:5000")
    return {"port": 11111, "listened_s": 1.0, **monitor.summary(len(datagrams) / 60)}


def drawn(summary: dict[str, Any], width: int = 120, height: int = 30, blocks: bool = True) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(panel(summary, width, height, blocks=blocks))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_moving_channels_are_drawn_as_bars_with_their_values() -> None:
    said = drawn(summary_of(face(), face(1, JawOpen=0.5, HeadYaw=-0.25)))
    assert said[0].startswith("Talker: 2 packets | ")
    assert "JawOpen" in said[1] and "█" * 6 + "░" * 6 in said[1] and "0.50" in said[1]
    assert "HeadYaw" in said[1] and "-0.25" in said[1]


def test_all_channels_fit_a_usual_window_in_columns() -> None:
    said = drawn(summary_of(face(JawOpen=0.5), channels=CHANNELS_61), width=120, height=40)
    assert sum("░" in line for line in said) == 21
    assert all(any(name in line for line in said) for name in CHANNELS_61)
    assert len(said) <= 40 and all(len(line) <= 120 for line in said)


def test_what_does_not_fit_is_counted() -> None:
    said = drawn(summary_of(face(), channels=CHANNELS_61), width=40, height=12)
    assert any("and 54 more" in line for line in said), said


def test_several_subjects_and_their_troubles_share_the_window() -> None:
    said = drawn(summary_of(face(JawOpen=0.5), face(1, "Other", JawOpen=0.5), b"\x05" + face()[1:]))
    text = " ".join(said)
    assert "Talker: 1 packets" in text and "Other: 1 packets" in text
    assert "Unreal would ignore these: 1 x version 5" in text and "update the sending app" in text


def test_nothing_yet_is_drawn_too() -> None:
    assert "no face yet" in drawn(summary_of())[0]
    assert "nothing moves" in " ".join(drawn(summary_of(face())))


@pytest.mark.parametrize(
    ("value", "length"), [(0.0, 0), (1.0, BAR_CELLS), (0.5, BAR_CELLS // 2), (7.0, BAR_CELLS), (-1.0, 0)]
)
def test_a_shapes_bar_is_as_long_as_its_weight_and_never_longer(value: float, length: int) -> None:
    drawn_bar = bar("JawOpen", value, blocks=False)
    assert drawn_bar.plain == "#" * length + "." * (BAR_CELLS - length)
    assert (drawn_bar.style == "bold red") == (not 0 <= value <= 1)


def test_an_angles_bar_grows_from_the_middle_either_way() -> None:
    half = BAR_CELLS // 2
    assert bar("HeadYaw", math.pi / 2, blocks=False).plain == "." * half + "#" * half
    assert bar("HeadYaw", -math.pi / 4, blocks=False).plain == "." * (half // 2) + "#" * (half // 2) + "." * half
    assert bar("HeadYaw", 15.0, blocks=False).style == "bold red"
    assert bar("JawOpen", None).plain == "?" * BAR_CELLS


def test_channels_are_all_the_moving_or_those_that_are_named() -> None:
    assert channels_of(None, ("JawOpen",)) == ("JawOpen",)
    assert channels_of("all", None) == CHANNELS_61 and channels_of("moving", ("JawOpen",)) is None
    assert channels_of("jawOpen, HeadYaw", None) == ["JawOpen", "HeadYaw"]
    with pytest.raises(UsageError, match="unknown channel 'JawOpn', did you mean JawOpen"):
        channels_of("JawOpn", None)


def test_a_line_says_from_whom_and_what_to_do() -> None:
    said = list(lines(summary_of(b"\x05" + face()[1:])))
    assert said == [
        "  Unreal would ignore these: 1 x version 5, Unreal reads version 6, and Unreal leaves the rest of its queue "
        "to the next tick"
        " (from 10.0.0.1:5000); update the sending app, or stop it: it also delays the good packets of other senders"
    ]


@pytest.mark.parametrize("options", [["--wire", "artnet"], ["--channels", "Nose"]])
def test_what_does_not_exist_is_a_usage_error(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["monitor", "--seconds", "0", *options]) == 2
    assert "expected" in capsys.readouterr().err


def test_the_command_hears_another_wire_on_its_port(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Arrivals(0, "127.0.0.1") as free:
        port = free.port
    options = ["--seconds", "0.01", "--json", "--channels", "all", "--record", str(tmp_path / "takes")]
    assert run(["monitor", "--port", str(port), *options]) == 0
    assert json.loads(capsys.readouterr().out)["subjects"] == []
