"""Edits takes: trim, resample, merge. Works on arrays only; reading and writing are elsewhere.

Everything goes by timecode, not by row number: rows that the app did not write, because it lost the face, are gaps in
time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.character.groups import GROUPS
from arkit_mapping.takes import rows as rows_module
from arkit_mapping.takes.clock import COUNTINGS, MILLISECONDS, Counting, counting_of
from arkit_mapping.takes.csv import DAY_S, Take, TakeError

Align = Literal["timecode", "start"]
"""How two takes are aligned: by time of day, or first row to first row."""

LONGEST_ROWS = 4 * 3600 * FRAME_RATE
"""Largest number of rows after resampling: four hours, 200 MB. A single wrong timecode must not exhaust the memory."""
SAME_MOMENT_FRAMES = 0.02
"""A row this close to a requested time, in rows, counts as exact: the phone's timecode jitters by thousandths of a
frame."""

MOUTH = np.array([CHANNELS_61.index(name) for name in GROUPS["mouth"]], np.intp)
"""Wire indices of jaw, mouth, cheeks, nose and tongue; `merge` takes the others, eyes, brows and head, from the other
take."""

_SPAN = 4096
"""Rows interpolated at a time, so that a long take is not in memory twice."""


def duration_s(take: Take) -> float:
    """Duration from the first row to the last, seconds."""
    return float(take.times_s[-1] - take.times_s[0])


def gaps(take: Take) -> list[tuple[float, float]]:
    """Gaps with missing rows: (start in seconds from the first row, duration in seconds) each."""
    steps = np.diff(take.times_s)
    wide = np.flatnonzero(steps > 1.5 / take.rate)
    return [(float(take.times_s[at] - take.times_s[0]), float(steps[at])) for at in wide]


def at_times(take: Take, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Interpolate a take at given times.

    Between rows, also across gaps, values are interpolated linearly; before the first and after the last row they are
    held. A row within 1/50 of a row of the requested time is returned unchanged, so a take is reproduced exactly at its
    own times.

    Parameters
    ----------
    take
        The take.
    times_s
        float64 (n,), ascending, as `Take.times_s`.

    Returns
    -------
    float32 (n, 61), wire order
    """
    known, last = take.times_s, len(take.times_s) - 1
    after = np.clip(np.searchsorted(known, times_s), 0, last)
    before = np.maximum(after - 1, 0)
    span_s = known[after] - known[before]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(span_s > 0, (times_s - known[before]) / span_s, 0.0)
    near_s = SAME_MOMENT_FRAMES / take.rate
    part = np.where(known[after] - times_s <= near_s, 1.0, np.where(times_s - known[before] <= near_s, 0.0, part))
    share = np.clip(part, 0.0, 1.0).astype(np.float32)[:, None]
    mixed: NDArray[np.float32] = take.values[before] * (1 - share) + take.values[after] * share
    return mixed


def grid(take: Take, rate: Fraction | int, *, speed: float = 1.0) -> Iterator[NDArray[np.float64]]:
    """Times of evenly spaced frames of a take, from its first row to its last, in blocks.

    Parameters
    ----------
    take
        The take.
    rate
        Frames per second of playback.
    speed
        Playback speed, 1 is the original.

    Yields
    ------
    float64 (n,), as `Take.times_s`
    """
    count = grid_rows(take, rate, speed=speed)
    for first in range(0, count, _SPAN):
        numbers = np.arange(first, min(first + _SPAN, count))
        yield take.times_s[0] + numbers * (speed / float(rate))


def grid_rows(take: Take, rate: Fraction | int, *, speed: float = 1.0) -> int:
    """Number of times that `grid` yields."""
    return 1 + math.floor(duration_s(take) * float(rate) / speed + SAME_MOMENT_FRAMES)


def trim(take: Take, start_s: float | None = None, end_s: float | None = None) -> Take:
    """The rows from `start_s` to `end_s`, both as `Take.times_s` and inclusive, unchanged and with their own timecode.
    None is the start or end of the take. Raises TakeError when no row is in between."""
    first_s, last_s = float(take.times_s[0]), float(take.times_s[-1])
    start_s, end_s = first_s if start_s is None else start_s, last_s if end_s is None else end_s
    slack_s = SAME_MOMENT_FRAMES / take.rate
    inside = (take.times_s >= start_s - slack_s) & (take.times_s <= end_s + slack_s)
    if not inside.any():
        raise TakeError(
            f"got {start_s - first_s:.3f} s to {end_s - first_s:.3f} s, expected a part of the take, which has rows "
            "from 0 s to "
            f"{last_s - first_s:.3f} s ({timecode(first_s)} to {timecode(last_s)})"
        )
    return replace(take, values=take.values[inside], times_s=take.times_s[inside])


def resample(take: Take, rate: int) -> Take:
    """Resample a take to `rate` even rows per second, from its first row on; missing rows are interpolated by timecode.

    Raises TakeError for a rate outside 1 to 240 and for more rows than four hours have at 60.
    """
    if not 1 <= rate <= 240:
        raise TakeError(f"got {rate} rows a second, expected 1 to 240")
    rows = grid_rows(take, rate)
    if rows > LONGEST_ROWS:
        raise TakeError(
            f"would have {rows} rows, expected at most {LONGEST_ROWS}; trim it first, or look for a wrong timecode"
        )
    times_s = np.concatenate(list(grid(take, rate)))
    values = np.concatenate([at_times(take, times_s[first : first + _SPAN]) for first in range(0, rows, _SPAN)])
    return Take(values, times_s, rate)


def overlaps(one: Take, other: Take) -> bool:
    """Whether the two takes overlap in time of day."""
    return bool(one.times_s[0] <= other.times_s[-1] and other.times_s[0] <= one.times_s[-1])


def merge(mouth: Take, upper: Take, align: Align = "timecode") -> Take:
    """Combine jaw, mouth, cheeks, nose and tongue of one take with eyes, brows and head of another, where both have
    rows. Rows, rate and timecode are those of `mouth`; the other take is interpolated.

    Parameters
    ----------
    mouth, upper
        The two takes.
    align
        By time of day, or first row to first row.

    Raises
    ------
    TakeError
        The takes do not overlap.
    """
    if align == "timecode" and not overlaps(mouth, upper):
        ranges = f"{_range(mouth)} and {_range(upper)}"
        raise TakeError(f"the takes have no moment in common: {ranges}; to align their first rows: --align start")
    shift_s = float(upper.times_s[0] - mouth.times_s[0]) if align == "start" else 0.0
    first_s, last_s = float(upper.times_s[0]) - shift_s, float(upper.times_s[-1]) - shift_s
    common = trim(mouth, max(first_s, float(mouth.times_s[0])), min(last_s, float(mouth.times_s[-1])))
    values = np.concatenate(
        [
            at_times(upper, common.times_s[first : first + _SPAN] + shift_s)
            for first in range(0, len(common.times_s), _SPAN)
        ]
    )
    values[:, MOUTH] = common.values[:, MOUTH]
    return replace(common, values=values)


def moment(text: str, take: Take) -> float:
    """Parse a time given by the user: seconds from the first row (`2.5`) or a timecode (`10:00:02:12`), whose FF counts
    as in the take.

    Parameters
    ----------
    text
        As given by the user.
    take
        The take that it refers to.

    Returns
    -------
    Seconds, as `Take.times_s`

    Raises
    ------
    TakeError
        Anything else.
    """
    parts = text.replace(";", ":").split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and 0 <= numbers[0] < DAY_S:
        return float(take.times_s[0]) + numbers[0]
    counting = COUNTINGS["60"] if take.counts == MILLISECONDS.name else counting_of(take.counts)
    bounds = (24, 60, 60, counting.nominal)
    if len(numbers) != 4 or not all(0 <= number < bound for number, bound in zip(numbers, bounds, strict=True)):
        below = f" with FF below {counting.nominal}"
        raise TakeError(
            f"got moment {text[:40]!r}, expected seconds from the take's first row, as 2.5, or a timecode "
            f"HH:MM:SS:FF{below}"
        )
    hours, minutes, seconds, frames = numbers
    of_day_s = _time_of(3600 * hours + 60 * minutes + seconds, frames, counting, float(take.times_s[0]))
    return of_day_s + DAY_S if of_day_s < take.times_s[0] - DAY_S / 2 else of_day_s


def _time_of(second: float, frames: float, counting: Counting, first_s: float) -> float:
    """Time of a label in a take whose first row's label is `first_s`."""
    if not counting.slow:
        return second + frames / counting.nominal
    whole_s = math.floor(first_s)
    first = counting.frames(whole_s, (first_s - whole_s) * counting.nominal)
    return first_s + (counting.frames(second, frames) - first) * 1.001 / counting.nominal


def timecode(time_s: float) -> str:
    """`HH:MM:SS:FF.mmm` of a time as `Take.times_s`, FF in sixtieths of a second (`arkit_mapping.takes.csv`)."""
    return rows_module.timecode(rows_module.moment_of(time_s))


def _range(take: Take) -> str:
    return f"{timecode(float(take.times_s[0]))} to {timecode(float(take.times_s[-1]))}"
