"""What the losses of the networks on the 60 Hz grid read: windows of features, and the face that belongs to them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

IGNORED = -100
"""Label of a frame whose phone is not known, as torch's losses expect it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Stacked windows. Frame k belongs to step k of the features; the losses take a network's delay out."""

    mel: torch.Tensor
    """float32 (windows, frames, 160): log-mel features, two steps of 80 bands a frame."""
    curves: torch.Tensor
    """float32 (windows, frames, 32) in [0, 1], columns as `arkit_mapping.channels.MOUTH_32`; 0 where not known."""
    known: torch.Tensor
    """float32 (windows, 1, 32): 1 for channels that the window's source carries, else 0."""
    labels: torch.Tensor
    """int64 (windows, frames): index into `speech_to_face.phones.CLASSES`, `IGNORED` where not known."""
    sealed: torch.Tensor
    """float32 (windows, frames) in [0, 1]: 1 while the lips are closed for p, b or m."""
    style: torch.Tensor
    """int64 (windows,): row of the style table."""
