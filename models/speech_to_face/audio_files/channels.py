"""Whether channels of a recording cancel each other when they are mixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CANCELLED = 0.1
"""A mix of so small a part of the power that channels which have nothing to do with each other would leave is
cancelled: -10 dB. Equal channels leave twice that power, a voice on one channel alone leaves all of it."""
FAINT = 1e-7
"""Power below which a channel says nothing: -70 dBFS."""


def mean_of(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 (n, channels) -> (n,), summed column by column: numpy's mean over a short last axis takes fifteen times
    as long."""
    with np.errstate(over="ignore", invalid="ignore"):
        mixed: NDArray[np.float32] = sum(samples.T[1:], samples.T[0]) / np.float32(samples.shape[1])
    return mixed


def share_left(each: Sequence[float] | NDArray[np.float64], mixed: float) -> float:
    """Power of the mix, as a part of what unrelated channels of these powers would leave; 1 where all is silent.

    `each` are the powers, or energies, of the channels, `mixed` is that of their mean.
    """
    unrelated = float(sum(each)) / len(each) ** 2
    return mixed / unrelated if unrelated > 0 else 1.0


class Powers:
    """Sums over blocks, and the decision."""

    def __init__(self, channels: int) -> None:
        self.each = np.zeros(channels)
        self.mixed = 0.0
        self.frames = 0
        """Of blocks that were not silent."""

    def add(self, samples: NDArray[np.float32]) -> None:
        """A block, float32 (n, channels), finite."""
        each = np.einsum("nc,nc->c", samples, samples, dtype=np.float64)
        if len(samples) and each.max() / len(samples) > FAINT:
            mixed = mean_of(samples)
            self.each += each
            self.mixed += float(np.dot(mixed, mixed))
            self.frames += len(samples)

    @property
    def louder(self) -> int | None:
        """The channel to take in place of the mix, from 0; None where the mix is good."""
        if self.frames and share_left(self.each, self.mixed) < CANCELLED:
            return int(np.argmax(self.each))
        return None
