"""The interface of a network that the training loop can train."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from torch import Tensor, nn


class Trainable(Protocol):
    """An nn.Module with its own losses and stages of training."""

    stages: tuple[str, ...]
    """Trained one after the other: ("whole",), or CodeTalker's ("prior", "speech")."""

    # undecayed: tuple[str, ...], where a network has it, names parameters without weight decay.

    def terms(self, batch: Any, stage: str) -> dict[str, Tensor]:
        """Weighted losses of one batch, by the paper's names; their sum is minimised."""
        ...

    def trained(self, stage: str) -> Iterable[nn.Parameter]:
        """Parameters that this stage moves; the others are frozen."""
        ...
