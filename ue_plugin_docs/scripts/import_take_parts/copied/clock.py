# Copy of arkit_mapping/takes/clock.py, made by scripts/make_import_take.py: do not edit.
"""Detects what a take's timecode counts, from its labels, and converts the labels to seconds.

| last field | meaning |
|---|---|
| `FF.mmm` | the app's: frames with thousandths, sixtieths of a second whatever the take's rate |
| `FF` | frames; the rate is where FF restarts at a new second |
| `;FF` | drop-frame: 29.97, or 59.94 |
| `FF.mmm`, mmm the milliseconds of the second | milliseconds; FF repeats them roughly |
| `mmm`, or seconds with a fraction | milliseconds |

Labels alone cannot distinguish 23.976 from 24, 29.97 from 30, 59.94 from 60: the integer rate is assumed unless frames
are dropped. Labels of less than a second that do not exceed 30 are ambiguous: sixtieths are assumed, as this program
and the app write them. Only Python 3.9 and its standard library: scripts/make_import_take.py copies this module into
the script that runs in Unreal.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from statistics import median
from typing import NamedTuple

from .cells import TakeError

DAY = 86400
_FIELD = 60
"""Upper bound of FF, exclusive."""
_SEEN = (24, 25, 30, 48, 50, 60)
"""Rates that are detected; others must be given by the user."""
_SURE = 50
"""An FF of this or more occurs only at a rate of 60."""
_ENOUGH_ROWS = 10
_LABEL = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})([:;])(\d{1,3})(?:[.](\d{1,9}))?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})[.](\d{1,9})", re.ASCII)
_EXPECTED = f"expected HH:MM:SS:FF.mmm with FF below {_FIELD}"


class Counting(NamedTuple):
    """A way of counting timecode labels."""

    name: str
    """Rate, with `df` for drop-frame, or `milliseconds`."""
    nominal: int
    """Labels per second; 1000 for milliseconds."""
    slow: bool = False
    """Whether a second of labels lasts 1.001 seconds."""
    drop: bool = False
    """Whether labels are skipped to compensate for that."""

    def frames(self, second: float, field: float) -> float:
        """Frames from midnight of the first day to a label.

        Parameters
        ----------
        second
            Seconds of the label, may exceed 86400.
        field
            FF with its fraction.
        """
        dropped = self.nominal // 15 if self.drop else 0
        minutes = second // 60
        return second * self.nominal + field - dropped * (minutes - minutes // 10)


MILLISECONDS = Counting("milliseconds", 1000)
COUNTINGS = {
    counting.name: counting
    for counting in (
        Counting("23.976", 24, slow=True),
        Counting("24", 24),
        Counting("25", 25),
        Counting("29.97", 30, slow=True),
        Counting("29.97df", 30, slow=True, drop=True),
        Counting("30", 30),
        Counting("47.952", 48, slow=True),
        Counting("48", 48),
        Counting("50", 50),
        Counting("59.94", 60, slow=True),
        Counting("59.94df", 60, slow=True, drop=True),
        Counting("60", 60),
    )
}
_SLOWER = {24: "23.976", 30: "29.97", 48: "47.952", 60: "59.94"}


def counting_of(rate: str) -> Counting:
    """The way of counting given by the user: one of COUNTINGS, or an integer from 1 to 60. Raises TakeError."""
    if rate in COUNTINGS:
        return COUNTINGS[rate]
    if rate.isascii() and rate.isdecimal() and 1 <= int(rate[:3]) <= _FIELD:
        return Counting(str(int(rate)), int(rate))
    raise TakeError(
        f"--take-rate: got {rate[:40]!r}, expected {', '.join(COUNTINGS)} or another whole number from 1 to {_FIELD}"
    )


class Labels:
    """The timecode labels of the rows."""

    def __init__(self) -> None:
        self._lines = array("q")
        self._seconds = array("q")
        """Seconds of the day; they continue past midnight."""
        self._whole, self._part = array("q"), array("d")
        """FF, and its fraction in [0, 1)."""
        self._digits = self._fractions = self._clocks = 0
        """Rows whose last field has three digits, has a fraction, is a fraction of the second."""
        self._semicolon: bool | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, text: str, line: int) -> None:
        """Add the label of the next row. Raises TakeError for an invalid one; `line` is its line number."""
        match, clock = _LABEL.fullmatch(text), _CLOCK.fullmatch(text)
        found = match or clock
        second = _second(found.groups()[:3]) if found else None
        if found is None or second is None:
            raise TakeError(f"line {line}: got timecode {text[:40]!r}, {_EXPECTED}")
        if self._semicolon not in (None, ";" in text):
            raise TakeError(
                f"line {line}: got timecode {text[:40]!r}, {_EXPECTED}, and the same sign before FF in all rows"
            )
        self._semicolon = ";" in text
        if self._seconds and second + self._day() < self._seconds[-1] - DAY // 2:
            second += DAY
        self._lines.append(line)
        self._seconds.append(second + self._day())
        self._whole.append(int(match[5]) if match else 0)
        digits = match[6] if match else found[4]
        self._part.append(float("0." + digits) if digits else 0.0)
        self._digits += match is not None and len(match[5]) == 3
        self._fractions += match is not None and match[6] is not None
        self._clocks += clock is not None

    def counted(self, rate: str | None = None) -> tuple[Counting, str]:
        """Detect how the rows count. Needs at least one row.

        Parameters
        ----------
        rate
            Given by the user; it is trusted.

        Returns
        -------
        counting
            The way of counting.
        note
            Text about it where the result may be unexpected; empty otherwise.

        Raises
        ------
        TakeError
            The rate is ambiguous, or a label does not exist at the rate.
        """
        counting, note = (counting_of(rate), "") if rate else self._inferred()
        if counting.nominal != MILLISECONDS.nominal:
            self._check_fields(counting)
        return counting, note

    def seconds(self, counting: Counting) -> array[float]:
        """Time of each row, seconds since midnight of the first day; that of the first row equals its label. Raises
        TakeError when times decrease."""
        times = array("d", self._spread(counting))
        for at in range(1, len(times)):
            if times[at] < times[at - 1]:
                fall_s = times[at - 1] - times[at]
                raise TakeError(f"line {self._lines[at]}: timecode goes back by {fall_s:.3f} s, expected it to rise")
        return times

    def _spread(self, counting: Counting) -> list[float]:
        rows = zip(self._seconds, self._whole, self._part)  # noqa: B905 - three of one length; `strict` is newer than Unreal 5.3's Python
        if counting.nominal == MILLISECONDS.nominal:
            redundant = bool(self._fractions)
            return [second + (part if redundant or self._clocks else whole / 1000) for second, whole, part in rows]
        if not counting.slow:
            return [second + (whole + part) / counting.nominal for second, whole, part in rows]
        frames = [counting.frames(second, whole + part) for second, whole, part in rows]
        first_s = self._seconds[0] + (self._whole[0] + self._part[0]) / counting.nominal
        return [first_s + (frame - frames[0]) * 1.001 / counting.nominal for frame in frames]

    def _day(self) -> int:
        """Seconds of the completed days."""
        return self._seconds[-1] // DAY * DAY if self._seconds else 0

    def _inferred(self) -> tuple[Counting, str]:
        if self._clocks or self._whole_milliseconds() or self._milliseconds_twice():
            return MILLISECONDS, "the last field of its timecode is milliseconds"
        top = max(self._whole)
        turns = self._turns()
        seen = Counter(near for near in (_near(turn, top) for turn in turns) if near)
        if seen or top >= _SURE or (self._fractions and top >= _FIELD // 2):
            nominal = 60 if top >= _SURE or not seen else seen.most_common(1)[0][0]
            return self._dropped(nominal) if self._semicolon or self._skips(nominal) else self._plain(nominal)
        self._refuse_other(turns, top)
        name = "59.94df" if self._semicolon else "60"
        return COUNTINGS[name], (
            f"its timecode does not show how many FF make a second, being short or full of holes: {name} is assumed, "
            "as this program and the app count; --take-rate says otherwise"
        )

    def _plain(self, nominal: int) -> tuple[Counting, str]:
        if nominal == 60 and self._fractions:
            return COUNTINGS["60"], ""
        slower = (
            f" ({_SLOWER[nominal]} has the same labels: --take-rate {_SLOWER[nominal]} if it is that)"
            if nominal in _SLOWER
            else ""
        )
        odd = ", although it has ; before it as drop-frame would" if self._semicolon else ""
        return COUNTINGS[str(nominal)], f"FF of its timecode counts {nominal} a second{odd}{slower}"

    def _dropped(self, nominal: int) -> tuple[Counting, str]:
        name = {30: "29.97df", 60: "59.94df"}.get(nominal)
        if name is None:
            return self._plain(nominal)
        return COUNTINGS[name], f"its timecode counts {name[:-2]} a second, drop-frame"

    def _turns(self) -> list[float]:
        """Rates measured at each change of second: the last FF, plus a usual step, minus the first FF.

        Changes of minute count only if there are no others, as drop-frame skips labels there.
        """
        steps: list[float] = []
        turns: list[float] = []
        of_minutes: list[float] = []
        for at in range(1, len(self)):
            ahead, change = self._seconds[at] - self._seconds[at - 1], self._tick(at) - self._tick(at - 1)
            if ahead == 0 and change > 0:
                steps.append(change)
            elif ahead == 1:
                (turns if self._seconds[at] % 60 else of_minutes).append(-change)
        usual = median(steps) if steps else None
        return [] if usual is None else [turn + usual for turn in turns or of_minutes]

    def _tick(self, at: int) -> float:
        return self._whole[at] + self._part[at]

    def _refuse_other(self, turns: list[float], top: int) -> None:
        """Raise TakeError when most seconds show an unknown rate."""
        others = Counter(round(turn) for turn in turns)
        rate, often = others.most_common(1)[0] if others else (0, 0)
        if often > 1 and often > 0.8 * len(turns) and top < rate <= _FIELD:
            raise TakeError(
                f"its timecode begins anew after {rate} FF a second, expected {', '.join(map(str, _SEEN))}; "
                f"say what it counts: --take-rate {rate}"
            )

    def _skips(self, nominal: int) -> bool:
        """Whether the labels that drop-frame skips are missing at each change of minute, with the rows before and after
        present."""
        each, checked = nominal // 15, 0
        for at in range(1, 0 if self._fractions or nominal not in (30, 60) else len(self)):
            second = self._seconds[at]
            if second % 60 == 0 and second % 600 and self._seconds[at - 1] == second - 1:
                if self._whole[at] != each or self._whole[at - 1] != nominal - 1:
                    return False
                checked += 1
        return checked > 0

    def _check_fields(self, counting: Counting) -> None:
        for line, second, whole in zip(self._lines, self._seconds, self._whole):  # noqa: B905
            if whole >= counting.nominal:
                expected = (
                    _EXPECTED
                    if counting.nominal == _FIELD
                    else f"expected below {counting.nominal} at {counting.name} a second"
                )
                raise TakeError(f"line {line}: got FF {whole} in its timecode, {expected}")
            if counting.drop and second % 60 == 0 and second % 600 and whole < counting.nominal // 15:
                raise TakeError(
                    f"line {line}: FF {whole} at the turn of a minute is left out in {counting.name[:-2]} drop-frame; "
                    f"if no frames are dropped: --take-rate {counting.name[:-2]}"
                )

    def _whole_milliseconds(self) -> bool:
        """Whether the labels are `HH:MM:SS:mmm`."""
        top = max(self._whole)
        return not self._fractions and top >= _FIELD and (self._digits == len(self) or top >= 4 * _FIELD)

    def _milliseconds_twice(self) -> bool:
        """Whether the labels are `HH:MM:SS:FF.mmm` with mmm the milliseconds of the second and FF the same in
        frames."""
        if len(self) < _ENOUGH_ROWS or self._fractions < len(self) or not any(self._part):
            return False
        top = max(self._whole)
        return any(self._same_twice(nominal) > 0.9 * len(self) for nominal in _SEEN if top < nominal)

    def _same_twice(self, nominal: int) -> int:
        return sum(abs(part * nominal - whole) < 1.1 for whole, part in zip(self._whole, self._part))  # noqa: B905


def _second(fields: tuple[str, ...]) -> int | None:
    hours, minutes, seconds = map(int, fields)
    return 3600 * hours + 60 * minutes + seconds if hours < 24 and minutes < 60 and seconds < 60 else None


def _near(turn: float, top: int) -> int | None:
    """The known rate nearest to a measured one; None when there is none."""
    return next((rate for rate in _SEEN if abs(rate - turn) < 0.4 and rate > top), None)
