"""Plays a recording on the loudspeakers, and is the clock of which moment is played now."""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.core.channel import Channel, Closed
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.core.workers import Runner, wait_for
from livelink_bridge.devices.portaudio import SoundSystem, sound_system
from livelink_bridge.errors import DeviceError
from livelink_bridge.reporting.metrics import level_dbfs
from livelink_bridge.session.model_thread import stop_at_error
from livelink_bridge.sources.base import Source
from livelink_bridge.timing.arrival_clock import FixedTiming, Timing, WindowedMinMax

_AHEAD_MS = 1000.0
"""Audio read ahead, so that a slow disk causes no underrun."""

SPEAKER_BLOCK_S = 0.1
_FIRST_SOUND_S = 3.0
"""How long a file waits for its first audio: sound servers wake their devices slowly."""
_START_S = 0.05
"""Until the first tick of a recording that is not played: time for the sender's thread to start."""


_log = logging.getLogger(__name__)

Sound = NDArray[np.float32]


class Speaker:
    """The system's output playing one source. It is a `Timing`: frame k is due when second k / 60 is played.

    It runs, silent, from the moment it is made; the sound begins when `feed` does.

    Heard means written to the device plus the latency the device reports. PortAudio asks for sound late, never early,
    so the earliest requests of the last seconds give the true clock.
    """

    def __init__(self, source: Source, *, block_s: float, clock: Clock, system: SoundSystem | None = None) -> None:
        self._system = system = system or sound_system()
        self.underruns = 0
        """Times the buffer ran empty because the file was not read fast enough."""
        self.zero_s: float | None = None
        self._source = source
        self._clock = clock
        self._rate = source.sample_rate
        self._sound: Channel[Sound] = Channel.of_ms(_AHEAD_MS, 1000 * block_s, "wait")
        self._rest: Sound = np.zeros((0, 1), np.float32)
        self._played = 0
        self._written = self._rest
        """The last samples that the device took."""
        self._starts = WindowedMinMax("lowest", 0.5, 8)
        self._latency_s = 0.0  # no audio is written before `feed`, and by then it is known
        try:
            self._stream = system.open(
                "OutputStream", samplerate=self._rate, dtype="float32", latency="high", callback=self._fill
            )
            self._latency_s = float(self._stream.latency)
        except (system.error, ValueError) as error:
            raise DeviceError(f"no audio output: {error.args[0] if error.args else error}") from error

    @property
    def level_dbfs(self) -> float | None:
        """RMS of what was written to the device last; None before the first audio."""
        return level_dbfs(self._written) if len(self._written) else None

    def heard_s(self, index: int) -> float | None:
        """When the audio of frame `index` is played, clock seconds; None before the first audio."""
        return None if self.zero_s is None else self.zero_s + index / FRAME_RATE

    def feed(self) -> None:
        """A thread's body: read the source to its end, as fast as it is played.

        Where the source is damaged the sound ends; the model's thread reads the same file and reports it.
        """
        for block in stop_at_error(self._source.blocks(), []):
            if not self._sound.put(block.samples.reshape(len(block.samples), -1)):
                return
        self._sound.close()

    def close(self) -> None:
        """Stop playing at once. Harmless twice."""
        self._source.close()
        self._sound.close()
        self._system.close(self._stream)

    def _fill(self, out: Sound, frames: int, _times: object, status: Any) -> None:
        if status.output_underflow:  # what is requested now is played later than expected
            self._starts.clear()
        start_s = self._clock.now() + self._latency_s - self._played / self._rate
        written = self._write_all(out)
        if written == frames:
            self._starts.add(start_s, start_s)
            self.zero_s = self._starts.extreme()
        else:
            # The audio will be played later than expected: the face waits with it.
            self.underruns += self._played > 0
            self._starts.clear()
        self._played += written
        self._written = out[:written].copy() if self._played else self._written

    def _write_all(self, out: Sound) -> int:
        """Fill `out`, float32 (n, channels); returns how many samples are the file's, or the silence after its end."""
        written = 0
        try:
            while written < len(out):
                written += self._write(out[written:])
        except Closed:
            out[written:] = 0
            return len(out)
        except TimeoutError:
            out[written:] = 0
        return written

    def _write(self, out: Sound) -> int:
        """Write what is buffered into `out`, as far as it goes; returns the number of samples per channel."""
        if not len(self._rest):
            self._rest = self._sound.get(timeout_s=0)
        count = min(len(out), len(self._rest))
        out[:count] = _fitted(self._rest[:count], out.shape[1])
        self._rest = self._rest[count:]
        return count


def _fitted(sound: Sound, channels: int) -> Sound:
    """float32 (n, any) for a device of `channels`: as it is, repeated from mono, or averaged."""
    if sound.shape[1] in (1, channels):
        return sound
    mixed: Sound = sound.mean(axis=1, keepdims=True, dtype=np.float32)
    return mixed


def open_speaker(source: Source, clock: Clock) -> Speaker | None:
    """The system's output playing `source`; None, with a warning, where there is no output. The source is closed with
    it."""
    try:
        return Speaker(source, block_s=SPEAKER_BLOCK_S, clock=clock)
    except DeviceError as error:
        source.close()
        _log.warning("%s; going on without sound", error)
        return None


def playback_timing(
    frames: Channel[FaceFrame], speaker: Speaker | None, runner: Runner, clock: Clock, stop: threading.Event
) -> Timing:
    """Wait for the first frame and the first audio; then what the frames are due by.

    Parameters
    ----------
    frames : being filled by another thread of `runner`
    speaker : starts to play here; None, or one that does not begin to play within 3 s, leaves the clock to pace the
        frames
    stop : ends the wait
    """
    wait_for(lambda: len(frames) > 0 or frames.closed or runner.stop.is_set(), clock, stop)
    if speaker is not None and _plays(speaker, runner, clock, stop):
        return speaker
    return FixedTiming(clock.now() + _START_S)


def _plays(speaker: Speaker, runner: Runner, clock: Clock, stop: threading.Event) -> bool:
    """Whether it begins to play, or there is no need to know. One that does not is closed."""
    runner.start("sound", speaker.feed, cancel=speaker.close)
    wait_for(lambda: speaker.zero_s is not None or runner.stop.is_set(), clock, stop, _FIRST_SOUND_S)
    if speaker.zero_s is not None or runner.stop.is_set() or stop.is_set():
        return True
    speaker.close()
    _log.warning("no audio output: it was opened but does not begin to play; going on without sound")
    return False
