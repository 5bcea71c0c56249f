"""Microphone source: live audio input through PortAudio, reopened when the device returns after a loss."""

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
"""PortAudio's `blocksize`: 0 lets the host API choose. A frame waits for the block with its last sample, and blocks of
a fixed size wait for the host's own: on PulseAudio blocks of 5 ms arrived up to 10 ms late (p99), the host's own 3
ms."""
_DEVICE_LATENCY_S = 0.012
"""Requested size of the device's buffer. If Python delays the callback longer than this, audio is lost; a larger buffer
is delivered in larger blocks."""
_MIXED_CHANNELS = 2
"""A voice is on one or two audio channels; the other inputs of a large interface belong to others."""
_RETRY_S = 0.5
"""Interval between two attempts to reopen a lost device."""
_WAKE_S = 4.0
"""Longest wait for the first block of an opened device: sound servers wake their devices slowly, 2 s for a new one."""
_STALL_S = 1.0
"""A running device that delivers no block for this long is lost."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Input:
    """The microphone to open, and its audio channels."""

    device: str | None = None
    """An index, part of a name, or None for the system's default."""
    channels: tuple[int, ...] = ()
    """Audio channels to mix, counted from 1; empty: the first two."""
    exclusive: bool = False
    """Open in exclusive mode (WASAPI on Windows): no other program may use the device meanwhile."""

    @property
    def label(self) -> str:
        """The device in quotes, for messages."""
        return repr(self.device or "default")


class MicrophoneSource:
    """A live input of this machine at its own sample rate; recording starts in the constructor.

    A device that ends, stalls or is taken by another program sets `trouble` and leaves a gap in the audio. The source
    looks for it twice a second, by its name, and continues at the sample index that the clock gives. If the first
    opening fails, the constructor raises DeviceError instead.
    """

    live = True
    duration_s = None

    def __init__(
        self, spec: Input, *, clock: Clock, system: SoundSystem | None = None, stall_s: float = _STALL_S
    ) -> None:
        """
        Parameters
        ----------
        spec : device and channels
        clock : for arrival times and gaps
        system : PortAudio; injected for tests
        stall_s : seconds without a block after which the device counts as lost

        Raises
        ------
        DeviceError : the device cannot be opened
        """
        self.trouble: str | None = None
        """Why no audio arrives, one line; None while it does."""
        self.reopened = 0
        """Times the device was lost and opened again."""
        self._spec, self._clock, self._stall_s = spec, clock, stall_s
        self._system = system or sound_system()
        self._closing = threading.Event()
        self._watch: PulseWatch | DefaultWatch | None = None
        self._end_reason: str | None = None
        self._pinned: tuple[str, str] | None = None
        """Plain name, and host API, of a device that was selected by name or number."""
        self._lost_overflows = self._lost_blocks = 0
        self._last_warning: str | None = None
        self._open()

    @property
    def overflows(self) -> int:
        """Input overflows reported by PortAudio, over all reopened streams."""
        return self._lost_overflows + self._capture.overflows

    @property
    def dropped(self) -> int:
        """Blocks dropped because they were not read in time, over all reopened streams."""
        return self._lost_blocks + self._capture.channel.dropped

    @property
    def latency_s(self) -> float:
        """Latency of the device's own buffer as PortAudio reports it, seconds."""
        return float(self._stream.latency)

    def blocks(self) -> Iterator[AudioBlock]:
        """See `Source.blocks`. float32 (n, channels)."""
        while True:
            yield from self._until_lost()
            if self._closing.is_set():
                return
            if not self.trouble:
                self.trouble = self._end_reason or f"microphone {self.name!r} stopped; was it unplugged?"
                _log.warning(
                    "%s%s the face stays neutral until audio arrives again",
                    self.trouble,
                    "" if self.trouble.endswith("?") else ";",
                )
                self._end_reason = None
            if not self._reopen():
                return

    def close(self) -> None:
        """Stop recording and end `blocks`. Harmless twice."""
        if not self._closing.is_set():
            self._closing.set()
            self._release()
            self._capture.end()

    def _until_lost(self) -> Iterator[AudioBlock]:
        timeout_s = max(_WAKE_S, self._stall_s)
        while True:
            try:
                block = self._capture.channel.get(timeout_s)
            except (Closed, TimeoutError):
                return
            if self.trouble:
                _log.warning("microphone %r is back", self.name)
                self.trouble = None
            timeout_s = self._stall_s
            yield block

    def _reopen(self) -> bool:
        """Retry until the device can be opened. False when this source is closed first."""
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
            if self._closing.is_set():  # closed during the opening: `close` released the old stream only
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
        columns = _columns(self._spec, device)
        prepare(device.rate_hz)
        capture = Capture(device.rate_hz, self._clock, columns, since_s)
        self._stream = self._started(device, columns, capture)
        self._capture = capture
        self.name, self.sample_rate = device.name, device.rate_hz
        if device.pulse and device.named:  # from now on exactly this one, whatever number it gets later
            self._spec = replace(self._spec, device=device.pulse.name)
        elif self._spec.device is not None and not device.pulse:
            self._pinned = plain_name(self.name), str(self._system.systems()[device.hostapi]["name"])
        self._watch = self._start_watch(device, capture)

    def _started(self, device: InputDevice, columns: tuple[int, ...], capture: Capture) -> Any:
        """The running stream. Raises DeviceError."""
        if device.pulse and device.direct:
            return PulseRecording(device.pulse, capture, follow=not device.named)
        count, fewer = device.opened_with(columns), max(columns) + 1
        try:
            stream = self._stream_of(device, count, capture)
        except self._system.error as error:
            if fewer >= count:
                raise self._refused(error) from error
        else:
            self._warn_of_unknown_channels(device)
            return stream
        try:  # some drivers have fewer channels than they report
            stream = self._stream_of(device, fewer, capture)
        except self._system.error as error:
            raise self._refused(error) from error
        if self._spec.channels:
            self._warn_once(
                f"microphone {device.name!r} cannot be opened with all its {count} channels: the channels used may "
                "contain other voices"
            )
        return stream

    def _stream_of(self, device: InputDevice, channels: int, capture: Capture) -> Any:
        options = {
            "device": device.index,
            "samplerate": device.rate_hz,
            "channels": channels,
            "dtype": "float32",
            "blocksize": _HOST_BLOCKS,
            "latency": _DEVICE_LATENCY_S,
            "callback": capture.take,
            "finished_callback": capture.end,
        }
        if self._spec.exclusive:
            options["extra_settings"] = self._system.exclusive(device.hostapi)
        with device.pulse.chosen() if device.pulse and device.named else nullcontext():
            return self._system.open("InputStream", **options)

    def _refused(self, error: Exception) -> DeviceError:
        return DeviceError(f"microphone {self._spec.label} cannot be opened: {one_line(error)}")

    def _warn_of_unknown_channels(self, device: InputDevice) -> None:
        """Warn when single channels were requested of a device that may mix them."""
        if not self._spec.channels or device.channels is not None:
            return
        others = cards(self._system.devices(), self._system.systems())
        hint = (
            "install pulseaudio-utils, which this program needs to ask the sound server"
            if device.name in SERVER_DEVICES
            else "none is listed"
        )
        self._warn_once(
            f"microphone {device.name!r} does not report how many channels it has and may mix them, so that a face "
            "follows other voices too; "
            f"inputs with separate channels: {', '.join(others) or hint}"
        )

    def _warn_once(self, line: str) -> None:
        if line != self._last_warning:
            _log.warning("%s", line)
        self._last_warning = line

    def _start_watch(self, device: InputDevice, capture: Capture) -> PulseWatch | DefaultWatch | None:
        """Watch for a removed device or a changed default, where the stream itself does not end."""
        try:
            if device.pulse and device.named:
                return PulseWatch(removed(device.pulse), capture.end)
            if device.pulse:
                return PulseWatch(default_differs(device.pulse), lambda: self._default_changed(capture))
            return (
                DefaultWatch(lambda: self._default_changed(capture)) if self._spec.device is None and needed() else None
            )
        except OSError as error:
            _log.warning(
                "%s is not watched (%s): a change of device by the system will not be noticed", self.name, error
            )
            return None

    def _default_changed(self, capture: Capture) -> None:
        self._end_reason = "the system's default input has changed"
        capture.end()

    def _found(self) -> InputDevice:
        """The device in its current state. Raises DeviceError when there is none."""
        spec = self._spec.device
        if self._pinned:
            devices, systems = self._system.devices(), self._system.systems()
            again = find_again(*self._pinned, devices, systems)
            if again is not None:
                return described(again, devices, systems)
            if spec and spec.isdecimal():  # the device that has this number now is another one
                raise DeviceError(f"microphone {self.name!r} is not there")
        return find_device(spec, self._system, exclusive=self._spec.exclusive)


def _columns(spec: Input, device: InputDevice) -> tuple[int, ...]:
    """Columns of the device's blocks to use, counted from 0. Raises DeviceError for a channel it does not have."""
    available = device.channels or device.takes
    if spec.channels and not 1 <= min(spec.channels) <= max(spec.channels) <= available:
        requested = ", ".join(map(str, spec.channels))
        raise DeviceError(
            f"microphone {device.name!r}: got channel {requested}, expected channels from 1 to {available}"
        )
    return tuple(channel - 1 for channel in spec.channels) or tuple(range(min(_MIXED_CHANNELS, available)))
