"""Resolves an input to a device and its true number of audio channels.

On most sound systems a stream with fewer channels than its device gets a mix of them: PulseAudio's mono is the mean of
left and right, Windows' WASAPI and ALSA's plug-ins do the same. Therefore devices are opened with all their channels,
and the requested ones are selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from livelink_bridge.devices.portaudio import Device, SoundSystem
from livelink_bridge.devices.pulse import (
    SERVER_DEVICES,
    PulseInput,
    default_pulse_input,
    fitting_pulse_inputs,
    pulse_device,
    pulse_inputs,
    shown_names,
)
from livelink_bridge.devices.selection import find_input, only_of
from livelink_bridge.errors import DeviceError

_MAX_REPORTED_CHANNELS = 16
"""An ALSA device that is not a card reports its own channels up to this number; a larger number is the most that a
plug-in would accept."""
_FEWEST = 2
"""Fewest channels to open when their number is unknown: one channel of a stereo device would be the mix of both."""


@dataclass(frozen=True, slots=True)
class InputDevice:
    """An input device to open."""

    index: int | None
    """PortAudio's index; None for a source of the sound server that PortAudio cannot open."""
    name: str
    """Its name, for messages."""
    rate_hz: int
    """Its own sample rate, Hz."""
    channels: int | None
    """Number of its audio channels; None when unknown: then any stream may be a mix."""
    takes: int
    """Largest number of channels that can be opened."""
    hostapi: int = 0
    """Index of PortAudio's host API."""
    pulse: PulseInput | None = None
    """The sound server's source behind it."""
    named: bool = False
    """Whether that source was selected by name; otherwise it is the server's current default."""

    @property
    def direct(self) -> bool:
        """Whether to record from the server itself, because PortAudio would get a mix."""
        return self.pulse is not None and (self.index is None or not self.pulse.plain)

    def opened_with(self, columns: Sequence[int]) -> int:
        """Number of channels to open for `columns`, counted from 0."""
        return self.channels or min(self.takes, max(_FEWEST, max(columns) + 1))


def find_device(spec: str | None, system: SoundSystem, *, exclusive: bool = False) -> InputDevice:
    """The device that the user selected.

    Parameters
    ----------
    spec : an index, part of a name, or None for the default; see `find_input`
    system : PortAudio
    exclusive : only devices of Windows WASAPI

    Raises
    ------
    DeviceError : no device fits, or several do
    """
    devices, default = system.devices(), system.default()[0]
    if exclusive:
        devices, default = only_of("WASAPI", devices, system.systems(), default)
        if not any(device["max_input_channels"] for device in devices):
            raise DeviceError(
                "no input supports exclusive mode: expected one of Windows WASAPI (see `livelink-bridge devices`)"
            )
    try:
        return described(find_input(spec, devices, default), devices, system.systems())
    except DeviceError as error:
        inputs = pulse_inputs() if spec else []
        if not inputs or spec is None or spec.isdecimal():
            raise
        source, name = _one_of_server(spec, inputs, error)
        return replace(of_server(source, pulse_device(devices)), name=name)


def _one_of_server(spec: str, inputs: Sequence[PulseInput], error: DeviceError) -> tuple[PulseInput, str]:
    """The single source that fits, and its name as `devices` lists it. Otherwise raises DeviceError with the
    candidates, or with `error` and all sources."""
    found = fitting_pulse_inputs(spec, inputs)
    named = list(zip(inputs, shown_names(inputs), strict=True))
    if len(found) == 1:
        return next(pair for pair in named if pair[0] is found[0])
    names = [name for one, name in named if one in found or not found]
    if found:
        raise DeviceError(
            f"{spec!r} fits several inputs of the sound server; expected one of {', '.join(names)}"
        ) from None
    raise DeviceError(f"{error}; of the sound server: {', '.join(names)}") from None


def described(index: int, devices: Sequence[Device], systems: Sequence[Device]) -> InputDevice:
    """The device with this index, with the sound server's default source if it stands for that.

    Parameters
    ----------
    index : PortAudio's
    devices, systems : PortAudio's devices and host APIs
    """
    device = devices[index]
    if _alsa(device, systems) and device["name"] in SERVER_DEVICES:
        source = default_pulse_input()
        if source is not None:
            return of_server(source, index, str(device["name"]))
    return InputDevice(
        index,
        str(device["name"]),
        round(device["default_samplerate"]),
        _own_channels(device, devices, systems),
        int(device["max_input_channels"]),
        int(device["hostapi"]),
    )


def of_server(source: PulseInput, index: int | None, default_of: str | None = None) -> InputDevice:
    """A source of the sound server as an input device.

    Parameters
    ----------
    source : the server's
    index : of PortAudio's device that records from it; None if there is none
    default_of : name of that device when the source is the server's default: it keeps this name when the default
        changes
    """
    count = len(source.positions)
    return InputDevice(
        index, default_of or source.description, source.rate_hz, count, count, pulse=source, named=default_of is None
    )


def cards(devices: Sequence[Device], systems: Sequence[Device]) -> list[str]:
    """Descriptions of the inputs that report their true number of channels, as alternatives for the user."""
    return [
        f"{index} {device['name']} (channels 1 to {device['max_input_channels']})"
        for index, device in enumerate(devices)
        if device["max_input_channels"]
        and _own_channels(device, devices, systems) is not None
        and device["name"] not in SERVER_DEVICES
    ]


def _own_channels(device: Device, devices: Sequence[Device], systems: Sequence[Device]) -> int | None:
    count = int(device["max_input_channels"])
    if not _alsa(device, systems) or _is_card(device) or count <= _MAX_REPORTED_CHANNELS:
        return count
    # A plug-in leads to a card: where all have as many channels, it does not matter to which.
    own = {
        int(one["max_input_channels"])
        for one in devices
        if _alsa(one, systems) and _is_card(one) and one["max_input_channels"]
    }
    return own.pop() if len(own) == 1 else None


def _alsa(device: Device, systems: Sequence[Device]) -> bool:
    return "ALSA" in systems[device["hostapi"]]["name"]


def _is_card(device: Device) -> bool:
    return "(hw:" in device["name"]
