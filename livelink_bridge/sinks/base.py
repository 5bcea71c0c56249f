"""The interface of all sinks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.timing.stamp import Stamp


class Sink(Protocol):
    """Sends or records face frames. The sender calls `send` 60 times a second, so it must not block."""

    @property
    def name(self) -> str:
        """The URI as given by the user, for messages."""
        ...

    @property
    def closure(self) -> LipRule:
        """MouthClose rule that its receivers expect."""
        ...

    @property
    def sent(self) -> int:
        """Frames sent."""
        ...

    @property
    def errors(self) -> int:
        """Frames that could not be sent (ICMP port unreachable or OS error)."""
        ...

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Send one frame without blocking; keeps no reference to `weights`.

        Parameters
        ----------
        weights : float32 (61,) in wire order, finite, the sink's MouthClose rule applied
        stamp : send time
        """
        ...

    def close(self) -> None:
        """Finish files and close sockets. Harmless twice."""
        ...


@runtime_checkable
class SeveralSinks(Protocol):
    """A sink that sends to others."""

    @property
    def parts(self) -> Sequence[Sink]:
        """The sinks it sends to now."""
        ...


@runtime_checkable
class HearsBack(Protocol):
    """A sink that learns whether its receiver takes what it sends."""

    @property
    def trouble(self) -> str | None:
        """Why the receiver gets nothing now, one line; None when all is well."""
        ...
