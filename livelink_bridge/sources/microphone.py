"""A sound input, live, through PortAudio. When it goes away it is looked for until it is back."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from livelink_bridge.channel import Closed
from livelink_bridge.clock import Clock
from livelink_bridge.device_choice import find_again, find_input, only_of, plain_name
from livelink_bridge.errors import DeviceError
from livelink_bridge.frames import AudioBlock
from livelink_bridge.portaudio import Device, SoundSystem, one_line, sound_system
from livelink_bridge.resample import prepare
from livelink_bridge.sources.capture import Capture
from livelink_bridge.sources.default_watch import DefaultWatch, needed
from livelink_bridge.sources.pulse import PulseInput, PulseWatch, find_pulse_input, pulse_device, pulse_inputs

_HOST_BLOCKS = 0
"""Blocks as the sound system makes them. A pose waits for the block that holds its last sample, and blocks of a size of our own
wait for the sound system's: on PulseAudio blocks of 5 ms came up to 10 ms late (p99), the system's own 3 ms."""
_DEVICE_ROOM_S = 0.012
"""What the device's buffer is asked to hold. A callback that Python holds up for longer loses sound; a larger buffer comes in
larger blocks."""
_MIXED_CHANNELS = 2
"""Voices come on one channel or on two; the other inputs of a large interface are somebody else's."""
_RETRY_S = 0.5
_WAKE_S = 4.0
"""How long an opened device may take to hand over its first block: sound servers wake their devices slowly, 2 s for a new one."""
_STALL_S = 1.0
"""A running device that hands over nothing for so long is lost."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Input:
    """Which microphone, and what of it."""

    wanted: str | None = None
    """An index, a part of a name, or None for the system's default."""
    channels: tuple[int, ...] = ()
    """Channels of the device that are mixed, counted from 1; none: the first two."""
    exclusive: bool = False
    """On Windows' WASAPI: nobody else may use the device meanwhile."""

    @property
    def said(self) -> str:
        return repr(self.wanted or "default")


class MicrophoneSource:
    """An input of this machine, at its own rate, running from the moment it is made.

    A device that ends, stalls or is taken by another program leaves `trouble` and a gap in the sound; it is looked for twice a second,
    by the name it had, and the sound then goes on where the clock says. The first opening raises DeviceError instead.
    """

    live = True
    duration_s = None

    def __init__(self, wanted: Input, *, clock: Clock, system: SoundSystem | None = None, stall_s: float = _STALL_S) -> None:
        self.trouble: str | None = None
        """Why no sound comes now, one line; None while it does."""
        self.reopened = 0
        """Times the device was lost and found again."""
        self._wanted, self._clock, self._stall_s = wanted, clock, stall_s
        self._system = system or sound_system()
        self._closing = threading.Event()
        self._watch: PulseWatch | DefaultWatch | None = None
        self._why: str | None = None
        self._pinned: tuple[str, str] | None = None
        """Plain name, and sound system, of a device that was asked for by name or number."""
        self._lost_overflows = self._lost_blocks = 0
        self._open()

    @property
    def overflows(self) -> int:
        return self._lost_overflows + self._capture.overflows

    @property
    def dropped(self) -> int:
        return self._lost_blocks + self._capture.channel.dropped

    @property
    def latency_s(self) -> float:
        """What PortAudio says the device's own buffer holds, seconds."""
        return float(self._stream.latency)

    def blocks(self) -> Iterator[AudioBlock]:
        while True:
            yield from self._until_lost()
            if self._closing.is_set():
                return
            if not self.trouble:
                self.trouble = self._why or f"microphone {self.name!r} stopped; was it unplugged?"
                _log.warning("%s; the face rests until there is sound again", self.trouble.rstrip("?") if self._why is None else self._why)
                self._why = None
            if not self._come_back():
                return

    def close(self) -> None:
        if not self._closing.is_set():
            self._closing.set()
            self._release()
            self._capture.end()

    def _until_lost(self) -> Iterator[AudioBlock]:
        patience_s = max(_WAKE_S, self._stall_s)
        while True:
            try:
                block = self._capture.channel.get(patience_s)
            except (Closed, TimeoutError):
                return
            if self.trouble:
                _log.warning("microphone %r is back", self.name)
                self.trouble = None
            patience_s = self._stall_s
            yield block

    def _come_back(self) -> bool:
        """Look for the device until it can be opened. False when this source is closed first."""
        self._release()
        since_s = self._capture.zero_s if math.isfinite(self._capture.zero_s) else None
        before = self.overflows, self.dropped
        while self._clock.wait_until(self._clock.now() + _RETRY_S, self._closing):
            self._system.renew()
            try:
                self._open(since_s)
            except DeviceError as error:
                _log.debug("%s", error)
                continue
            self._lost_overflows, self._lost_blocks = before
            self.reopened += 1
            if self._closing.is_set():  # closed while it was opened: whoever closed it saw the old stream
                self._release()
                return False
            return True
        return False

    def _release(self) -> None:
        self._system.close(self._stream)
        watch, self._watch = self._watch, None
        if watch:
            watch.close()

    def _open(self, since_s: float | None = None) -> None:
        index, pulse = self._found()
        device = self._system.devices()[index]
        columns = _columns(self._wanted, device)
        rate = round(device["default_samplerate"])
        prepare(rate)
        capture = Capture(rate, self._clock, columns, since_s)
        try:
            with pulse.chosen() if pulse else nullcontext():
                stream = self._system.open("InputStream", **self._options(index, device, columns), **_callbacks(capture))
        except self._system.error as error:
            raise DeviceError(f"microphone {self._wanted.said} cannot be opened: {one_line(error)}") from error
        self.name, self.sample_rate = pulse.description if pulse else str(device["name"]), rate
        if pulse:  # from now on this very one, under whatever number it comes back
            self._wanted = replace(self._wanted, wanted=pulse.name)
        elif self._wanted.wanted is not None:
            self._pinned = plain_name(self.name), str(self._system.systems()[device["hostapi"]]["name"])
        self._capture, self._stream = capture, stream
        self._watch = self._watching(pulse, capture)

    def _watching(self, pulse: PulseInput | None, capture: Capture) -> PulseWatch | DefaultWatch | None:
        """What notices that this is not the device to listen to any more, where the device itself does not end."""
        try:
            if pulse:
                return PulseWatch(pulse, capture.end)
            return DefaultWatch(lambda: self._another_default(capture)) if self._wanted.wanted is None and needed() else None
        except OSError as error:
            _log.warning("%s is not watched (%s): that the system moves it to another device will not be seen", self.name, error)
            return None

    def _another_default(self, capture: Capture) -> None:
        self._why = "the system's default input is another one now"
        capture.end()

    def _found(self) -> tuple[int, PulseInput | None]:
        """The device's index, and the sound server's source behind it where one is meant. DeviceError where there is none."""
        devices, wanted, default = self._system.devices(), self._wanted.wanted, self._system.default()[0]
        if self._wanted.exclusive:
            devices, default = only_of("WASAPI", devices, self._system.systems(), default)
            if not any(device["max_input_channels"] for device in devices):
                raise DeviceError("no input can be had exclusively: expected one of Windows WASAPI (see `livelink-bridge devices`)")
        if self._pinned:
            again = find_again(*self._pinned, devices, self._system.systems())
            if again is not None:
                return again, None
            if wanted and wanted.isdecimal():  # whatever has this number now, it is another one
                raise DeviceError(f"microphone {self.name!r} is not there")
        try:
            return find_input(wanted, devices, default), None
        except DeviceError:
            server = pulse_device(devices)
            source = find_pulse_input(wanted, pulse_inputs()) if wanted and server is not None else None
            if source is None or server is None:
                raise
            return server, source

    def _options(self, index: int, device: Device, columns: tuple[int, ...]) -> dict[str, Any]:
        shared = {
            "device": index,
            "samplerate": round(device["default_samplerate"]),
            "channels": max(columns) + 1,
            "dtype": "float32",
            "blocksize": _HOST_BLOCKS,
            "latency": _DEVICE_ROOM_S,
        }
        return shared | ({"extra_settings": self._system.exclusive(device["hostapi"])} if self._wanted.exclusive else {})


def _callbacks(capture: Capture) -> dict[str, Any]:
    return {"callback": capture.take, "finished_callback": capture.end}


def _columns(wanted: Input, device: Device) -> tuple[int, ...]:
    """Columns of the device's blocks that are kept. DeviceError for a channel it does not have."""
    has = device["max_input_channels"]
    if wanted.channels and not 1 <= min(wanted.channels) <= max(wanted.channels) <= has:
        said = ", ".join(map(str, wanted.channels))
        raise DeviceError(f"microphone {device['name']!r}: got channel {said}, expected channels from 1 to {has}")
    return tuple(channel - 1 for channel in wanted.channels) or tuple(range(min(_MIXED_CHANNELS, has)))
