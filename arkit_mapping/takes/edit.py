"""Takes cut, put on another grid and put together. Arrays in, arrays out: reading and writing are `takes`' and the
exporters'.

Everything goes by timecode, never by row number: rows that the app left out, because it lost the face, are gaps in
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
"""How two takes are laid over each other: moment by moment of the day, or first row on first row."""

LONGEST_ROWS = 4 * 3600 * FRAME_RATE
"""Most rows that a take may be resampled to: four hours, 200 MB. One wrong timecode must not ask for all memory."""
SAME_MOMENT_FRAMES = 0.02
"""A row this near to the moment asked for, in rows, is that moment: the phone's timecode trembles by thousandths of a
frame."""

MOUTH = np.array([CHANNELS_61.index(name) for name in GROUPS["mouth"]], np.intp)
"""Where jaw, mouth, cheeks, nose and tongue stand in wire order; `merge` takes the rest, eyes, brows and head, from the
other take."""

_SPAN = 4096
"""Rows interpolated at a time, so that a long take is not held twice."""


def duration_s(take: Take) -> float:
    """From the first row to the last, seconds."""
    return float(take.times_s[-1] - take.times_s[0])


def gaps(take: Take) -> list[tuple[float, float]]:
    """Where rows are missing: (seconds from the first row, seconds without one) for each place."""
    steps = np.diff(take.times_s)
    wide = np.flatnonzero(steps > 1.5 / take.rate)
    return [(float(take.times_s[at] - take.times_s[0]), float(steps[at])) for at in wide]


def at_times(take: Take, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """The face at rising moments, float64 (n,) as `Take.times_s` counts: float32 (n, 61).

    Between rows, also across a gap, it is on the straight line from one to the other; before the first and after the
    last it is held. A row within a fiftieth of a row of the moment is given as it is, so a take comes back exactly on
    its own grid.
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
    """Moments of a take, `rate` a second while it is played `speed` times as fast, from its first row to its last, in
    blocks."""
    count = grid_rows(take, rate, speed=speed)
    for first in range(0, count, _SPAN):
        numbers = np.arange(first, min(first + _SPAN, count))
        yield take.times_s[0] + numbers * (speed / float(rate))


def grid_rows(take: Take, rate: Fraction | int, *, speed: float = 1.0) -> int:
    """How many moments `grid` has."""
    return 1 + math.floor(duration_s(take) * float(rate) / speed + SAME_MOMENT_FRAMES)


def trim(take: Take, start_s: float | None = None, end_s: float | None = None) -> Take:
    """The rows from `start_s` to `end_s`, both counted as `Take.times_s` and included, as they are, with their own
    timecode.

    Raises TakeError where no row is in between.
    """
    first_s, last_s = float(take.times_s[0]), float(take.times_s[-1])
    start_s, end_s = first_s if start_s is None else start_s, last_s if end_s is None else end_s
    slack_s = SAME_MOMENT_FRAMES / take.rate
    kept = (take.times_s >= start_s - slack_s) & (take.times_s <= end_s + slack_s)
    if not kept.any():
        raise TakeError(
            f"got {start_s - first_s:.3f} s to {end_s - first_s:.3f} s, expected a part of the take, which has rows "
            "from 0 s to "
            f"{last_s - first_s:.3f} s ({timecode(first_s)} to {timecode(last_s)})"
        )
    return replace(take, values=take.values[kept], times_s=take.times_s[kept])


def resample(take: Take, rate: int) -> Take:
    """The take with `rate` even rows a second from its first row's time, missing rows filled in by timecode.

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
    """Whether the two have a moment of the day in common."""
    return bool(one.times_s[0] <= other.times_s[-1] and other.times_s[0] <= one.times_s[-1])


def merge(mouth: Take, upper: Take, align: Align = "timecode") -> Take:
    """Jaw, mouth, cheeks, nose and tongue of one take with eyes, brows and head of another, for as long as both last.

    Rows, rate and timecode are those of `mouth`; the other face is interpolated at them. Raises TakeError where the two
    have nothing in common.
    """
    if align == "timecode" and not overlaps(mouth, upper):
        both = f"{_range(mouth)} and {_range(upper)}"
        raise TakeError(
            f"the takes have no moment in common: {both}; to lay their first rows over each other: --align start"
        )
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
    """A moment as a user writes it, as `Take.times_s` counts: seconds from the first row (`2.5`) or a timecode
    (`10:00:02:12`), whose FF counts what the take's own does.

    Raises TakeError for anything else.
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
    """When a label is, in a take whose first row's label says `first_s`."""
    if not counting.slow:
        return second + frames / counting.nominal
    whole_s = math.floor(first_s)
    first = counting.frames(whole_s, (first_s - whole_s) * counting.nominal)
    return first_s + (counting.frames(second, frames) - first) * 1.001 / counting.nominal


def timecode(time_s: float) -> str:
    """`HH:MM:SS:FF.mmm` of a moment, FF in sixtieths of a second as every take counts (`arkit_mapping.takes.csv`)."""
    return rows_module.timecode(rows_module.moment_of(time_s))


def _range(take: Take) -> str:
    return f"{timecode(float(take.times_s[0]))} to {timecode(float(take.times_s[-1]))}"
