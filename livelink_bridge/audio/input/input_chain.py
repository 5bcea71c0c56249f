"""The input chain between a microphone and the network: gain, resampling, AGC, VAD and noise gate.

    audio -> gain -> 16 kHz -> AGC -> network
                        └─> levels, VAD -> gate -> fade -> gate weights of frames

The gate gets the audio before the AGC, so neither follows the other.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.audio.agc import AGC
from livelink_bridge.audio.input.frame_levels import FrameLevels
from livelink_bridge.audio.input.mono_frames import MonoFrames
from livelink_bridge.audio.input.voice_block import NONE, PerFrame, VoiceBlock
from livelink_bridge.audio.level_meter import LevelMeter
from livelink_bridge.audio.noise_gate import LEVEL_ONLY, Fade, Levels, NoiseGate, Thresholds
from livelink_bridge.audio.resample import Resampler
from livelink_bridge.audio.vad import Detector
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.core.limits import GAIN
from livelink_bridge.errors import UsageError
from speech_to_face.base import Samples
from speech_to_face.streaming.features import SAMPLE_RATE, step_end


class _Measuring:
    """The input of the next seconds, for a caller that asked for it."""

    def __init__(self, seconds: float, done: Callable[[Samples, int], None]) -> None:
        self._seconds, self._done = seconds, done
        self._parts: list[Samples] = []

    def complete(self, samples: Samples, rate: int) -> bool:
        """Take more samples. True when these were the last."""
        self._parts.append(samples.copy())
        return sum(map(len, self._parts)) >= self._seconds * rate

    def answer(self, rate: int) -> None:
        self._done(np.concatenate(self._parts)[: round(self._seconds * rate)], rate)


class InputChain:
    """One voice's input chain: blocks of any rate and channels in, `VoiceBlock`s at 16 kHz out."""

    def __init__(
        self,
        detector: Detector | None,
        *,
        thresholds: Thresholds | None = None,
        hold_s: float = 0.25,
        gain_db: float = 0.0,
        level: AGC | None = None,
        lookahead_steps: int = 3,
        gated: bool = True,
    ) -> None:
        """
        Parameters
        ----------
        detector : the VAD; None opens by level alone
        thresholds : levels before `gain_db`, as calibrated; None takes the usual ones
        hold_s : hangover after the last step that was surely speech, 0 to 5 s
        gain_db : fixed gain, -40 to 40 dB
        level : the AGC; None leaves the level as it is
        lookahead_steps : steps after its own that a frame of the network waits for; 3 for the default model
        gated : False bypasses the gate; it still feeds the AGC

        Raises
        ------
        UsageError for a hangover or a gain out of range.
        """
        self._detector, self._level = detector, level
        self._usual, self._calibrated = Thresholds() if detector else LEVEL_ONLY, thresholds
        self._gate = NoiseGate(self._usual, hold_s)
        self._measuring: _Measuring | None = None
        self._asking = threading.Lock()
        self.set_gain(gain_db)
        self._fade, self.gated = Fade(lookahead_steps), gated
        self._mono, self._levels = MonoFrames(), FrameLevels(SAMPLE_RATE)
        self._resampler = Resampler(SAMPLE_RATE, SAMPLE_RATE)
        self.meter = LevelMeter()
        """Of the input, before any gain."""
        self.reset()

    @property
    def gain_db(self) -> float:
        """What the AGC adds now, dB."""
        return self._level.gain_db if self._level else 0.0

    @property
    def gate(self) -> float:
        """Gate gain, 0 closed to 1 open: what the newest frame is multiplied by."""
        return self._fade.weight if self.gated else 1.0

    @property
    def lookahead_s(self) -> float:
        """Delay of the output against the input, seconds."""
        return self._resampler.lookahead_s

    def set_gain(self, gain_db: float) -> None:
        """Another fixed gain, -40 to 40 dB; the gate's calibrated levels move along. From any thread. Raises UsageError
        out of range."""
        if gain_db not in GAIN:
            raise UsageError(f"got a gain of {gain_db:g} dB, expected {GAIN}")
        self._fixed_db, self._gain = gain_db, np.float32(10 ** (gain_db / 20))
        self._gate.set_thresholds(self._calibrated.shifted(gain_db) if self._calibrated else self._usual)

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Open and close at these levels before the gain, from now on. From any thread."""
        self._calibrated = thresholds
        self.set_gain(self._fixed_db)

    def measure(self, seconds: float, done: Callable[[Samples, int], None]) -> None:
        """Call `done` with the next `seconds` of input, float32 (n,), and its rate in Hz. `done` runs on the model's
        thread and must not wait. From any thread."""
        with self._asking:
            self._measuring = _Measuring(seconds, done)

    def reset(self) -> None:
        """Forget everything: the next sample is the first of frame 0, and the gate is closed."""
        self._mono.reset()
        self._gate.reset()
        self._fade.reset()
        self.meter.reset()
        if self._level:
            self._level.reset()
        self._resume()

    def take(self, block: AudioBlock) -> VoiceBlock:
        """A block as the network takes it: mono, 16 kHz, 1.5 ms late, with levels and gate weights of its frames.

        Where samples are missing, or the rate changes, the detector starts afresh; gate and gain go on from where they
        are.
        """
        samples, frame = self._mono.take(block)
        if frame is not None:
            self._resume()
        return self.push(samples, block.sample_rate, frame)

    def flush(self) -> VoiceBlock:
        """What still waited for samples, as if silence followed. Whatever block comes next does not continue it."""
        self._mono.end()
        return self._voice(self._resampler.flush())

    def push(self, samples: Samples, rate: int, frame: int | None = None) -> VoiceBlock:
        """Take float32 (n,) in [-1, 1] at `rate` Hz, any n; `frame` is that of the first sample where it does not
        continue what was pushed before."""
        self.meter.push(samples, rate)
        if self._measuring:
            self._measure(self._measuring, samples, rate)
        if self._resampler.from_hz != rate:
            self._resampler = Resampler(rate, SAMPLE_RATE)
        return self._voice(self._resampler.push(samples * self._gain), frame)

    def _measure(self, measuring: _Measuring, samples: Samples, rate: int) -> None:
        if not measuring.complete(samples, rate):
            return
        with self._asking:  # one that was asked for meanwhile stays
            if self._measuring is measuring:
                self._measuring = None
        measuring.answer(rate)

    def _voice(self, loud: Samples, frame: int | None = None) -> VoiceBlock:
        gates = self._judge(loud)
        samples = self._level.push(loud) if self._level else np.clip(loud, -1.0, 1.0)
        return VoiceBlock(samples, self._levels.push(samples), gates, self.gate, frame)

    def _resume(self) -> None:
        """The next sample is the first of a frame and does not continue the audio before."""
        self._resampler.reset()
        self._levels.reset()
        if self._detector:
            self._detector.reset()
        if self._level:
            self._level.resume()
        self._fade.resume()
        self._steps = self._heard = 0
        self._kept = np.zeros(0, np.float32)
        self._answers: deque[tuple[int, float]] = deque()
        self._voiced = 0.0 if self._detector else 1.0

    def _judge(self, samples: Samples) -> PerFrame:
        """float32 (m,): gate weights of the frames that are decided with float32 (n,) more samples at 16 kHz."""
        self._heard += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        if self._detector:
            answered, voices = self._detector.push(samples)
            self._answers.extend(zip(answered.tolist(), voices.tolist(), strict=True))
        ready = (3 * self._heard + 2) // 800 - self._steps
        if not ready:
            return NONE
        levels, voice = self._next_steps(ready)
        may_move, speech = self._gate.decide(levels, voice)
        if self._level:
            self._level.observe(levels, speech)
        weights = self._fade.push(may_move, speech)
        return weights if self.gated else np.ones(len(weights), np.float32)

    def _next_steps(self, count: int) -> tuple[Levels, NDArray[np.float32]]:
        """float64 (count,) dBFS and float32 (count,) probability of speech, the newest answer at each step's end."""
        levels, voices, first = np.empty(count), np.empty(count, np.float32), step_end(self._steps - 1)
        begin = first
        for at in range(count):
            end = step_end(self._steps + at)
            sound = self._kept[begin - first : end - first].astype(np.float64)
            levels[at] = 10 * math.log10(float(sound @ sound) / len(sound) + 1e-12)
            while self._answers and self._answers[0][0] <= end:
                self._voiced = self._answers.popleft()[1]
            voices[at], begin = self._voiced, end
        self._steps += count
        self._kept = self._kept[begin - first :]
        return levels, voices
