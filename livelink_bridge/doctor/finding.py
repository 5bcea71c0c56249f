"""What a check answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    level: Level
    """`fail`: nothing will move until it is mended. `warn`: something may not. `note`: cannot be seen from here, look
    there."""
    what: str
    text: str
    """What is so and, unless it is ok, what to do; one line."""
