"""What every receiver of poses offers, whatever its protocol."""

from __future__ import annotations

from typing import Protocol

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.timing.stamp import Stamp


class Sink(Protocol):
    """Somewhere poses go. The sender calls it 60 times a second and must not be held up: `send` never waits."""

    @property
    def name(self) -> str:
        """What the user asked for, for messages: the URI."""
        ...

    @property
    def closure(self) -> LipRule:
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
