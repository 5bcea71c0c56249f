"""Live Link Face takes: reading, writing, checking and editing the CSV that the phone app records."""

from __future__ import annotations

from arkit_mapping.takes.csv import DAY_S, MIN_ROWS, Take, TakeError, TakeWriter, read_take, write_take

__all__ = ["DAY_S", "MIN_ROWS", "Take", "TakeError", "TakeWriter", "read_take", "write_take"]
