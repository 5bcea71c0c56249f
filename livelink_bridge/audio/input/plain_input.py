"""A recording on its way to the network: one channel at the network's rate, nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from livelink_bridge.audio.input.frame_levels import FrameLevels
from livelink_bridge.audio.input.mono_frames import MonoFrames
from livelink_bridge.audio.input.voice_block import NetworkInput, VoiceBlock
from livelink_bridge.audio.resample import Resampler
from livelink_bridge.core.frames import AudioBlock
from speech_to_face.base import Samples


class PlainInput:
    """Downmix and resampling, where there is no `InputChain`."""

    def __init__(self, rate: int) -> None:
        """`rate` is the network's, Hz."""
        self._mono, self._levels = MonoFrames(), FrameLevels(rate)
        self._rate = rate
        self._resampler: Resampler | None = None

    @property
    def lookahead_s(self) -> float:
        """Seconds that the resampler waits for; 0 before the first block, whose rate is not known."""
        return self._resampler.lookahead_s if self._resampler else 0.0

    def reset(self) -> None:
        """Forget everything: the next sample is the first of frame 0."""
        self._mono.reset()
        self._resume()

    def take(self, block: AudioBlock) -> VoiceBlock:
        """The next block, as the network takes it."""
        samples, frame = self._mono.take(block)
        if self._resampler is None or self._resampler.from_hz != block.sample_rate:
            self._resampler = Resampler(block.sample_rate, self._rate)
        if frame is not None:
            self._resume()
        return self._voice(self._resampler.push(samples), frame)

    def flush(self) -> VoiceBlock:
        """What still waited for samples, as if silence followed."""
        self._mono.end()
        resampler = self._resampler or Resampler(self._rate, self._rate)
        return self._voice(resampler.flush())

    def _resume(self) -> None:
        self._levels.reset()
        if self._resampler:
            self._resampler.reset()

    def _voice(self, samples: Samples, frame: int | None = None) -> VoiceBlock:
        return VoiceBlock(samples, self._levels.push(samples), frame=frame)


class Rerated:
    """An input chain for a network that takes another rate than the chain gives."""

    def __init__(self, chain: NetworkInput, chain_hz: int, rate: int) -> None:
        self._chain, self._resampler = chain, Resampler(chain_hz, rate)

    @property
    def lookahead_s(self) -> float:
        """Seconds that both wait for."""
        return self._chain.lookahead_s + self._resampler.lookahead_s

    def reset(self) -> None:
        """Begin a new source."""
        self._chain.reset()
        self._resampler.reset()

    def take(self, block: AudioBlock) -> VoiceBlock:
        """The next block, as the network takes it."""
        voice = self._chain.take(block)
        if voice.frame is not None:
            self._resampler.reset()
        return replace(voice, samples=self._resampler.push(voice.samples))

    def flush(self) -> VoiceBlock:
        """What still waited for samples, as if silence followed."""
        voice = self._chain.flush()
        return replace(voice, samples=np.concatenate([self._resampler.push(voice.samples), self._resampler.flush()]))
