"""What every source of sound offers, whatever it reads from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from livelink_bridge.core.frames import AudioBlock


class Source(Protocol):
    """Sound, opened: whatever can be wrong on sight was said when it was made."""

    @property
    def name(self) -> str:
        """For messages: the file or the device."""
        ...

    @property
    def live(self) -> bool:
        """Whether it runs on its own clock and cannot be asked to wait."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz."""
        ...

    @property
    def duration_s(self) -> float | None:
        """Seconds of sound in all; None where nobody can know."""
        ...

    @property
    def overflows(self) -> int:
        """Times the device says it lost sound."""
        ...

    @property
    def dropped(self) -> int:
        """Blocks thrown away because nobody read them in time."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why no sound comes now although the source has not ended, one line; None when all is well."""
        ...

    def blocks(self) -> Iterator[AudioBlock]:
        """The sound, in order, until its end or `close`. Iterate once. Raises SourceError or DeviceError when it fails
        on the way."""
        ...

    def close(self) -> None:
        """End `blocks`, from any thread, and free what was opened. Harmless twice."""
        ...
