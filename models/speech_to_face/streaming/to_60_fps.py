"""Models of 30 frames a second at 60: linear interpolation between their frames."""

from __future__ import annotations

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import Coefficients, ModelError, Samples, SpeechToFace, Stream


def to_60_fps(model: SpeechToFace) -> SpeechToFace:
    """The model itself where it gives 60 frames a second, otherwise one that does. Raises ModelError for a rate that
    does not divide 60."""
    if model.frame_rate == FRAME_RATE:
        return model
    if model.frame_rate < 1 or FRAME_RATE % model.frame_rate:
        raise ModelError(
            f"model {model.name!r} gives {model.frame_rate} frames a second, expected 60 or a rate that divides 60"
        )
    return UpsampledModel(model)


class UpsampledStream:
    """One live voice: each frame of the model's own, with those on the line to it from the one before."""

    def __init__(self, stream: Stream, factor: int, sample_rate: int, channels: int) -> None:
        """factor: frames given for each of the stream's."""
        self._stream, self._factor, self._sample_rate, self._channels = stream, factor, sample_rate, channels
        self._start()

    def reset(self) -> None:
        """Forget all audio: the next sample is sample 0 of frame 0."""
        self._stream.reset()
        self._start()

    def _start(self) -> None:
        self._last = np.empty((0, self._channels), np.float32)
        """The newest of the stream's frames, (0 or 1, channels); it was returned, the frames after it were not."""
        self._received = self._given = 0

    def push(self, samples: Samples) -> Coefficients:
        """float32 (n,) -> the frames that became ready, (frames, channels) at 60 a second, perhaps none."""
        found = self._between(self._stream.push(samples))
        self._received += len(samples)
        self._given += len(found)
        return found

    def flush(self) -> Coefficients:
        """The frames not given yet; behind the stream's last frame the face holds it: ceil(n * 60 / sample rate) in
        all."""
        found = self._between(self._stream.flush())
        held = np.concatenate([found, np.repeat(self._last, self._factor - 1, axis=0)])
        missing = -(-self._received * FRAME_RATE // self._sample_rate) - self._given
        self._given += missing
        return held[:missing]

    def _between(self, new: Coefficients) -> Coefficients:
        """float32 (n, channels) -> (n * factor, channels), less factor - 1 at the very first frame."""
        if not len(new):
            return new
        first, known = not len(self._last), np.concatenate([self._last, new])
        self._last = known[-1:]
        share = (np.arange(1, self._factor + 1, dtype=np.float32) / self._factor)[None, :, None]
        lines = known[:-1, None] * (1 - share) + known[1:, None] * share
        filled: Coefficients = lines.reshape(-1, self._channels).astype(np.float32)
        return np.concatenate([known[:1], filled]) if first else filled


class UpsampledModel:
    """A model of a lower rate at 60 frames a second; see `speech_to_face.base.SpeechToFace`."""

    frame_rate = FRAME_RATE

    def __init__(self, model: SpeechToFace) -> None:
        self._model, self._factor = model, FRAME_RATE // model.frame_rate

    @property
    def in_blocks(self) -> bool:
        """See `speech_to_face.streaming.block_model.BlockModel`."""
        return getattr(self._model, "in_blocks", False)

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    @property
    def device(self) -> str:
        """The model's."""
        return self._model.device

    @property
    def sample_rate(self) -> int:
        """The model's, Hz."""
        return self._model.sample_rate

    @property
    def lookahead_s(self) -> float:
        """The first frame of a line waits for the one at its end: (factor - 1) / 60 s longer than the model."""
        return self._model.lookahead_s + (self._factor - 1) / FRAME_RATE

    @property
    def channels(self) -> tuple[str, ...]:
        """The model's."""
        return self._model.channels

    def stream(self) -> UpsampledStream:
        """A new live voice; streams share the weights."""
        return UpsampledStream(self._model.stream(), self._factor, self.sample_rate, len(self.channels))

    def animate(self, samples: Samples) -> Coefficients:
        """float32 (n,) -> (ceil(n * 60 / sample rate), channels); frame k belongs to time k / 60."""
        stream = self.stream()
        return np.concatenate([stream.push(samples), stream.flush()])
