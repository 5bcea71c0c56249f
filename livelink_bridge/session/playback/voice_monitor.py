"""Monitor output: the microphone's voice on an output device, delayed like the face, so that both stay in sync."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.audio.delay_line import DelayLine, Follower
from livelink_bridge.audio.downmix import Mixer
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.devices.portaudio import SoundSystem, one_line, sound_system
from livelink_bridge.devices.selection import find_output
from livelink_bridge.errors import DeviceError
from livelink_bridge.timing.arrival_clock import WindowedMinMax
from livelink_bridge.timing.shown import Shown

_KEPT_S = 4.0
"""Seconds of the voice that are kept: more than any delay between audio and its frame."""
_RETRY_S = 1.0
_SILENT_S = 0.1
"""Without audio for so long the microphone is gone, and nothing is played."""
_MARGIN_S = 0.02
"""Margin between the newest audio and what is read: blocks arrive unevenly."""
_MAX_LATE_S = 0.5
_WORTH_SAYING_S = 0.005
"""An output that is late by less counts as in sync."""

_log = logging.getLogger(__name__)


class VoiceMonitor:
    """An output that plays what `heard` receives, each moment when its frame is shown.

    The clocks of input, output and machine all differ a little; resampling takes up their drift. An output that is lost
    is looked for once a second by `tend`, which the main thread calls.
    """

    def __init__(
        self,
        spec: str | None,
        *,
        clock: Clock,
        shown: Shown,
        later_s: float = 0.0,
        slack_s: float = 0.0,
        system: SoundSystem | None = None,
    ) -> None:
        """
        Parameters
        ----------
        spec : an index, a part of a name, or None for the system's output
        shown : which moment of the voice the sender shows; silence until it shows one
        later_s : how much later than its frame the voice is played, seconds; negative is earlier
        slack_s : how late the output may be before it is reported, seconds: the face was held back by as much
        system : PortAudio; None is this process's own

        Raises DeviceError where the output cannot be opened.
        """
        self.follower = Follower()
        self.late_s = 0.0
        """How much later than its frame the voice is played because the output is slower than the face, seconds."""
        self.trouble: str | None = None
        self._spec, self._clock, self._shown = spec, clock, shown
        self._later_s, self._slack_s = later_s, slack_s
        self._heard_at_s = -math.inf
        self._spare = WindowedMinMax("lowest", 1.0, 10)
        self._system = system or sound_system()
        self._mixer = Mixer()
        self._lost = threading.Event()
        """Audio was lost: a flag for the callback, which alone writes `late_s`."""
        self._line: DelayLine | None = None
        self._from_hz = 0
        self._gone = threading.Event()
        self._retry_s = self._said_late_s = 0.0
        self._open()

    def heard(self, block: AudioBlock) -> None:
        """Take the next block of the source."""
        if self._line is None or block.sample_rate != self._from_hz:
            self._from_hz = block.sample_rate
            self._line = DelayLine(round(_KEPT_S * block.sample_rate))
        if block.start > self._line.end > 0:  # audio was lost, which does not mean that the output is late
            self._lost.set()
        self._heard_at_s = self._clock.now()
        self._line.write(block.start, self._mixer.push(block.samples, block.sample_rate))

    def tee(self, blocks: Iterator[AudioBlock]) -> Iterator[AudioBlock]:
        """The same blocks, each passed to `heard`."""
        for block in blocks:
            self.heard(block)
            yield block

    def tend(self) -> None:
        """Reopen a lost output, once a second. Warn once when an output is too slow to stay in sync."""
        if self.late_s > max(self._said_late_s, self._slack_s) + _WORTH_SAYING_S:
            self._said_late_s = self.late_s
            _log.warning(
                "sound output %r needs %.0f ms more than the face takes, so the voice comes after it; --face-delay "
                "%.0f brings "
                "them together",
                self.name,
                1000 * self.late_s,
                1000 * self.late_s,
            )
        if not self._gone.is_set() or self._clock.now() < self._retry_s:
            return
        self._retry_s = self._clock.now() + _RETRY_S
        self._system.close(self._stream)
        self._system.renew()
        try:
            self._open()
        except DeviceError as error:
            self._gone.set()
            self.trouble = str(error)

    def close(self) -> None:
        """Stop playing. Harmless twice."""
        self._system.close(self._stream)

    def _open(self) -> None:
        try:
            device = self._system.devices()[find_output(self._spec, self._system.devices(), self._system.default()[1])]
            self.name = str(device["name"])
            self._to_hz = round(device["default_samplerate"])
            self._asked, self._starts = 0, WindowedMinMax("lowest", 0.5, 8)
            self._latency_s: float | None = None
            self._gone.clear()
            self._stream = self._system.open(
                "OutputStream",
                device=device["index"],
                samplerate=self._to_hz,
                dtype="float32",
                latency="low",
                callback=self._fill,
                finished_callback=self._gone.set,
            )
            self._latency_s = float(self._stream.latency)
        except self._system.error as error:
            raise DeviceError(
                f"sound output {self._spec or 'default'!r} cannot be opened: {one_line(error)}"
            ) from error
        self.trouble = None

    def _fill(self, out: NDArray[np.float32], frames: int, _times: object, status: Any) -> None:
        if status.output_underflow:  # what is requested now is played later than expected
            self._starts.clear()
        if self._lost.is_set():
            self._lost.clear()
            self.late_s = 0.0
        # PortAudio's requests come late, never early: the earliest of the last seconds tell when sample 0 was played.
        now_s = self._clock.now()
        zero_s, line, latency_s = self._shown.zero_s, self._line, self._latency_s
        if latency_s is not None:
            self._starts.add(now_s, now_s + latency_s - self._asked / self._to_hz)
        self._asked += frames
        if zero_s is None or line is None or latency_s is None or now_s - self._heard_at_s > _SILENT_S:
            self.follower.lost()
            out[:] = 0
            return
        heard_s = self._starts.extreme() + (self._asked - frames) / self._to_hz
        target = (heard_s - zero_s - self._later_s - self.late_s) * self._from_hz
        missing_s = (target - line.end) / self._from_hz + frames / self._to_hz + _MARGIN_S
        target -= self._wait_longer(missing_s, now_s) * self._from_hz
        position, step = self.follower.advance(target, frames, self._from_hz, self._to_hz)
        out[:] = line.read(position, step, frames)[:, None]

    def _wait_longer(self, missing_s: float, now_s: float) -> float:
        """How much to increase the delay, seconds, because audio that was not spoken yet cannot be played; negative
        where less than the current delay was needed for ten seconds."""
        self._spare.add(now_s, -missing_s)
        if missing_s > 0:
            longer_s = min(missing_s, _MAX_LATE_S - self.late_s)
        elif self._spare.full and self._spare.extreme() > _WORTH_SAYING_S:
            longer_s = -min(self.late_s, self._spare.extreme() - _WORTH_SAYING_S)
        else:
            return 0.0
        self._spare.clear()
        self.late_s += longer_s
        return longer_s
