"""Options of an `osc:` URI: readers, defaults, presets, and the messages they produce."""

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
    # Each message is an event on Unreal's game thread, so a frame is one message; each=on adds the 61 again.
    "unreal": {"array": "/arkit/pose", "each": False},
    "vrchat": {"address": "/avatar/parameters/{name}", "channels": channel_options.SHAPES},
}
_FACECAPS_OWN = ("address", "names", "array", "each")

_DEGREES = np.ones(len(CHANNELS_61), np.float32)
_DEGREES[SHAPE_COUNT:] = np.degrees(1.0)


def completed(uri: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options: those given, then those of the preset, then the defaults.

    Parameters
    ----------
    uri : for error messages
    given : parsed options of the URI

    Raises
    ------
    UsageError : options that contradict each other
    """
    preset = given.get("preset")
    for option in _FACECAPS_OWN if preset == "facecap" else ():
        if option in given:
            raise UsageError(f"{uri!r}: {option} goes with another preset; facecap has addresses and names of its own")
    options = {**DEFAULTS, **PRESETS.get(preset, {}), **given}
    if not options["each"] and options["array"] is None:
        raise UsageError(f"{uri!r}: each=off leaves nothing to send; add array=/arkit/pose or leave each out")
    return options


def messages(options: Mapping[str, Any]) -> list[Template]:
    """The messages of a frame, the array first. Their values are wire indices of channels."""
    chosen = options["channels"]
    if options["preset"] == "facecap":
        return facecap.messages(chosen)
    array = [] if options["array"] is None else [message(options["array"], *map(Value, chosen))]
    spell = camel if options["names"] == "camel" else str
    each = [message(options["address"].format(name=spell(CHANNELS_61[channel])), Value(channel)) for channel in chosen]
    return array + (each if options["each"] else [])


def factors(options: Mapping[str, Any]) -> Weights | None:
    """float32 (61,) factors to multiply weights by before encoding (Face Cap's angles are degrees); None for no
    change."""
    return _DEGREES if options["preset"] == "facecap" else None
