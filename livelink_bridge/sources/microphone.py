"""A sound input, live, through PortAudio. When it goes away it is looked for until it is back."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from livelink_bridge.audio.resample import prepare
from livelink_bridge.core.channel import Closed
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.devices.capture import Capture
from livelink_bridge.devices.default_watch import DefaultWatch, needed
from livelink_bridge.devices.input_device import InputDevice, cards, described, find_device
from livelink_bridge.devices.portaudio import SoundSystem, one_line, sound_system
from livelink_bridge.devices.pulse import SERVER_DEVICES, PulseWatch, default_differs, removed
from livelink_bridge.devices.pulse_capture import PulseRecording
from livelink_bridge.devices.selection import find_again, plain_name
from livelink_bridge.errors import DeviceError

_HOST_BLOCKS = 0
"""Blocks as the sound system makes them. A pose waits for the block that holds its last sample, and blocks of a size of
our own wait for the sound system's: on PulseAudio blocks of 5 ms came up to 10 ms late (p99), the system's own 3 ms."""
_DEVICE_ROOM_S = 0.012
"""What the device's buffer is asked to hold. A callback that Python holds up for longer loses sound; a larger buffer
comes in larger blocks."""
_MIXED_CHANNELS = 2
"""Voices come on one channel or on two; the other inputs of a large interface are somebody else's."""
_RETRY_S = 0.5
_WAKE_S = 4.0
"""How long an opened device may take to hand over its first block: sound servers wake their devices slowly, 2 s for a
new one."""
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

    A device that ends, stalls or is taken by another program leaves `trouble` and a gap in the sound; it is looked for
    twice a second, by the name it had, and the sound then goes on where the clock says. The first opening raises
    DeviceError instead.
    """

    live = True
    duration_s = None

    def __init__(
        self, wanted: Input, *, clock: Clock, system: SoundSystem | None = None, stall_s: float = _STALL_S
    ) -> None:
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
        self._said: str | None = None
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
                _log.warning(
                    "%s%s the face rests until there is sound again",
                    self.trouble,
                    "" if self.trouble.endswith("?") else ";",
                )
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
        if isinstance(self._stream, PulseRecording):
            self._stream.close()
        else:
            self._system.close(self._stream)
        watch, self._watch = self._watch, None
        if watch:
            watch.close()

    def _open(self, since_s: float | None = None) -> None:
        device = self._found()
        columns = _columns(self._wanted, device)
        prepare(device.rate_hz)
        capture = Capture(device.rate_hz, self._clock, columns, since_s)
        self._stream = self._started(device, columns, capture)
        self._capture = capture
        self.name, self.sample_rate = device.name, device.rate_hz
        if device.pulse and device.named:  # from now on this very one, under whatever number it comes back
            self._wanted = replace(self._wanted, wanted=device.pulse.name)
        elif self._wanted.wanted is not None and not device.pulse:
            self._pinned = plain_name(self.name), str(self._system.systems()[device.hostapi]["name"])
        self._watch = self._watching(device, capture)

    def _started(self, device: InputDevice, columns: tuple[int, ...], capture: Capture) -> Any:
        """The stream, running. Raises DeviceError."""
        if device.pulse and device.direct:
            return PulseRecording(device.pulse, capture, follow=not device.named)
        count, fewer = device.opened_with(columns), max(columns) + 1
        try:
            stream = self._stream_of(device, count, capture)
        except self._system.error as error:
            if fewer >= count:
                raise self._refused(error) from error
        else:
            self._doubt(device)
            return stream
        try:  # some drivers have fewer channels than they say
            stream = self._stream_of(device, fewer, capture)
        except self._system.error as error:
            raise self._refused(error) from error
        if self._wanted.channels:
            self._say_once(
                f"microphone {device.name!r} cannot be opened with all its {count} channels: those that are used may "
                "hold others' sound"
            )
        return stream

    def _stream_of(self, device: InputDevice, channels: int, capture: Capture) -> Any:
        options = {
            "device": device.index,
            "samplerate": device.rate_hz,
            "channels": channels,
            "dtype": "float32",
            "blocksize": _HOST_BLOCKS,
            "latency": _DEVICE_ROOM_S,
            "callback": capture.take,
            "finished_callback": capture.end,
        }
        if self._wanted.exclusive:
            options["extra_settings"] = self._system.exclusive(device.hostapi)
        with device.pulse.chosen() if device.pulse and device.named else nullcontext():
            return self._system.open("InputStream", **options)

    def _refused(self, error: Exception) -> DeviceError:
        return DeviceError(f"microphone {self._wanted.said} cannot be opened: {one_line(error)}")

    def _doubt(self, device: InputDevice) -> None:
        """Say where single channels were asked for and it is not known whether they will be single."""
        if not self._wanted.channels or device.channels is not None:
            return
        others = cards(self._system.devices(), self._system.systems())
        help_ = (
            "install pulseaudio-utils, through which the sound server is asked"
            if device.name in SERVER_DEVICES
            else "none is listed"
        )
        self._say_once(
            f"microphone {device.name!r} does not say how many channels it has and may mix them, so that a face hears "
            "others' voices; "
            f"inputs with channels of their own: {', '.join(others) or help_}"
        )

    def _say_once(self, line: str) -> None:
        if line != self._said:
            _log.warning("%s", line)
        self._said = line

    def _watching(self, device: InputDevice, capture: Capture) -> PulseWatch | DefaultWatch | None:
        """What notices that this is not the device to listen to any more, where the device itself does not end."""
        try:
            if device.pulse and device.named:
                return PulseWatch(removed(device.pulse), capture.end)
            if device.pulse:
                return PulseWatch(default_differs(device.pulse), lambda: self._another_default(capture))
            return (
                DefaultWatch(lambda: self._another_default(capture))
                if self._wanted.wanted is None and needed()
                else None
            )
        except OSError as error:
            _log.warning(
                "%s is not watched (%s): that the system moves it to another device will not be seen", self.name, error
            )
            return None

    def _another_default(self, capture: Capture) -> None:
        self._why = "the system's default input is another one now"
        capture.end()

    def _found(self) -> InputDevice:
        """The device as it is now. DeviceError where there is none."""
        wanted = self._wanted.wanted
        if self._pinned:
            devices, systems = self._system.devices(), self._system.systems()
            again = find_again(*self._pinned, devices, systems)
            if again is not None:
                return described(again, devices, systems)
            if wanted and wanted.isdecimal():  # whatever has this number now, it is another one
                raise DeviceError(f"microphone {self.name!r} is not there")
        return find_device(wanted, self._system, exclusive=self._wanted.exclusive)


def _columns(wanted: Input, device: InputDevice) -> tuple[int, ...]:
    """Columns of the device's blocks that are kept. DeviceError for a channel it does not have."""
    has = device.channels or device.takes
    if wanted.channels and not 1 <= min(wanted.channels) <= max(wanted.channels) <= has:
        said = ", ".join(map(str, wanted.channels))
        raise DeviceError(f"microphone {device.name!r}: got channel {said}, expected channels from 1 to {has}")
    return tuple(channel - 1 for channel in wanted.channels) or tuple(range(min(_MIXED_CHANNELS, has)))
