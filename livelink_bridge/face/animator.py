"""Audio blocks to face frames: input chain, inference, remap, character. No thread: live, play and convert share it."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from arkit_mapping import remap
from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.input.frame_levels import SILENCE_DBFS
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.audio.input.plain_input import PlainInput, Rerated
from livelink_bridge.audio.input.voice_block import FrameQueue, NetworkInput, VoiceBlock
from livelink_bridge.core.frames import AudioBlock, FaceFrame
from livelink_bridge.face.face import Face
from speech_to_face.base import Coefficients, ModelError, SpeechToFace
from speech_to_face.streaming.features import SAMPLE_RATE

_ROUNDING = 0.01
"""A coefficient no further than this outside [0, 1] is rounding, not worth a warning."""

_log = logging.getLogger(__name__)


class Animator:
    """One voice's face. Frame k belongs to k / 60 s after sample 0 of its source.

    Where samples are missing (a block does not start where the one before ended) the network starts afresh on the next
    frame of the same 60 Hz: time goes on, nothing is spliced. Coefficients are clipped to [0, 1]; one that is not
    finite is replaced by the channel's last one, and its frame counted.
    """

    def __init__(self, model: SpeechToFace, face: Face, chain: InputChain | None = None) -> None:
        """
        Parameters
        ----------
        model : gives 60 frames a second; its live stream is used
        face : liveliness, mood and character
        chain : the input chain of a microphone; None only mixes down and resamples, as for files

        Raises
        ------
        ModelError for a model of another frame rate.
        """
        if model.frame_rate != FRAME_RATE:
            raise ModelError(f"model {model.name} gives {model.frame_rate} poses a second, expected {FRAME_RATE}")
        self._model = model
        self._face = face
        self._input = _input_of(model, chain)
        self.metered = chain is not None
        """Whether an input chain, which has a meter, measures the level."""
        self._stream = model.stream()
        self._levels, self._gates = FrameQueue(), FrameQueue()
        self.gaps = 0
        """Times that samples were missing."""
        self.bad_poses = 0
        """Frames with a value that was not finite, replaced by the channel's last one."""
        self._said_range = False
        self.reset()

    @property
    def lookahead_s(self) -> float:
        """Seconds of audio after a frame's own time that the frame needs: network and input together."""
        return self._model.lookahead_s + self._input.lookahead_s

    def reset(self) -> None:
        """Forget everything: the next block begins a new source. The face, which blinks on, is not reset."""
        self._begun = False
        self._last_good: Coefficients = np.zeros((1, len(self._model.channels)), np.float32)
        self._input.reset()
        self._start_network(0)

    def push(self, block: AudioBlock) -> list[FaceFrame]:
        """Take the next block and return the frames that became ready, perhaps none."""
        return self._heard(self._input.take(block))

    def flush(self) -> list[FaceFrame]:
        """The frames still waiting for audio, as if silence followed. Push again only after `reset`."""
        voice = self._input.flush()
        return self._heard(voice) + self._frames(self._stream.flush(), voice)

    def _start_network(self, frame: int) -> None:
        """The next sample is the first of `frame`."""
        self._next_index = frame
        self._stream.reset()
        self._levels.clear()
        self._gates.clear()

    def _heard(self, voice: VoiceBlock) -> list[FaceFrame]:
        if voice.frame is not None:
            self.gaps += self._begun
            self._start_network(voice.frame)
        self._begun = True
        self._levels.push(voice.levels)
        if voice.gates is not None:
            self._gates.push(voice.gates)
        return self._frames(self._stream.push(voice.samples), voice)

    def _frames(self, coefficients: Coefficients, voice: VoiceBlock) -> list[FaceFrame]:
        """The frames of float32 (n, channels) coefficients, which are the next ones."""
        count = len(coefficients)
        if not count:
            return []
        first, self._next_index = self._next_index, self._next_index + count
        mouth, speaking = remap(self._usable(coefficients), self._model.channels), None
        if voice.gates is not None:
            share = self._gates.take(count, voice.gate)
            mouth *= share[:, None]
            speaking = share > 0
        weights = self._face.push(mouth, self._levels.take(count, SILENCE_DBFS), speaking)
        return [FaceFrame(pose, index) for index, pose in enumerate(weights, first)]

    def _usable(self, coefficients: Coefficients) -> Coefficients:
        """Coefficients in [0, 1]: where one is not finite, the channel's last one that was; the others are clipped."""
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


def _input_of(model: SpeechToFace, chain: InputChain | None) -> NetworkInput:
    if chain is None:
        return PlainInput(model.sample_rate)
    return chain if model.sample_rate == SAMPLE_RATE else Rerated(chain, SAMPLE_RATE, model.sample_rate)
