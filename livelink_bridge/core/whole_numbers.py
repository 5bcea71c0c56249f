"""Reads integers from JSON, which has one number type: many programs write 24000 as 24000.0."""

from __future__ import annotations

from numbers import Integral, Real


def as_whole(value: object) -> int | None:
    """The value as an int: 24000 for 24000 and 24000.0, numpy's numbers too; None for a fraction, NaN, infinity, a
    bool, text and anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    if isinstance(value, Integral):
        return int(value)
    return int(float(value)) if float(value).is_integer() else None  # NaN and infinity are not
