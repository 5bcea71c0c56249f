"""Sends one packet to this program itself, over the loopback network."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from typing import Any

import numpy as np

from arkit_mapping import CHANNELS_61
from livelink_bridge.doctor.finding import Finding
from livelink_bridge.errors import BridgeError
from livelink_bridge.monitor.monitor import Monitor
from livelink_bridge.network.udp_port import Arrivals
from livelink_bridge.sinks import Sink, open_sink
from livelink_bridge.timing.stamp import Stamp

ANSWER_S = 2.0
"""Time limit for the packet."""

_PROBE_ID = "00000000-0000-0000-0000-00000000D0C7"


def loopback_packet() -> Finding:
    """Send one frame through a local socket and decode it as Unreal would."""
    weights = np.zeros(len(CHANNELS_61), np.float32)
    weights[CHANNELS_61.index("JawOpen")] = 0.5
    try:
        with Arrivals(0, "127.0.0.1") as arrivals:
            sink = open_sink(f"livelink://127.0.0.1:{arrivals.port}", subject="doctor", device_id=_PROBE_ID)
            with closing(sink):
                return _sent_and_received(sink, weights, arrivals)
    except BridgeError as error:
        return Finding("fail", "packet to ourselves", str(error))


def _sent_and_received(sink: Sink, weights: Any, arrivals: Arrivals) -> Finding:
    sink.send(weights, Stamp(1, 0.0, Fraction(60)))
    received = arrivals.receive(ANSWER_S)
    if received is None:
        return Finding(
            "fail", "packet to ourselves", "sent, never arrived; let this program through the firewall (UDP)"
        )
    monitor = Monitor(("JawOpen",))
    monitor.feed(*received)
    subjects: Any = monitor.summary()["subjects"]
    if not subjects or subjects[0]["values"]["JawOpen"] != 0.5:
        return Finding(
            "fail", "packet to ourselves", "arrived changed: look for VPN or proxy software that rewrites UDP"
        )
    return Finding("ok", "packet to ourselves", "sent, received and decoded as Unreal would")
