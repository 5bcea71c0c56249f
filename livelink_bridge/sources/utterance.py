"""What is said in one go, what is told of it, and where it ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from livelink_bridge.audio.pcm import Sound
from livelink_bridge.core.frames import AudioBlock

NOTHING: Sound = np.zeros((0, 1), np.float32)
Reason = Literal["end", "interrupt"]


@dataclass(frozen=True, slots=True)
class Boundary(AudioBlock):
    """No samples: the utterance ends here."""

    cut: bool
    """Interrupted: the poses that were not shown yet are void."""


@dataclass(frozen=True, slots=True)
class Position:
    """What is heard now."""

    utterance: int
    """Number of the utterance being played or the last one, from 1; 0 before the first."""
    played_s: float
    """Seconds of it that were played."""
    buffered_s: float
    """Seconds of sound that came and were not played yet, later utterances included."""
    underruns: int
    """Times that the sound ran dry in the middle of an utterance."""
    dropped_bytes: int = 0
    """Bytes of samples that an utterance ended within; see `PcmSource.push_bytes`."""


@dataclass(frozen=True, slots=True)
class Done:
    """An utterance is over."""

    utterance: int
    reason: Reason
    played_s: float


@dataclass(slots=True)
class Utterance:
    """Sound of one rate that belongs together."""

    number: int
    rate: int
    chunks: deque[Sound] = field(default_factory=deque)
    waiting: int = 0
    """Samples that came and were not handed over."""
    handed: int = 0
    """Samples of this stretch that were handed over."""
    before: int = 0
    """Samples of the stretches before this one."""
    start: int | None = None
    """Number of this stretch's first sample; None while there is not enough to begin."""
    since_s: float = 0.0
    """When the sound came that waits to begin."""
    nothing: Sound = field(default_factory=lambda: NOTHING)
    """No samples of as many channels as its sound has."""
    ended: bool = False
    bounded: bool = False
    """Whether its boundary was handed over."""

    @property
    def finished(self) -> bool:
        """Nothing is left to hand over."""
        return self.ended and not self.waiting and (self.bounded or self.start is None)
