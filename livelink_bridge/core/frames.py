"""The data types that cross threads: `AudioBlock` (audio in) and `FaceFrame` (face frames out)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61

FACE_CHANNELS = len(CHANNELS_61)
"""Values of a frame: 52 blendshape weights and 9 angles."""

Weights = NDArray[np.float32]
"""float32 (61,) in wire order: 52 ARKit weights in [0, 1], then 9 head and eye angles in radians."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A block of audio from a source. The source never writes to `samples` again."""

    samples: NDArray[np.float32]
    """float32 (n, channels) or (n,), in [-1, 1]."""
    sample_rate: int
    """Hz."""
    start: int
    """Index of the first sample, counted since the source opened. A jump means that samples were lost."""
    arrived_s: float
    """Clock time at which the source delivered the last sample, seconds."""

    def __post_init__(self) -> None:
        if self.samples.ndim not in (1, 2) or self.samples.dtype != np.float32:
            raise ValueError(
                f"samples are {self.samples.dtype} {self.samples.shape}, expected float32 (n,) or (n, channels)"
            )

    @property
    def end(self) -> int:
        """Index of the sample after the last."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class FaceFrame:
    """One face frame, MouthClose as predicted."""

    weights: Weights
    """float32 (61,) in wire order: 52 ARKit weights in [0, 1], then 9 head and eye angles in radians."""
    index: int
    """Number of the frame, counted at 60 Hz since the source opened."""

    def __post_init__(self) -> None:
        if self.weights.shape != (FACE_CHANNELS,) or self.weights.dtype != np.float32:
            raise ValueError(
                f"weights are {self.weights.dtype} {self.weights.shape}, expected float32 ({FACE_CHANNELS},)"
            )
