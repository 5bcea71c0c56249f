"""What every receiver of poses offers, whatever its protocol."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from livelink_bridge.core.frames import Weights

Closure = Literal["arkit", "metahuman"]
"""How MouthClose is to be written: as predicted, or as the ratio of JawOpen that MetaHumans read."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a pose is sent, on the session's one timebase: time of day, counted in frames."""

    frame: int
    """Whole frames since local midnight of the day the session began, or since it began; with `subframe` it rises from
    stamp to stamp."""
    subframe: float
    """The rest, in frames, in [0, 1)."""
    rate: Fraction
    """Frames per second."""
    of_day_s: float = 0.0
    """What its timecode shows, seconds from 00:00:00:00, in [0, 86400)."""


class Sink(Protocol):
    """Somewhere poses go. The sender calls it 60 times a second and must not be held up: `send` never waits."""

    @property
    def name(self) -> str:
        """What the user asked for, for messages: the URI."""
        ...

    @property
    def closure(self) -> Closure:
        """The MouthClose rule its receivers expect."""
        ...

    @property
    def sent(self) -> int:
        """Poses handed over."""
        ...

    @property
    def errors(self) -> int:
        """Poses that the other side refused or the system could not take."""
        ...

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Hand over one pose: float32 (61,) in wire order, finite, the sink's closure rule applied. Keeps no reference
        to it."""
        ...

    def close(self) -> None:
        """Finish files and free sockets. Harmless twice."""
        ...
