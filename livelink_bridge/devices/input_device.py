"""Which device an input is, and how many channels it truly has.

A stream with fewer channels than its device gets, on most sound systems, mixtures of them: PulseAudio's mono is the
mean of left and right, Windows' WASAPI and ALSA's plug-ins do the same. So devices are opened with all their channels,
and those that are wanted picked.
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

_MOST_OF_ITS_OWN = 16
"""What an ALSA device that is no card says to have is its own up to here; beyond, a plug-in says what it would take."""
_FEWEST = 2
"""Of a device that does not say: one channel of a stereo device would be both."""


@dataclass(frozen=True, slots=True)
class InputDevice:
    """What is to be opened."""

    index: int | None
    """PortAudio's; None for a source of the sound server that PortAudio does not reach."""
    name: str
    rate_hz: int
    channels: int | None
    """How many it has; None where nobody says: then a stream of any number may be a mixture."""
    takes: int
    """How many it can be asked for."""
    hostapi: int = 0
    pulse: PulseInput | None = None
    """The sound server's source behind it."""
    named: bool = False
    """Whether that source was asked for by its name; otherwise it is whatever the server has as its default."""

    @property
    def direct(self) -> bool:
        """Whether the server itself has to be asked, because PortAudio would get a mixture."""
        return self.pulse is not None and (self.index is None or not self.pulse.plain)

    def opened_with(self, columns: Sequence[int]) -> int:
        """How many channels to open for these columns."""
        return self.channels or min(self.takes, max(_FEWEST, max(columns) + 1))


def find_device(wanted: str | None, system: SoundSystem, *, exclusive: bool = False) -> InputDevice:
    """The device that the user means; see `find_input`. DeviceError where there is none."""
    devices, default = system.devices(), system.default()[0]
    if exclusive:
        devices, default = only_of("WASAPI", devices, system.systems(), default)
        if not any(device["max_input_channels"] for device in devices):
            raise DeviceError(
                "no input can be had exclusively: expected one of Windows WASAPI (see `livelink-bridge devices`)"
            )
    try:
        return described(find_input(wanted, devices, default), devices, system.systems())
    except DeviceError as error:
        inputs = pulse_inputs() if wanted else []
        if not inputs or wanted is None or wanted.isdecimal():
            raise
        source, name = _one_of_server(wanted, inputs, error)
        return replace(of_server(source, pulse_device(devices)), name=name)


def _one_of_server(wanted: str, inputs: Sequence[PulseInput], error: DeviceError) -> tuple[PulseInput, str]:
    """The one source that is meant, and its name as `devices` has it; where it is not one, `error` and what there is,
    or which fit."""
    found = fitting_pulse_inputs(wanted, inputs)
    named = list(zip(inputs, shown_names(inputs), strict=True))
    if len(found) == 1:
        return next(pair for pair in named if pair[0] is found[0])
    names = [name for one, name in named if one in found or not found]
    if found:
        raise DeviceError(
            f"{wanted!r} fits several inputs of the sound server; expected one of {', '.join(names)}"
        ) from None
    raise DeviceError(f"{error}; of the sound server: {', '.join(names)}") from None


def described(index: int, devices: Sequence[Device], systems: Sequence[Device]) -> InputDevice:
    """The device of this index, with the sound server's default source where it stands for that."""
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
    """A source of the sound server; as the server's default it keeps the name that stands for it, whatever the default
    is next."""
    count = len(source.positions)
    return InputDevice(
        index, default_of or source.description, source.rate_hz, count, count, pulse=source, named=default_of is None
    )


def cards(devices: Sequence[Device], systems: Sequence[Device]) -> list[str]:
    """The inputs that say truly how many channels they have, for whoever has to choose another."""
    return [
        f"{index} {device['name']} (channels 1 to {device['max_input_channels']})"
        for index, device in enumerate(devices)
        if device["max_input_channels"]
        and _own_channels(device, devices, systems) is not None
        and device["name"] not in SERVER_DEVICES
    ]


def _own_channels(device: Device, devices: Sequence[Device], systems: Sequence[Device]) -> int | None:
    count = int(device["max_input_channels"])
    if not _alsa(device, systems) or _is_card(device) or count <= _MOST_OF_ITS_OWN:
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
