"""A model and its streams over a network that runs in steps of 1/60 s: samples in, frames out.

Live audio runs the steps one by one, a whole recording in blocks, through the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import Coefficients, Samples, check_samples
from speech_to_face.streaming.features import SAMPLE_RATE, LogMel, frame_count, step_end
from speech_to_face.streaming.tongue import CHANNEL, Tongue

Array = NDArray[np.float32]

BLOCK_STEPS = 240
"""Steps of a block, when much audio is waiting: 4 s, where attention costs about as much as the rest."""


PRIME_STEPS = 60
"""Steps of silence before a voice starts: from empty states the mouth would open a little before any audio. One whole
period of the positions, so that they count from zero as in training."""


def silence() -> Array:
    """float32 (PRIME_STEPS, 160): features of silence."""
    return LogMel().push(np.zeros(step_end(PRIME_STEPS - 1), np.float32))


class Grid(Protocol):
    """The values of a network's config that its streams read."""

    @property
    def delay(self) -> int:
        """Steps a frame is held back: look-ahead is (delay + 1) / 60 s, the hop included."""
        ...

    @property
    def floor(self) -> float:
        """Coefficients up to here are neutral."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """ARKit names, camelCase, of the output's columns."""
        ...


class Steps(Protocol):
    """A network that runs steps and carries its state."""

    def run(self, mel: Array) -> Array:
        """float32 (steps, 160) -> (steps, channels), not clamped; where the tongue is wanted (steps, channels +
        phones), the log-probabilities of the phones behind the channels."""
        ...

    def reset(self) -> None:
        """Back to the state after PRIME_STEPS of silence."""
        ...


class SteppedStream:
    """One live voice: samples in, frames out, `delay` steps after the step of their audio.

    `tongue` adds a column for the tongue, from the phones that `steps` then gives too.
    """

    def __init__(self, config: Grid, steps: Steps, tongue: Tongue | None = None) -> None:
        self._config, self._steps, self._tongue, self._mel = config, steps, tongue, LogMel()
        self._start()

    def reset(self) -> None:
        """Forget all audio: the next sample is sample 0 of frame 0."""
        self._steps.reset()
        self._mel.reset()
        if self._tongue:
            self._tongue.reset()
        self._start()

    def _start(self) -> None:
        self._received = 0
        self._to_drop = self._config.delay
        self._flushed = False

    def push(self, samples: Samples) -> Coefficients:
        """Frames that became ready. Raises ValueError for anything but a one-dimensional array of finite numbers."""
        samples = check_samples(samples, self._flushed)
        self._received += len(samples)
        return self._advance(samples)

    def flush(self) -> Coefficients:
        """The frames the look-ahead held back, as if silence followed: one frame in all for every 1/60 s of audio
        pushed."""
        frames = 0 if self._flushed else frame_count(self._received)
        self._flushed = True
        missing = step_end(frames + self._config.delay - 1) - self._received if frames else 0
        return self._advance(np.zeros(missing, np.float32))

    def _advance(self, samples: Samples) -> Coefficients:
        mel, frames = self._mel.push(samples), []
        if not len(mel):
            return np.empty((0, len(self._config.channels) + (self._tongue is not None)), np.float32)
        for at in range(0, len(mel), BLOCK_STEPS):
            frames.append(self._steps.run(mel[at : at + BLOCK_STEPS]))
        face = self._face(np.concatenate(frames))
        drop = min(self._to_drop, len(face))
        self._to_drop -= drop
        return face[drop:]

    def _face(self, found: Array) -> Coefficients:
        """The network's output (steps, columns) as coefficients in [0, 1]."""
        channels, floor = len(self._config.channels), np.float32(self._config.floor)
        mouth = np.asarray(np.clip((found[:, :channels] - floor) / (1 - floor), 0.0, 1.0), np.float32)
        return mouth if self._tongue is None else np.column_stack([mouth, self._tongue.push(found[:, channels:])])


class SteppedModel:
    """A loaded checkpoint with its voice chosen; see `speech_to_face.base.SpeechToFace`."""

    sample_rate, frame_rate = SAMPLE_RATE, FRAME_RATE

    def __init__(
        self,
        name: str,
        config: Grid,
        device: str,
        new_steps: Callable[[], Steps],
        new_tongue: Callable[[], Tongue] | None = None,
    ) -> None:
        """new_steps: makes the steps of a stream; new_tongue: makes its tongue, None for no such channel."""
        self.name, self.device, self._config, self._new_steps, self._new_tongue = (
            name,
            device,
            config,
            new_steps,
            new_tongue,
        )

    @property
    def lookahead_s(self) -> float:
        """(delay + 1) / 60 s: the steps a frame is held back, and the hop itself."""
        return (self._config.delay + 1) / FRAME_RATE

    @property
    def channels(self) -> tuple[str, ...]:
        """ARKit names, camelCase, of the columns; tongueOut last where it is wanted."""
        return (*self._config.channels, CHANNEL) if self._new_tongue else self._config.channels

    def stream(self) -> SteppedStream:
        """A new live voice; streams share the weights."""
        return SteppedStream(self._config, self._new_steps(), self._new_tongue() if self._new_tongue else None)

    def animate(self, samples: Samples) -> Coefficients:
        """float32 (n,) -> (ceil(n * 60 / 16000), channels) in [0, 1]; frame k belongs to time k / 60."""
        stream = self.stream()
        return np.concatenate([stream.push(samples), stream.flush()])
