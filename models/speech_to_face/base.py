"""The interface of every speech-to-face model.

A model turns speech into ARKit mouth coefficients. `animate` takes a whole recording; `stream` runs the same network on
audio as it arrives. Both run the same code on the same grid, so their frames agree.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""float32 (n,), mono, in [-1, 1], at the model's `sample_rate`."""
Coefficients = NDArray[np.float32]
"""float32 (frames, len(channels)), each in [0, 1], 0 is neutral."""


class ModelError(Exception):
    """A model that is unknown, damaged, or asks for a device this machine lacks. The text is one line for the user."""


def check_samples(samples: Samples, flushed: bool) -> Samples:
    """The samples as float32 (n,). ValueError for another shape, for values that are not finite, and for a stream that
    was flushed."""
    samples = np.asarray(samples, np.float32)
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise ValueError(
            f"expected finite samples of shape (n,), got shape {samples.shape}; mix to mono and drop NaN first"
        )
    if flushed:
        raise ValueError("this stream was flushed: call reset() before pushing more audio")
    return samples


@runtime_checkable
class Stream(Protocol):
    """One voice, live. Frame k belongs to time k / frame_rate since the last `reset`."""

    def push(self, samples: Samples) -> Coefficients:
        """Take the next samples (any number) and return the frames that became ready, perhaps none."""
        ...

    def flush(self) -> Coefficients:
        """Return the frames that the look-ahead still holds back, as if silence followed. After it, `reset` comes
        before the next `push`."""
        ...

    def reset(self) -> None:
        """Forget all audio: the next sample is sample 0 of frame 0."""
        ...


@runtime_checkable
class SpeechToFace(Protocol):
    """A loaded network with one voice's face and style chosen."""

    @property
    def name(self) -> str:
        """Name of its checkpoint's folder."""
        ...

    @property
    def device(self) -> str:
        """Device it runs on: "cpu", "cuda" or "mps"."""
        ...

    @property
    def sample_rate(self) -> int:
        """Sample rate of its input, Hz."""
        ...

    @property
    def frame_rate(self) -> int:
        """Frames per second of audio."""
        ...

    @property
    def lookahead_s(self) -> float:
        """Seconds of audio after a frame's own time that the frame needs, hop included."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """ARKit names, camelCase, of the columns of its coefficients."""
        ...

    def animate(self, samples: Samples) -> Coefficients:
        """Frames for a whole recording: ceil(n * frame_rate / sample_rate) of them; frame k belongs to time k /
        frame_rate."""
        ...

    def stream(self) -> Stream:
        """A new live voice of this network. Streams of one model share its weights, never their state."""
        ...


def runs_in_blocks(model: SpeechToFace) -> bool:
    """Whether it is a large network that only a fast machine runs live."""
    return bool(getattr(model, "in_blocks", False))
