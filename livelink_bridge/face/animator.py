"""Blocks of sound to poses: front, resample, step the network, map, wear. No thread; `--mic`, `play` and `convert`
share it."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from arkit_mapping import remap
from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.downmix import Mixer, warn_of_polarity
from livelink_bridge.audio.frame_levels import FrameLevels
from livelink_bridge.audio.input_chain import InputChain
from livelink_bridge.audio.resample import Resampler
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.face.face import Face
from speech_to_face.base import Coefficients, ModelError, Samples, SpeechToFace

_ROUNDING = 0.01
"""A coefficient that is no further than this outside [0, 1] is not worth a word."""

_log = logging.getLogger(__name__)


class Animator:
    """One voice's face. Pose k belongs to k / 60 s after sample 0 of its source.

    Where samples are missing (a block does not start where the one before ended) the network starts afresh on the next
    pose of the same grid: time goes on, nothing is spliced. Coefficients are clipped to [0, 1]; one that is not finite
    is replaced by the channel's last one, and its pose counted.
    """

    def __init__(self, model: SpeechToFace, face: Face, front: InputChain | None = None) -> None:
        """`front` stands between a microphone and the network; files are taken as they are."""
        if model.frame_rate != FRAME_RATE:
            raise ModelError(f"model {model.name} gives {model.frame_rate} poses a second, expected {FRAME_RATE}")
        self._model = model
        self._face = face
        self._front = front
        self._stream = model.stream()
        self._levels = FrameLevels(model.sample_rate)
        self._mixer = Mixer(warn_of_polarity)
        self._resampler: Resampler | None = None
        self.gaps = 0
        """Times that samples were missing."""
        self.bad_poses = 0
        """Poses with a value that was not finite, in whose place the channel's last one stands."""
        self._said_range = False
        self.reset()

    @property
    def lookahead_s(self) -> float:
        """Seconds of sound after a pose's own time that the pose needs, network, front and resampler together."""
        filters_s = (self._resampler.lookahead_s if self._resampler else 0.0) + (
            self._front.lookahead_s if self._front else 0.0
        )
        return self._model.lookahead_s + filters_s

    def reset(self) -> None:
        """Forget everything heard: the next block begins a new source. The face, which blinks on, is not reset."""
        self._expected: int | None = None
        self._skip = 0
        self._next_index = 0
        self._last_good: Coefficients = np.zeros((1, len(self._model.channels)), np.float32)
        self._mixer.reset()
        self._start_network()

    def push(self, block: AudioBlock) -> list[FaceFrame]:
        """Take the next block and return the poses that became ready, perhaps none."""
        if self._front:
            block = self._front.take(block)
        changed = self._resampler is not None and self._resampler.from_hz != block.sample_rate
        if self._resampler is None or changed:
            self._resampler = Resampler(block.sample_rate, self._model.sample_rate)
        if changed or block.start != (self._expected or 0):
            self._resume_at(block)
        self._expected = block.end
        fresh = block.samples[self._skip :]
        self._skip -= len(block.samples) - len(fresh)
        return self._heard(self._resampler.push(self._mixer.push(fresh, block.sample_rate)))

    def flush(self) -> list[FaceFrame]:
        """The poses still waiting for sound, as if silence followed. Push again only after `reset`."""
        last: Samples = np.zeros(0, np.float32)
        if self._resampler:
            late = self._resampler.push(self._front.flush()) if self._front else last
            last = np.concatenate([late, self._resampler.flush()])
        return self._heard(last) + self._poses(self._stream.flush())

    def _start_network(self) -> None:
        self._stream.reset()
        self._levels.reset()
        if self._resampler:
            self._resampler.reset()

    def _resume_at(self, block: AudioBlock) -> None:
        self.gaps += self._expected is not None
        self._start_network()
        self._next_index = -(-block.start * FRAME_RATE // block.sample_rate)
        self._skip = -(-self._next_index * block.sample_rate // FRAME_RATE) - block.start

    def _heard(self, samples: Samples) -> list[FaceFrame]:
        self._levels.push(samples)
        return self._poses(self._stream.push(samples))

    def _poses(self, coefficients: Coefficients) -> list[FaceFrame]:
        if not len(coefficients):
            return []
        first = self._next_index
        self._next_index += len(coefficients)
        mouth, speaking = remap(self._usable(coefficients), self._model.channels), None
        if self._front:
            share = self._front.open(first, len(mouth))
            mouth *= share[:, None]
            speaking = share > 0
        weights = self._face.push(mouth, self._levels.take(len(mouth)), speaking)
        return [FaceFrame(pose, index) for index, pose in enumerate(weights, first)]

    def _usable(self, coefficients: Coefficients) -> Coefficients:
        """In [0, 1]: what is not finite is the channel's last value that was, and the rest is clipped."""
        finite: NDArray[np.bool_] = np.isfinite(coefficients)
        if not finite.all():
            self._count_bad(int(np.sum(~finite.all(axis=1))))
            known = np.concatenate([self._last_good, coefficients])
            newest = np.maximum.accumulate(np.where(finite, np.arange(1, len(known))[:, None], 0), axis=0)
            coefficients = np.take_along_axis(known, newest, axis=0)
        self._last_good = coefficients[-1:].copy()
        clipped: Coefficients = np.clip(coefficients, 0.0, 1.0)
        if not self._said_range and np.abs(clipped - coefficients).max() > _ROUNDING:
            self._say_range(coefficients)
        return clipped

    def _count_bad(self, poses: int) -> None:
        if not self.bad_poses:
            _log.warning(
                "model %s gave a value that is not finite; such channels keep their last one", self._model.name
            )
        self.bad_poses += poses

    def _say_range(self, coefficients: Coefficients) -> None:
        self._said_range = True
        lowest, highest = float(coefficients.min()), float(coefficients.max())
        _log.warning(
            "model %s gave values from %g to %g, expected 0 to 1; they are clipped", self._model.name, lowest, highest
        )
