"""Data types of playout: an utterance, its boundary, its end, and the playback position."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from livelink_bridge.audio.pcm import Sound
from livelink_bridge.core.frames import AudioBlock

NOTHING: Sound = np.zeros((0, 1), np.float32)
"""No samples of one audio channel."""
Reason = Literal["end", "interrupt"]
"""Why an utterance ended."""


@dataclass(frozen=True, slots=True)
class Boundary(AudioBlock):
    """A block without samples that marks the end of an utterance."""

    cut: bool
    """Whether the utterance was interrupted: frames not shown yet must be dropped."""


@dataclass(frozen=True, slots=True)
class Position:
    """The current playback position."""

    utterance: int
    """Number of the current utterance, or of the last one, from 1; 0 before the first."""
    played_s: float
    """Seconds of it that were played."""
    buffered_s: float
    """Seconds of audio received and not played yet, later utterances included."""
    underruns: int
    """Underruns in the middle of an utterance."""
    dropped_bytes: int = 0
    """Bytes of incomplete samples at the end of utterances; see `PcmSource.push_bytes`."""


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """The end of an utterance."""

    utterance: int
    """Its number, from 1."""
    reason: Reason
    """Played to its end, or interrupted."""
    played_s: float
    """Seconds of it that were played."""


@dataclass(slots=True)
class Utterance:
    """The buffered audio of one utterance, at one sample rate. Each underrun starts a new segment of it."""

    number: int
    """From 1."""
    rate: int
    """Hz."""
    chunks: deque[Sound] = field(default_factory=deque)
    """Audio not delivered to the model yet, float32 (n, channels) each."""
    waiting: int = 0
    """Samples in `chunks`."""
    delivered: int = 0
    """Samples of this segment delivered to the model."""
    before: int = 0
    """Samples of the previous segments."""
    start: int | None = None
    """Index of this segment's first sample; None during the prebuffer."""
    since_s: float = 0.0
    """Arrival time of the first sample in the prebuffer, seconds."""
    empty: Sound = field(default_factory=lambda: NOTHING)
    """No samples of as many audio channels as the utterance has."""
    ended: bool = False
    """Whether its last sample was received."""
    bounded: bool = False
    """Whether its boundary was delivered."""

    @property
    def finished(self) -> bool:
        """Whether everything was delivered."""
        return self.ended and not self.waiting and (self.bounded or self.start is None)
