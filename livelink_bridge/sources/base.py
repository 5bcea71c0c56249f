"""The interface of all audio sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from livelink_bridge.core.frames import AudioBlock


class Source(Protocol):
    """An open audio source. The constructor validates; `blocks()` only raises for failures while reading."""

    @property
    def name(self) -> str:
        """The file or the device, for messages."""
        ...

    @property
    def live(self) -> bool:
        """Whether it runs on its own clock and cannot be made to wait."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz."""
        ...

    @property
    def duration_s(self) -> float | None:
        """Total duration, seconds; None when unknown."""
        ...

    @property
    def overflows(self) -> int:
        """Input overflows reported by the device."""
        ...

    @property
    def dropped(self) -> int:
        """Blocks dropped because they were not read in time."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why no audio arrives although the source has not ended, one line; None when all is well."""
        ...

    def blocks(self) -> Iterator[AudioBlock]:
        """The audio, in order, until its end or `close`. Iterate once. Raises SourceError or DeviceError when reading
        fails."""
        ...

    def close(self) -> None:
        """End `blocks`, from any thread, and release the file or device. Harmless twice."""
        ...


@runtime_checkable
class Captured(Protocol):
    """A source that captures from a device, which knows two things more."""

    @property
    def latency_s(self) -> float | None:
        """Seconds of audio in the device's buffers; None where it is not known."""
        ...

    @property
    def reopened(self) -> int:
        """Times the device was lost and opened again."""
        ...
