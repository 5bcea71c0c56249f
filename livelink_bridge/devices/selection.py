"""Which device the user means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from livelink_bridge.devices.portaudio import Device
from livelink_bridge.errors import DeviceError

Direction = Literal["input", "output"]

_CARD = re.compile(r" \(hw:\d+,\d+\)$")
_NOTHING = {
    "input": "this machine has no sound input; plug one in, or start the sound server, and look with `livelink-bridge "
    "devices`",
    "output": "this machine has no sound output; plug one in, or start the sound server, and look with "
    "`livelink-bridge devices`",
}


def find_input(wanted: str | None, devices: Sequence[Device], default: int) -> int:
    """Index of the input the user means.

    Parameters
    ----------
    wanted : an index, a part of a name in any case, or None for the system's default
    devices : what PortAudio lists, each with name, hostapi and max_input_channels
    default : index of the system's default input, -1 for none

    Raises DeviceError where none, several, or no input fits.
    """
    return _find("input", wanted, devices, default)


def find_output(wanted: str | None, devices: Sequence[Device], default: int) -> int:
    """Index of the output the user means; as `find_input`."""
    return _find("output", wanted, devices, default)


def plain_name(name: str) -> str:
    """A device's name without the number that ALSA gives a card, which is another after it was unplugged."""
    return _CARD.sub("", name)


def find_again(name: str, system: str, devices: Sequence[Device], systems: Sequence[Device]) -> int | None:
    """Index of the input that had this plain name in the host's sound system of that name; None while it is away."""
    for index, device in enumerate(devices):
        if _is("input", device) and plain_name(device["name"]) == name and systems[device["hostapi"]]["name"] == system:
            return index
    return None


def only_of(
    system: str, devices: Sequence[Device], systems: Sequence[Device], default: int
) -> tuple[list[Device], int]:
    """The devices, those of other sound systems without inputs, and the default input among them, -1 for none."""
    left = [
        device if system in systems[device["hostapi"]]["name"] else {**device, "max_input_channels": 0}
        for device in devices
    ]
    if 0 <= default < len(left) and _is("input", left[default]):
        return left, default
    own = next((one.get("default_input_device", -1) for one in systems if system in one["name"]), -1)
    return left, int(own)


def _find(kind: Direction, wanted: str | None, devices: Sequence[Device], default: int) -> int:
    if wanted is None:
        if not 0 <= default < len(devices):
            what = "microphone" if kind == "input" else "sound output"
            raise DeviceError(f"no {what}: the system has no default {kind}; {_listing(kind, devices)}")
        return default
    if wanted.isdecimal():
        return _at(kind, int(wanted), devices)
    return _named(kind, wanted, devices, default)


def _at(kind: Direction, index: int, devices: Sequence[Device]) -> int:
    if index >= len(devices):
        raise DeviceError(f"there is no device {index}; {_listing(kind, devices)}")
    if not _is(kind, devices[index]):
        raise DeviceError(f"device {index} ({devices[index]['name']}) is not an {kind}; {_listing(kind, devices)}")
    return index


def _named(kind: Direction, wanted: str, devices: Sequence[Device], default: int) -> int:
    named = [i for i, device in enumerate(devices) if wanted.casefold() in device["name"].casefold()]
    fitting = [i for i in named if _is(kind, devices[i])]
    exact = [i for i in fitting if wanted.casefold() == devices[i]["name"].casefold()]
    found = exact or fitting
    if len(found) > 1 and 0 <= default < len(devices):
        # Windows lists each device once per sound system; the default's sound system is the one meant.
        found = [i for i in found if devices[i]["hostapi"] == devices[default]["hostapi"]] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise DeviceError(
            f"{wanted!r} fits several {kind}s; give more of the name or the index; {_listing(kind, devices, found)}"
        )
    if named:
        raise DeviceError(
            f"device {named[0]} ({devices[named[0]]['name']}) is not an {kind}; {_listing(kind, devices)}"
        )
    raise DeviceError(f"no {kind}'s name contains {wanted!r}; {_listing(kind, devices)}")


def _is(kind: Direction, device: Device) -> bool:
    return bool(device[f"max_{kind}_channels"])


def _listing(kind: Direction, devices: Sequence[Device], among: Sequence[int] | None = None) -> str:
    fitting = [i for i, device in enumerate(devices) if _is(kind, device) and (among is None or i in among)]
    return f"{kind}s: " + ", ".join(f"{i} {devices[i]['name']}" for i in fitting) if fitting else _NOTHING[kind]
