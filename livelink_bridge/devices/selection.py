"""Selects a device by index or by part of its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from livelink_bridge.devices.portaudio import Device
from livelink_bridge.errors import DeviceError

Direction = Literal["input", "output"]

_CARD = re.compile(r" \(hw:\d+,\d+\)$")
_NOTHING = {
    "input": "this machine has no audio input; plug one in, or start the sound server, and check with "
    "`livelink-bridge devices`",
    "output": "this machine has no audio output; plug one in, or start the sound server, and check with "
    "`livelink-bridge devices`",
}


def find_input(spec: str | None, devices: Sequence[Device], default: int) -> int:
    """Index of the input that the user selected.

    Parameters
    ----------
    spec : an index, part of a name in any case, or None for the system's default
    devices : PortAudio's devices, each with name, hostapi and max_input_channels
    default : index of the system's default input, -1 for none

    Raises
    ------
    DeviceError : no input fits, or several do
    """
    return _find("input", spec, devices, default)


def find_output(spec: str | None, devices: Sequence[Device], default: int) -> int:
    """Index of the output that the user selected; as `find_input`."""
    return _find("output", spec, devices, default)


def plain_name(name: str) -> str:
    """A device's name without ALSA's card number, which changes when the device is plugged in again."""
    return _CARD.sub("", name)


def find_again(name: str, system: str, devices: Sequence[Device], systems: Sequence[Device]) -> int | None:
    """Index of the input with this plain name and host API; None while it is absent.

    Parameters
    ----------
    name : see `plain_name`
    system : name of the host API
    devices, systems : PortAudio's devices and host APIs
    """
    for index, device in enumerate(devices):
        if _is("input", device) and plain_name(device["name"]) == name and systems[device["hostapi"]]["name"] == system:
            return index
    return None


def only_of(
    system: str, devices: Sequence[Device], systems: Sequence[Device], default: int
) -> tuple[list[Device], int]:
    """Restrict the inputs to those of one host API.

    Parameters
    ----------
    system : part of the host API's name
    devices, systems : PortAudio's devices and host APIs
    default : index of the default input

    Returns
    -------
    devices : all devices, those of other host APIs without inputs
    default : index of the default input among them, -1 for none
    """
    restricted = [
        device if system in systems[device["hostapi"]]["name"] else {**device, "max_input_channels": 0}
        for device in devices
    ]
    if 0 <= default < len(restricted) and _is("input", restricted[default]):
        return restricted, default
    own = next((one.get("default_input_device", -1) for one in systems if system in one["name"]), -1)
    return restricted, int(own)


def _find(kind: Direction, spec: str | None, devices: Sequence[Device], default: int) -> int:
    if spec is None:
        if not 0 <= default < len(devices):
            what = "microphone" if kind == "input" else "audio output"
            raise DeviceError(f"no {what}: the system has no default {kind}; {_listing(kind, devices)}")
        return default
    if spec.isdecimal():
        return _at(kind, int(spec), devices)
    return _named(kind, spec, devices, default)


def _at(kind: Direction, index: int, devices: Sequence[Device]) -> int:
    if index >= len(devices):
        raise DeviceError(f"there is no device {index}; {_listing(kind, devices)}")
    if not _is(kind, devices[index]):
        raise DeviceError(f"device {index} ({devices[index]['name']}) is not an {kind}; {_listing(kind, devices)}")
    return index


def _named(kind: Direction, spec: str, devices: Sequence[Device], default: int) -> int:
    named = [i for i, device in enumerate(devices) if spec.casefold() in device["name"].casefold()]
    fitting = [i for i in named if _is(kind, devices[i])]
    exact = [i for i in fitting if spec.casefold() == devices[i]["name"].casefold()]
    found = exact or fitting
    if len(found) > 1 and 0 <= default < len(devices):
        # Windows lists each device once per host API; prefer that of the default device.
        found = [i for i in found if devices[i]["hostapi"] == devices[default]["hostapi"]] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise DeviceError(
            f"{spec!r} fits several {kind}s; give more of the name or the index; {_listing(kind, devices, found)}"
        )
    if named:
        raise DeviceError(
            f"device {named[0]} ({devices[named[0]]['name']}) is not an {kind}; {_listing(kind, devices)}"
        )
    raise DeviceError(f"no {kind}'s name contains {spec!r}; {_listing(kind, devices)}")


def _is(kind: Direction, device: Device) -> bool:
    return bool(device[f"max_{kind}_channels"])


def _listing(kind: Direction, devices: Sequence[Device], among: Sequence[int] | None = None) -> str:
    fitting = [i for i, device in enumerate(devices) if _is(kind, device) and (among is None or i in among)]
    return f"{kind}s: " + ", ".join(f"{i} {devices[i]['name']}" for i in fitting) if fitting else _NOTHING[kind]
