"""Which input the user means."""

from __future__ import annotations

from collections.abc import Sequence

from livelink_bridge.errors import DeviceError
from livelink_bridge.portaudio import Device

_NO_INPUT = "this machine has no sound input; plug one in, or start the sound server, and look with `livelink-bridge devices`"


def find_input(wanted: str | None, devices: Sequence[Device], default: int) -> int:
    """Index of the input the user means.

    Parameters
    ----------
    wanted : an index, a part of a name in any case, or None for the system's default
    devices : what PortAudio lists, each with name, hostapi and max_input_channels
    default : index of the system's default input, -1 for none

    Raises DeviceError where none, several, or no input fits.
    """
    if wanted is None:
        if not 0 <= default < len(devices):
            raise DeviceError(f"no microphone: the system has no default input; {_listing(devices)}")
        return default
    if wanted.isdecimal():
        return _input_at(int(wanted), devices)
    return _input_named(wanted, devices, default)


def _input_at(index: int, devices: Sequence[Device]) -> int:
    if index >= len(devices):
        raise DeviceError(f"there is no device {index}; {_listing(devices)}")
    if not devices[index]["max_input_channels"]:
        raise DeviceError(f"device {index} ({devices[index]['name']}) is not an input; {_listing(devices)}")
    return index


def _input_named(wanted: str, devices: Sequence[Device], default: int) -> int:
    named = [i for i, device in enumerate(devices) if wanted.casefold() in device["name"].casefold()]
    inputs = [i for i in named if devices[i]["max_input_channels"]]
    exact = [i for i in inputs if wanted.casefold() == devices[i]["name"].casefold()]
    found = exact or inputs
    if len(found) > 1 and 0 <= default < len(devices):
        # Windows lists each device once per sound system; the default's sound system is the one meant.
        found = [i for i in found if devices[i]["hostapi"] == devices[default]["hostapi"]] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise DeviceError(f"{wanted!r} fits several inputs; give more of the name or the index; {_listing(devices, found)}")
    if named:
        raise DeviceError(f"device {named[0]} ({devices[named[0]]['name']}) is not an input; {_listing(devices)}")
    raise DeviceError(f"no input's name contains {wanted!r}; {_listing(devices)}")


def _listing(devices: Sequence[Device], among: Sequence[int] | None = None) -> str:
    inputs = [i for i, device in enumerate(devices) if device["max_input_channels"] and (among is None or i in among)]
    return "inputs: " + ", ".join(f"{i} {devices[i]['name']}" for i in inputs) if inputs else _NO_INPUT
