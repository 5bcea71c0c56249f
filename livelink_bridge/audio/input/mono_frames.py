"""A source's blocks as one channel, cut where frames begin: the one place that notices lost samples and mixes down."""

from __future__ import annotations

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.downmix import Mixer, warn_of_polarity
from livelink_bridge.core.frames import AudioBlock
from speech_to_face.base import Samples


class MonoFrames:
    """Audio that goes on is passed on; where samples are missing, or the rate changes, it goes on with the next whole
    frame of the same 60 Hz, and what lies before is left out. Nothing is spliced."""

    def __init__(self) -> None:
        self._mixer = Mixer(warn_of_polarity)
        self._rate = 0
        self.reset()

    def reset(self) -> None:
        """The next sample is the first of frame 0."""
        self._expected = self._skip = 0
        self._mixer.reset()

    def end(self) -> None:
        """Whatever block comes next does not continue this audio."""
        self._expected = -1

    def take(self, block: AudioBlock) -> tuple[Samples, int | None]:
        """float32 (n,) in [-1, 1] at the block's rate, and the frame that begins with its first sample where the audio
        does not continue; None where it does."""
        rate = block.sample_rate
        lost = block.start != self._expected or (rate != self._rate and block.start > 0)
        self._expected, self._rate = block.end, rate
        frame = None
        if lost:
            frame = -(-block.start * FRAME_RATE // rate)
            self._skip = -(-frame * rate // FRAME_RATE) - block.start
        fresh = block.samples[self._skip :]
        self._skip -= len(block.samples) - len(fresh)
        return self._mixer.push(fresh, rate), frame
