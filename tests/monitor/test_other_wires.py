"""What the monitor makes of other wires than Live Link: OSC, VMC and iFacialMocap."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_link import face, reasons
from pythonosc.osc_message_builder import OscMessageBuilder

from arkit_mapping import CHANNELS_61
from livelink_bridge.errors import UsageError
from livelink_bridge.monitor.monitor import Monitor, wire_for
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.sinks.osc import OscSink
from livelink_bridge.sinks.vmc import VmcSink
from livelink_bridge.timing.stamp import Stamp


def osc(address: str, *arguments: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return bytes(builder.build().dgram)


def bundle(*messages: bytes) -> bytes:
    return (
        b"#bundle\0"
        + struct.pack(">Q", 1)
        + b"".join(struct.pack(">i", len(message)) + message for message in messages)
    )


IFACIALMOCAP = b"jawOpen-50|mouthSmile_L-25|=head#0,0,0,0,0,0|rightEye#0,0,0|leftEye#0,0,0|"
OTHER_WIRES: dict[str, tuple[str, list[bytes]]] = {
    "osc": ("osc", [osc("/arkit/JawOpen", 0.5), osc("/arkit/JawOpen", 0.5)]),
    "vmc": ("vmc", [bundle(osc("/VMC/Ext/Blend/Val", "JawOpen", 0.5), osc("/VMC/Ext/Blend/Apply"))]),
    "ifacialmocap": ("ifacialmocap", [IFACIALMOCAP]),
}


@pytest.mark.parametrize(("wire", "datagrams"), OTHER_WIRES.values(), ids=OTHER_WIRES)
@pytest.mark.parametrize("told_which", [True, False])
def test_other_wires_are_heard_whether_named_or_told_by_their_bytes(
    wire: Any, datagrams: list[bytes], told_which: bool
) -> None:
    monitor = Monitor(wire=wire if told_which else None)
    for n, datagram in enumerate(datagrams):
        monitor.feed(datagram, n / 60, "10.0.0.1:5000")
    summary: Any = monitor.summary()
    json.dumps(summary, allow_nan=False)
    [subject] = summary["subjects"]
    assert (subject["wire"], subject["subject"], subject["packets"]) == (wire, "10.0.0.1:5000", 1)
    assert subject["values"]["JawOpen"] == 0.5 and subject["lost"] is None
    assert (summary["ignored"], summary["warnings"]) == ([], [])


@pytest.mark.parametrize(("wire", "datagrams"), OTHER_WIRES.values(), ids=OTHER_WIRES)
def test_what_comes_to_unreals_port_on_another_wire_is_named(wire: str, datagrams: list[bytes]) -> None:
    monitor = Monitor()
    monitor.feed(datagrams[0], 0.0)
    [warning] = monitor.summary()["warnings"]  # type: ignore[misc]
    assert warning["reason"] == "other-wire" and f"--wire {wire}" in warning["remedy"]


def test_a_port_of_another_wire_names_live_link_packets_and_noise() -> None:
    monitor = Monitor(wire="vmc")
    for datagram in (face(), b"noise", osc("/VMC/Ext/OK", 1)):
        monitor.feed(datagram, 0.0, "10.0.0.1:5000")
    summary: Any = monitor.summary()
    assert reasons(summary["ignored"]) == {"other-wire": 1, "not-understood": 1}
    assert reasons(summary["warnings"]) == {"no-pose": 1}
    assert summary["subjects"] == []


def test_a_bundle_that_travels_in_fragments_is_told_of() -> None:
    monitor = Monitor(wire="vmc")
    values = [osc("/VMC/Ext/Blend/Val", name, 0.5) for name in CHANNELS_61[:52]]
    monitor.feed(bundle(*values, osc("/VMC/Ext/Blend/Apply")), 0.0, "10.0.0.1:5000")
    assert reasons(monitor.summary()["warnings"]) == {"fragments": 1}  # type: ignore[arg-type]


def test_the_wire_is_the_ports_own_unless_it_is_named() -> None:
    assert [wire_for(None, port) for port in (11111, 39539, 39540, 49983, 9000)] == [
        "livelink",
        "vmc",
        "vmc",
        "ifacialmocap",
        None,
    ]
    assert wire_for("osc", 11111) == "osc"
    with pytest.raises(UsageError, match="got wire 'artnet', expected one of livelink, osc, vmc, ifacialmocap"):
        wire_for("artnet", 9000)


@given(
    st.lists(
        st.binary(max_size=400) | st.sampled_from([face()[:70], osc("/VMC/Ext/Blend/Val", "A", 1.0), IFACIALMOCAP]),
        max_size=8,
    )
)
@settings(deadline=None, max_examples=60)
@pytest.mark.parametrize("wire", [None, "livelink", "osc", "vmc", "ifacialmocap"])
def test_whatever_arrives_there_is_a_summary(wire: Any, datagrams: list[bytes]) -> None:
    monitor = Monitor(wire=wire)
    for n, datagram in enumerate(datagrams):
        monitor.feed(datagram, n / 60, "10.0.0.1:5000")
    summary = monitor.summary(100.0)
    json.dumps(summary, allow_nan=False)
    assert summary["datagrams"] == len(datagrams)


SENT = [("osc", "", OscSink), ("osc", "?preset=facecap", OscSink), ("vmc", "?head=on", VmcSink)]


@pytest.mark.parametrize(("wire", "options", "make"), SENT)
def test_what_this_program_sends_on_other_wires_is_understood(
    wire: Any, options: str, make: Callable[[str], Any]
) -> None:
    values = np.zeros(61, np.float32)
    values[17], values[52], values[53] = 0.5, 0.25, -0.125
    monitor = Monitor(("JawOpen", "HeadYaw", "HeadPitch"), wire=wire)
    with Arrivals(0, "127.0.0.1") as arrivals, closing(make(f"{wire}://127.0.0.1:{arrivals.port}{options}")) as sink:
        for n in range(2):
            sink.send(values, Stamp(n, 0.0, Fraction(60)))
        received = arrivals.receive_from(5)
        while received is not None:
            monitor.feed(*received)
            received = arrivals.receive_from(0.02)
    summary: Any = monitor.summary()
    [subject] = summary["subjects"]
    assert subject["values"] == pytest.approx({"JawOpen": 0.5, "HeadYaw": 0.25, "HeadPitch": -0.125}, abs=1e-5)
    assert subject["packets"] == (1 if wire == "osc" else 2), "an OSC pose is whole when the next begins"
    assert summary["ignored"] == [] and "no-apply" not in reasons(summary["warnings"])
