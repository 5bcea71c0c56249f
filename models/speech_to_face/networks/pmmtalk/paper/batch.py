"""The training batch of the networks of paper size."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Clips of one length, stacked; the paper's batch is one clip (section IV-E)."""

    samples: Tensor
    """float32 (clips, n), mono, 16 kHz, in [-1, 1]; n is about frames * 1600 / 3."""
    curves: Tensor
    """float32 (clips, frames, 32) in [0, 1] at 30 fps; frame k belongs to time k / 30; 0 where not known."""
    known: Tensor
    """float32 (clips, 1, 32): 1 for channels that the source carries."""
    style: Tensor
    """int64 (clips,): row of the style table."""
    reference: Tensor
    """float32 (clips, 3, 96, 96), RGB in [0, 1]: one picture of the speaker's face, a new one for each clip."""
