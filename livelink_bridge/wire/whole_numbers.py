"""Whole numbers as other programs write them: JSON has one kind of number, and many languages write 24000 as 24000.0."""

from __future__ import annotations


def as_whole(value: object) -> int | None:
    """24000 for 24000 and for 24000.0; None for a fraction, NaN, infinity, a bool, text and anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not value.is_integer():  # false for NaN and infinity too
        return None
    return int(value)
