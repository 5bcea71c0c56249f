"""The stamp of a frame: its place on the session's one timebase."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a frame is sent, on the session's one timebase: time of day, counted in frames."""

    frame: int
    """Whole frames since local midnight of the day the session began, or since it began; with `subframe` it rises from
    stamp to stamp."""
    subframe: float
    """The rest, in frames, in [0, 1)."""
    rate: Fraction
    """Frames per second."""
    of_day_s: float = 0.0
    """What its timecode shows, seconds from 00:00:00:00, in [0, 86400)."""
