"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warn", "fail"]
"""Severity of a finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check."""

    level: Level
    """`fail`: nothing will move until it is fixed. `warn`: something may not work. `note`: cannot be checked from here,
    check it there."""
    what: str
    """The thing that was checked."""
    text: str
    """Its state and, unless it is ok, how to fix it; one line."""
