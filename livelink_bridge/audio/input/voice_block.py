"""The input of the network, block by block, and what travels with it: levels and gate weights of the frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.frames import AudioBlock
from speech_to_face.base import Samples

PerFrame = NDArray[np.float32]
"""float32 (k,), one value for each of the next k frames."""
NONE: PerFrame = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class VoiceBlock:
    """One voice as the network takes it. Frames are 60 a second, counted from the source's first sample."""

    samples: Samples
    """float32 (n,), mono, in [-1, 1], at the network's rate; n may be 0."""
    levels: PerFrame
    """dBFS of the frames whose audio is complete with these samples."""
    gates: PerFrame | None = None
    """Gate weights, 0 neutral to 1 whole, of the frames decided by these samples; None where nothing is gated and
    whether there is speech is not known."""
    gate: float = 1.0
    """The newest gate weight: that of frames which are never decided."""
    frame: int | None = None
    """The frame that begins with the first sample, where audio was lost before it and the network has to start afresh;
    None where the audio goes on."""


class NetworkInput(Protocol):
    """What stands between a source and the network: an `InputChain` for a microphone, a `PlainInput` for a file."""

    @property
    def lookahead_s(self) -> float:
        """Seconds that what comes out is later than what went in."""
        ...

    def reset(self) -> None:
        """Begin a new source: the next sample is the first of frame 0."""
        ...

    def take(self, block: AudioBlock) -> VoiceBlock:
        """The next block of any rate, with any number of channels."""
        ...

    def flush(self) -> VoiceBlock:
        """What still waited for samples, as if silence followed."""
        ...


class FrameQueue:
    """Values that are known before their frames are, one for each, in order."""

    def __init__(self) -> None:
        self.clear()

    def __len__(self) -> int:
        return len(self._values)

    def clear(self) -> None:
        """The next value is that of the next frame."""
        self._values = NONE
        self._owed = 0

    def push(self, values: PerFrame) -> None:
        """The values of the next frames; those of frames that were taken without one are dropped."""
        late = min(self._owed, len(values))
        self._owed -= late
        if len(values) > late:
            self._values = np.concatenate([self._values, values[late:]])

    def take(self, count: int, missing: float) -> PerFrame:
        """float32 (count,): the values of the next frames, `missing` for those that have none yet."""
        taken, self._values = self._values[:count], self._values[count:]
        if len(taken) == count:
            return taken
        self._owed += count - len(taken)
        return np.concatenate([taken, np.full(count - len(taken), missing, np.float32)])
