"""A sound input, live, through PortAudio."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.channel import Channel
from livelink_bridge.clock import Clock
from livelink_bridge.errors import DeviceError
from livelink_bridge.frames import AudioBlock

_HOST_BLOCKS = 0
"""Blocks as the sound system makes them. A pose waits for the block that holds its last sample, and blocks of a size of our own
wait for the sound system's: on PulseAudio blocks of 5 ms came up to 10 ms late (p99), the system's own 3 ms."""
_DEVICE_ROOM_S = 0.012
"""What the device's buffer is asked to hold. A callback that Python holds up for longer loses sound; a larger buffer comes in
larger blocks."""
_BACKLOG_MS = 250.0
"""Sound that waits for a stalled model before the oldest is dropped, in blocks of the shortest kind."""
_SHORTEST_BLOCK_MS = 2.0
_MAX_CHANNELS = 2
"""Voices come on one channel or on two; the other inputs of a large interface are somebody else's."""

_CLOCK_TOLERANCE = 300e-6
"""Part by which a device's clock may run slow."""

_NO_INPUT = "this machine has no sound input; plug one in, or start the sound server, and look with `livelink-bridge devices`"

Device = dict[str, Any]


def load_backend() -> Any:
    """The sounddevice module. Raises DeviceError where PortAudio is missing or finds no sound system it can start."""
    try:
        return import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise DeviceError(f"no sound devices: {error}; install PortAudio (Debian and Ubuntu: apt install libportaudio2)") from error
    except Exception as error:  # PortAudio starts on import, and the class of its errors is in the module that was not imported
        if type(error).__name__ != "PortAudioError":
            raise
        raise DeviceError(f"no sound devices: {_one_line(error)}; is the system's sound server running?") from error


def start(stream: Any) -> None:
    """Start a stream that was opened, or close it again."""
    try:
        stream.start()
    except BaseException:
        stream.close()
        raise


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


class MicrophoneSource:
    """An input of this machine, at its own rate, running from the moment it is made."""

    live = True
    duration_s = None

    def __init__(self, wanted: str | None, *, clock: Clock, backend: Any = None) -> None:
        backend = backend or load_backend()
        try:
            devices = list(backend.query_devices())
            index = find_input(wanted, devices, backend.default.device[0])
            device = devices[index]
            self.name: str = device["name"]
            self.sample_rate = round(device["default_samplerate"])
            self._capture = _Capture(self.sample_rate, clock)
            self._stream = backend.InputStream(
                device=index,
                samplerate=self.sample_rate,
                channels=min(_MAX_CHANNELS, device["max_input_channels"]),
                dtype="float32",
                blocksize=_HOST_BLOCKS,
                latency=_DEVICE_ROOM_S,
                callback=self._capture.take,
                finished_callback=self._capture.end,
            )
            start(self._stream)
        except backend.PortAudioError as error:
            raise DeviceError(f"microphone {wanted or 'default'!r} cannot be opened: {_one_line(error)}") from error
        self._closing = False

    @property
    def overflows(self) -> int:
        return self._capture.overflows

    @property
    def dropped(self) -> int:
        return self._capture.channel.dropped

    @property
    def latency_s(self) -> float:
        """What PortAudio says the device's own buffer holds, seconds."""
        return float(self._stream.latency)

    def blocks(self) -> Iterator[AudioBlock]:
        yield from self._capture.channel
        if not self._closing:
            raise DeviceError(f"microphone {self.name!r} stopped; was it unplugged?")

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._stream.close()
            self._capture.end()


class _Capture:
    """PortAudio's side: its thread calls `take`, which copies and returns."""

    def __init__(self, sample_rate: int, clock: Clock) -> None:
        self.channel: Channel[AudioBlock] = Channel.of_ms(_BACKLOG_MS, _SHORTEST_BLOCK_MS, "newest")
        self.overflows = 0
        self._sample_rate = sample_rate
        self._clock = clock
        self._next = 0
        self._zero_s = math.inf
        """Earliest clock time that sample 0 can have had, seen from the blocks so far."""

    def take(self, indata: NDArray[np.float32], frames: int, _times: object, status: Any) -> None:
        now_s = self._clock.now()
        if status.input_overflow:
            self.overflows += 1
            self._skip_lost(frames, now_s)
        else:
            # Devices' clocks are off by up to some 100 ppm, so the bound may rise by as much.
            drift_s = _CLOCK_TOLERANCE * frames / self._sample_rate
            self._zero_s = min(self._zero_s + drift_s, now_s - (self._next + frames) / self._sample_rate)
        self.channel.put(AudioBlock(indata.copy(), self._sample_rate, self._next, now_s))
        self._next += frames

    def _skip_lost(self, frames: int, now_s: float) -> None:
        """PortAudio does not say how much was lost, the clock does. At least a block, so that nobody splices over the gap."""
        due = 0 if math.isinf(self._zero_s) else round((now_s - self._zero_s) * self._sample_rate)
        self._next += max(frames, due - (self._next + frames))

    def end(self) -> None:
        self.channel.close()


def _one_line(error: Exception) -> str:
    return " ".join(str(part) for part in error.args[:1]) or type(error).__name__
