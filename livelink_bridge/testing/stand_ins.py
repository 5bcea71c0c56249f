"""Test doubles for clock, source, audio device, model and sink, for this project's tests and those of its users."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from arkit_mapping import MOUTH_32
from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import AudioBlock, Weights
from livelink_bridge.timing.stamp import Stamp
from speech_to_face.base import Coefficients, Samples, Stream


class ManualClock:
    """A clock that a test advances. Waiting moves it to the deadline at once."""

    def __init__(
        self, start_s: float = 0.0, *, time_of_day_s: float = 0.0, overslept_s: Iterator[float] | None = None
    ) -> None:
        """
        Parameters
        ----------
        start_s : the clock's first time, seconds
        time_of_day_s : time of day at `start_s`, seconds since midnight
        overslept_s : seconds by which each wait ends late; None is never
        """
        self._now_s = start_s
        self._midnight_s = start_s - time_of_day_s
        self._overslept_s = overslept_s
        self._callbacks: list[tuple[float, Callable[[ManualClock], object]]] = []

    def at(self, time_s: float, callback: Callable[[ManualClock], object]) -> None:
        """Call `callback` with this clock, set to `time_s`, when a wait reaches that time."""
        self._callbacks = sorted([*self._callbacks, (time_s, callback)], key=lambda entry: entry[0])

    def now(self) -> float:
        """The clock's time, seconds."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move the clock forward; runs no callbacks of `at`."""
        self._now_s += seconds

    def wait_until(self, deadline_s: float, stop: threading.Event) -> bool:
        """Move the clock to `deadline_s`, running the callbacks until then. Returns False if `stop` is set."""
        if stop.is_set():
            return False
        while self._callbacks and self._callbacks[0][0] <= deadline_s:
            time_s, callback = self._callbacks.pop(0)
            self._now_s = max(self._now_s, time_s)
            callback(self)
        if stop.is_set():
            return False
        late_s = next(self._overslept_s, 0.0) if self._overslept_s is not None else 0.0
        self._now_s = max(self._now_s, deadline_s + late_s)
        return True

    def time_of_day(self) -> float:
        """Seconds since midnight."""
        return self._now_s - self._midnight_s


class ListSource:
    """A source that yields a list of blocks, then ends or fails."""

    def __init__(self, blocks: Sequence[AudioBlock], *, live: bool = False, failure: Exception | None = None) -> None:
        """
        Parameters
        ----------
        blocks : what it yields
        live : whether it claims to be a live source
        failure : raised after the last block; None ends normally
        """
        self.name = "list:"
        self.live = live
        self.sample_rate = blocks[0].sample_rate if blocks else 16000
        self.duration_s: float | None = blocks[-1].end / self.sample_rate if blocks else 0.0
        self.overflows = 0
        self.dropped = 0
        self.trouble: str | None = None
        self._blocks = blocks
        self._failure = failure
        self._closed = False

    @classmethod
    def of_samples(cls, samples: Samples, sample_rate: int, block_samples: int) -> ListSource:
        """A source of samples, float32 (n,) or (n, channels), in blocks stamped with the time of their last sample."""
        starts = range(0, len(samples), block_samples)
        cut = [(start, samples[start : start + block_samples]) for start in starts]
        return cls([AudioBlock(part, sample_rate, start, (start + len(part)) / sample_rate) for start, part in cut])

    def blocks(self) -> Iterator[AudioBlock]:
        """The blocks; raises `failure` after the last."""
        for block in self._blocks:
            if self._closed:
                return
            yield block
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End `blocks` before the next block."""
        self._closed = True


class CollectSink:
    """A sink that stores the frames it is sent."""

    def __init__(self, closure: LipRule = "arkit", *, failure: Exception | None = None) -> None:
        """`closure` is its lip rule; `failure` is raised by `send` instead of storing."""
        self.name = "collect:"
        self.closure: LipRule = closure
        self.errors = 0
        self.stamps: list[Stamp] = []
        self.closed = False
        self._weights: list[Weights] = []
        self._failure = failure

    @property
    def sent(self) -> int:
        """Number of frames."""
        return len(self._weights)

    @property
    def weights(self) -> Weights:
        """All frames, float32 (sent, 61)."""
        return np.array(self._weights, np.float32).reshape(-1, 61)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Store a copy of a frame, float32 (61,), and its stamp."""
        if self._failure is not None:
            raise self._failure
        self._weights.append(weights.copy())
        self.stamps.append(stamp)

    def close(self) -> None:
        """Set `closed`."""
        self.closed = True


class LoudnessModel:
    """A model without weights: the mouth opens in proportion to the level. The input of frame k is the audio of frames
    k - 2 to k + 4."""

    name = "loudness"
    device = "cpu"
    sample_rate = 16000
    frame_rate = FRAME_RATE
    lookahead_s = 4 / FRAME_RATE
    channels = MOUTH_32

    def animate(self, samples: Samples) -> Coefficients:
        """The frames of a whole recording, float32 (n,) at 16 kHz to float32 (frames, 32)."""
        stream = self.stream()
        return np.concatenate([stream.push(samples), stream.flush()])

    def stream(self) -> Stream:
        """A new stream; any chunking gives the frames of `animate`."""
        return _LoudnessStream()


_HOPS_BEFORE = 2
_HOPS_AFTER = 4
_JAW_PER_RMS = 5.0


class _LoudnessStream:
    """Frame k is the mean energy of hops k - 2 ... k + 3; hop j is the audio from sample floor(800 j / 3) to the next
    edge."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._received = 0
        self._hops = 0
        self._frames = 0
        self._unfinished = np.zeros(0, np.float32)
        self._energies = np.zeros(_HOPS_BEFORE)

    def push(self, samples: Samples) -> Coefficients:
        sound = np.concatenate([self._unfinished, samples])
        self._received += len(samples)
        hops = (3 * (self._received + 1) - 1) // 800
        edges = np.arange(self._hops, hops + 1) * 800 // 3 - self._hops * 800 // 3
        if hops > self._hops:
            energies = np.add.reduceat(np.square(sound[: edges[-1]], dtype=np.float64), edges[:-1]) / np.diff(edges)
            self._energies = np.concatenate([self._energies, energies])
        self._unfinished = sound[edges[-1] :]
        self._hops = hops
        return self._ready()

    def flush(self) -> Coefficients:
        frames, received = self._frames, self._received
        missing = math.ceil(received * LoudnessModel.frame_rate / LoudnessModel.sample_rate) - frames
        silence = (frames + missing + _HOPS_AFTER) * 800 // 3 - received
        return self.push(np.zeros(max(0, silence), np.float32))[:missing]

    def _ready(self) -> Coefficients:
        span = _HOPS_BEFORE + _HOPS_AFTER
        count = max(0, len(self._energies) - span + 1)
        mean = np.sum([self._energies[hop : hop + count] for hop in range(span)], axis=0) / span
        self._energies = self._energies[count:]
        self._frames += count
        jaw = np.minimum(1.0, _JAW_PER_RMS * np.sqrt(mean))
        faces = np.zeros((count, len(MOUTH_32)), np.float32)
        faces[:, MOUTH_32.index("jawOpen")] = jaw
        faces[:, MOUTH_32.index("mouthFunnel")] = 0.4 * jaw
        faces[:, MOUTH_32.index("mouthClose")] = 0.1 * jaw
        return faces


class FakePortAudio:
    """A fake of the sounddevice module: two inputs, an output, and streams that a test drives by hand.

    Changes of `plugged` show in `devices` only after PortAudio is terminated and initialized again, as with the real
    one.
    """

    class PortAudioError(Exception):
        """Stands for sounddevice.PortAudioError."""

    def __init__(self, *, default_input: int = 0, refuse: str | None = None, busy: str | None = None) -> None:
        """
        Parameters
        ----------
        default_input : index of the default input device
        refuse : error of every opened stream; None opens them
        busy : error of every started stream; None starts them
        """
        self.devices = [
            fake_device(0, "Desk Microphone", inputs=1, outputs=0),
            fake_device(1, "Studio Interface: Line In", inputs=8, outputs=8),
            fake_device(2, "Speakers", inputs=0, outputs=2),
        ]
        self.plugged = list(self.devices)
        self.default = SimpleNamespace(device=(default_input, 2))
        self.streams: list[FakeStream] = []
        self.started = 1
        """Times PortAudio was initialized."""
        self.silent = False
        """Whether the sound server is missing: PortAudio cannot be initialized."""
        self._running = True
        self.refuse = refuse
        self.busy = busy

    def query_devices(self) -> list[dict[str, Any]]:
        """The devices, as sounddevice lists them."""
        return self.devices

    def query_hostapis(self) -> list[dict[str, Any]]:
        """Two host APIs: ALSA and WASAPI."""
        return [{"name": "ALSA"}, {"name": "Windows WASAPI", "default_input_device": 3}]

    def WasapiSettings(self, *, exclusive: bool) -> SimpleNamespace:  # noqa: N802 - sounddevice's name
        """Stands for sounddevice.WasapiSettings."""
        return SimpleNamespace(exclusive=exclusive)

    def _terminate(self) -> None:
        assert self._running, "PortAudio was ended twice"
        self._running = False
        assert all(stream.closed for stream in self.streams), "PortAudio was ended under a stream"

    def _initialize(self) -> None:
        if self.silent:
            raise self.PortAudioError("Host error")
        self._running = True
        self.started += 1
        self.devices = list(self.plugged)

    def InputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        """Open an input stream with sounddevice's options."""
        return self._open(options)

    def OutputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        """Open an output stream with sounddevice's options."""
        return self._open(options)

    def _open(self, options: dict[str, Any]) -> FakeStream:
        if self.refuse:
            raise self.PortAudioError(self.refuse)
        self.streams.append(FakeStream(options, self.PortAudioError(self.busy) if self.busy else None))
        return self.streams[-1]


class FakeStream:
    """An audio stream whose callback the test calls in place of a device."""

    latency = 0.05

    def __init__(self, options: dict[str, Any], failure: Exception | None = None) -> None:
        self.options = options
        self.started = False
        self._failure = failure
        self.closed = False

    def start(self) -> None:
        """Start the stream, or raise its failure."""
        if self._failure is not None:
            raise self._failure
        self.started = True

    def close(self) -> None:
        """Close the stream and call its `finished_callback`."""
        self.closed = True
        if "finished_callback" in self.options:
            self.options["finished_callback"]()

    def record(self, samples: Weights, *, overflow: bool = False) -> None:
        """Pass samples, float32 (n, channels), to an input's callback, then overwrite the buffer as a device would."""
        buffer = samples.copy()
        self.options["callback"](buffer, len(buffer), None, SimpleNamespace(input_overflow=overflow))
        buffer[:] = np.nan

    def play(self, frames: int, channels: int = 2) -> Weights:
        """Call an output's callback for `frames` samples and return what it wrote, float32 (frames, channels)."""
        buffer = np.full((frames, channels), np.nan, np.float32)
        self.options["callback"](buffer, frames, None, SimpleNamespace(output_underflow=False))
        return buffer

    def unplug(self) -> None:
        """End the stream as an unplugged device does."""
        self.options["finished_callback"]()


def fake_device(index: int, name: str, *, inputs: int, outputs: int) -> dict[str, Any]:
    """An entry of sounddevice.query_devices: 48 kHz, host API 0, `inputs` and `outputs` audio channels."""
    return {
        "index": index,
        "name": name,
        "hostapi": 0,
        "max_input_channels": inputs,
        "max_output_channels": outputs,
        "default_samplerate": 48000.0,
    }
