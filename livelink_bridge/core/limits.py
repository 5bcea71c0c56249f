"""Ranges of what a user may choose, each stated once.

The settings' checks, the parts that obey a range, the help and the documentation read them here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from arkit_mapping.channels import FRAME_RATE


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `lowest` to `highest`, both included, in `unit`."""

    lowest: float
    highest: float
    unit: str = ""
    """Behind a number, such as dB; empty for a count."""

    def __contains__(self, number: float | Fraction) -> bool:
        """False for NaN."""
        return self.lowest <= number <= self.highest

    def __str__(self) -> str:
        """`-40 to 40 dB`."""
        return f"{self.lowest:.10g} to {self.highest:.10g} {self.unit}".rstrip()


AUDIO_DELAY = Range(0, 1000, "ms")
BUFFER = Range(80, 2000, "ms")
"""Audio that must have arrived before a face begins to speak."""
CHANNEL = Range(1, 256)
"""An audio channel of a microphone, counted from 1."""
CLIENTS = Range(1, 64)
"""Connections to the speech server at a time."""
FACE_DELAY = Range(0, 500, "ms")
GAIN = Range(-40, 40, "dB")
PACKET_RATE = Range(1, FRAME_RATE)
"""Packets per second: the model gives as many frames a second, so more would only repeat them."""
PORT = Range(1, 65535)
REPLAY_SPEED = Range(0.1, 10)
"""1 is as recorded."""
ROW_RATE = Range(1, 240)
"""Rows per second of a take that is resampled."""
SEED = Range(0, 2**32 - 1)
