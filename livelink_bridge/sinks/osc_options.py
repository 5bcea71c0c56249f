"""What an `osc:` receiver is sent: the options of its URI, presets of them, and the messages that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, camel
from livelink_bridge.core.frames import Weights
from livelink_bridge.errors import UsageError
from livelink_bridge.network.udp_target import UDP_OPTIONS
from livelink_bridge.network.uri import Reader, choice, number, switch
from livelink_bridge.sinks import channel_options
from livelink_bridge.wire.osc import facecap
from livelink_bridge.wire.osc.encode import Template, Value, message

OPTIONS: dict[str, Reader] = {
    **UDP_OPTIONS,
    "preset": choice("unreal", "vrchat", "facecap"),
    "address": channel_options.template,
    "names": choice("pascal", "camel"),
    "channels": channel_options.channels,
    "array": channel_options.address,
    "each": switch,
    "rate": number(1, 60, "Hz"),
    "deadband": number(0, 1),
    "timetag": choice("now", "immediately"),
}

DEFAULTS: dict[str, Any] = {
    "preset": None,
    "address": "/arkit/{name}",
    "names": "pascal",
    "channels": tuple(range(len(CHANNELS_61))),
    "array": None,
    "each": True,
    "rate": None,
    "deadband": None,
    "timetag": "immediately",
}

PRESETS: dict[str | None, dict[str, Any]] = {
    # Each message is an event on Unreal's game thread, so a pose is one message; each=on brings the 61 back beside it.
    "unreal": {"array": "/arkit/pose", "each": False},
    "vrchat": {"address": "/avatar/parameters/{name}", "channels": channel_options.SHAPES},
}
_FACECAPS_OWN = ("address", "names", "array", "each")

_DEGREES = np.ones(len(CHANNELS_61), np.float32)
_DEGREES[SHAPE_COUNT:] = np.degrees(1.0)


def completed(uri: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options: those given, then the preset's, then the defaults. Raises UsageError where they cannot be meant
    together."""
    preset = given.get("preset")
    for option in _FACECAPS_OWN if preset == "facecap" else ():
        if option in given:
            raise UsageError(f"{uri!r}: {option} goes with another preset; facecap has addresses and names of its own")
    options = {**DEFAULTS, **PRESETS.get(preset, {}), **given}
    if not options["each"] and options["array"] is None:
        raise UsageError(f"{uri!r}: each=off leaves nothing to send; add array=/arkit/pose or leave each out")
    return options


def messages(options: Mapping[str, Any]) -> list[Template]:
    """The messages of a pose, array first. Their values are channels, positions in wire order."""
    chosen = options["channels"]
    if options["preset"] == "facecap":
        return facecap.messages(chosen)
    array = [] if options["array"] is None else [message(options["array"], *map(Value, chosen))]
    spelled = camel if options["names"] == "camel" else str
    each = [
        message(options["address"].format(name=spelled(CHANNELS_61[channel])), Value(channel)) for channel in chosen
    ]
    return array + (each if options["each"] else [])


def factors(options: Mapping[str, Any]) -> Weights | None:
    """float32 (61,) by which a pose is multiplied before it is written: Face Cap's angles are degrees. None is as it
    is."""
    return _DEGREES if options["preset"] == "facecap" else None
