"""VMC sink: blend shapes for VSeeFace, Warudo, VMagicMirror, VNyan and other VMC receivers. See
docs/wires-osc-vmc.md."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.closure import LipRule
from arkit_mapping.vrm import expressions
from livelink_bridge.core.frames import Weights
from livelink_bridge.errors import UsageError
from livelink_bridge.network.udp_target import UDP_OPTIONS, UdpSink
from livelink_bridge.network.uri import Address, Reader, choice, read_uri, switch
from livelink_bridge.sinks import channel_options
from livelink_bridge.sinks.rate_limit import seconds
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire import vmc
from livelink_bridge.wire.osc.encode import IMMEDIATELY, Template, bundles_of, timetag

OPTIONS: dict[str, Reader] = {
    **UDP_OPTIONS,
    "role": choice("performer", "assistant"),
    "names": choice("pascal", "camel"),
    "channels": channel_options.channels,
    "vowels": switch,
    "head": switch,
    "timetag": choice("now", "immediately"),
}
PORTS = {"performer": 39539, "assistant": 39540}
"""Usual port of the receivers for each role: a performer sends to a marionette, which renders; an assistant sends to a
performer."""

_HEAD = [CHANNELS_61.index(name) for name in ("HeadYaw", "HeadPitch", "HeadRoll")]
_EYES = [CHANNELS_61.index(name) for name in ("LeftEyeYaw", "RightEyeYaw", "LeftEyePitch", "RightEyePitch")]
_ANGLES = np.array(_HEAD + _EYES, np.intp)

_log = logging.getLogger(__name__)


class VmcSink(UdpSink):
    """`vmc://HOST:PORT?OPTION=VALUE&...`. MouthClose as ARKit defines it."""

    closure: LipRule = "arkit"

    def __init__(self, uri: str, *, unix_ns: Callable[[], int] = time.time_ns) -> None:
        """
        Parameters
        ----------
        uri : see the class
        unix_ns : clock for time tags, nanoseconds since 1970

        Raises
        ------
        UsageError : malformed URI or options
        SinkError : unknown host
        """
        address = read_uri(uri, OPTIONS)
        options = address.options
        self._head = bool(options.get("head", False))
        self._vowels = bool(options.get("vowels", False))
        self._bundles = bundles_of(_messages(uri, options))
        self._unix_ns = unix_ns if options.get("timetag") == "now" else None
        self._values = np.zeros(vmc.VALUES, np.float32)
        self._first_s: float | None = None
        super().__init__(address)
        _warn_of_port(address)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Send one frame; see `Sink.send`."""
        self._fill(weights, stamp)
        tag = IMMEDIATELY if self._unix_ns is None else timetag(self._unix_ns())
        self.sent += self._deliver([bundle.filled(self._values, tag) for bundle in self._bundles])

    def _fill(self, weights: Weights, stamp: Stamp) -> None:
        at_s = seconds(stamp)
        if self._first_s is None:
            self._first_s = at_s
        self._values[: len(weights)] = weights
        self._values[vmc.TIME] = at_s - self._first_s
        if self._head:
            yaw, pitch, roll, left_yaw, right_yaw, left_pitch, right_pitch = weights.take(_ANGLES).tolist()
            self._values[vmc.HEAD] = vmc.quaternion(yaw, pitch, roll)
            self._values[vmc.EYES] = vmc.looked_at((left_yaw + right_yaw) / 2, (left_pitch + right_pitch) / 2)
        if self._vowels:
            self._values[vmc.VRM] = expressions(weights)


def _messages(uri: str, options: Mapping[str, Any]) -> list[Template]:
    """The messages of a frame, Apply last. State and time are sent to marionettes only: performers know neither."""
    alive = vmc.alive() if options.get("role", "performer") == "performer" else []
    head = vmc.head() if options.get("head") else []
    chosen = [
        channel for channel in options.get("channels", channel_options.SHAPES) if channel in channel_options.SHAPES
    ]
    if not chosen:
        raise UsageError(
            f"{uri!r}: channels names no blend shape, and VMC's values are nothing else; for the head there is head=on"
        )
    shapes = vmc.shapes(chosen, camel_case=options.get("names") == "camel")
    vowels = vmc.vrm_expressions() if options.get("vowels") else []
    return [*alive, *head, *shapes, *vowels, vmc.APPLY]


def _warn_of_port(address: Address) -> None:
    """Warn of the other role's port: the most common reason why nothing moves, and no error reports it."""
    role = address.options.get("role", "performer")
    other = "assistant" if role == "performer" else "performer"
    if address.port == PORTS[other]:
        ports = f"receivers of a role={role} usually listen on {PORTS[role]}, those of a role={other} on {PORTS[other]}"
        _log.warning("%s: %s; if nothing moves, change one of the two", address.uri, ports)
