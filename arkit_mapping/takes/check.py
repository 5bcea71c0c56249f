"""Checks a take against the rules of Unreal's Live Link Face Importer, with one finding per violated rule.

A take that this program itself cannot read is an error too, with the reader's message.

There are two importers: the older one always counts FF in sixtieths; the newer one (Unreal 5.4) does so if any FF.mmm
of the file is over 30, and treats it as a 30 fps take otherwise. Both have the same rules for header, rows and cells.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE, SHAPE_COUNT, nearest
from arkit_mapping.takes.cells import MAY_BE_MISSING
from arkit_mapping.takes.csv import DAY_S, Take, TakeError, read_take
from arkit_mapping.takes.edit import gaps
from arkit_mapping.takes.folder import take_json_faults
from arkit_mapping.takes.names import imported_subject, named

Level = Literal["error", "warning", "note"]
"""error: refused, rows lost, or time or values wrong; warning: imported, but perhaps not as intended; note: worth
knowing."""
_LONGEST_LINE = 65536
_MAX_PER_KIND = 5
_ANGLE_LIMIT = math.pi
_ENOUGH_ROWS = 10
_KNOWN = {name.lower(): name for name in CHANNELS_61}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a take."""

    level: Level
    """Severity."""
    line: int
    """Line number from 1; 0 is the file as a whole."""
    text: str
    """One line of plain text."""


def check_take(path: str | Path, rate: str | None = None) -> list[Finding]:
    """Check a take's .csv and the take.json beside it.

    Parameters
    ----------
    path
        The .csv.
    rate
        What FF counts, as for `read_take`.

    Returns
    -------
    Findings by line, those about the whole file first; at most five of each kind, then the number of further ones

    Raises
    ------
    OSError
        The file cannot be read; any problem with its content is a finding.
    """
    found = _Findings()
    with open(path, encoding="utf-8-sig", errors="replace") as lines:
        times, rows = _check(lines, found)
    _judge_reading(Path(path), rate, times, found)
    for serious, text in take_json_faults(Path(path), rows):
        found.add("warning" if serious else "note", 0, "take.json", f"take.json: {text}")
    found.add("note", 0, "subject", _subject(Path(path)))
    return found.sorted()


def _judge_reading(path: Path, rate: str | None, times: _Times, found: _Findings) -> None:
    """Add the findings of this program's own reader."""
    try:
        take = read_take(path, rate)
    except TakeError as error:
        if not found.failed:
            found.add("error", 0, "reading", str(error).removeprefix(f"take {path}").lstrip(": "))
        return
    times.judge(take)
    for text in take.notes:
        found.add("note", 0, "reading", text)
    if found.failed:
        found.add(
            "note",
            0,
            "mending",
            "it can be read here: `livelink-bridge takes export` with -o OTHER.csv writes one that imports",
        )


def _subject(path: Path) -> str:
    imported, meant = imported_subject(path.name), named(path)[2]
    if imported == meant:
        return f"Unreal names the subject {imported!r}; choose that name in ARKit Face Subj"
    return (
        f"its subject is {meant!r}; imported by hand, Unreal names it {imported!r}: choose that name in ARKit Face "
        "Subj then"
    )


@dataclass(slots=True)
class _Findings:
    kept: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    levels: dict[str, Level] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return "error" in self.levels.values()

    def add(self, level: Level, line: int, kind: str, text: str) -> None:
        self.counts[kind] += 1
        self.levels[kind] = level
        if self.counts[kind] <= _MAX_PER_KIND:
            self.kept.append(Finding(level, line, text))

    def sorted(self) -> list[Finding]:
        further = [(kind, count - _MAX_PER_KIND) for kind, count in self.counts.items() if count > _MAX_PER_KIND]
        summaries = [Finding(self.levels[kind], 0, f"{kind}: {count} more of the same") for kind, count in further]
        return sorted([*summaries, *self.kept], key=lambda finding: finding.line)


def _check(lines: TextIO, found: _Findings) -> tuple[_Times, int]:
    """Times and number of the rows that importers accept."""
    names: list[str] = []
    times, rows = _Times(found), 0
    for number, line in _numbered(lines, found):
        if number == 1:
            names = [name for name in line.split(",") if name]
            if not _check_header(names, found):
                return times, 0
            continue
        if _stops_at(line, number, len(names), found):
            break
        rows += 1
        _check_row(line.split(","), number, [_KNOWN.get(name.lower(), "") for name in names], found, times)
    if not rows:
        found.add("error", 0, "rows", "no row that can be imported, expected at least one after the header")
    return times, rows


def _numbered(lines: TextIO, found: _Findings) -> Iterator[tuple[int, str]]:
    """Numbered lines without line ends; blank lines at the end of the file are skipped."""
    blank = 0
    number = 0
    while line := lines.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            found.add(
                "error", number, "line", f"line is longer than {_LONGEST_LINE} characters, expected a row of a take"
            )
            return
        if not line.strip():
            blank += 1
            continue
        yield from ((number - back, "") for back in range(blank, 0, -1))
        blank = 0
        yield number, line.rstrip("\r\n")


def _check_header(names: list[str], found: _Findings) -> bool:
    """Check the header; False when the file is not a take."""
    first = [name.lower() for name in names[:2]]
    if first != ["timecode", "blendshapecount"] or len(names) < 3:
        why = "; Unreal's own CSV writer makes such a file, no importer takes it" if " framerate" in first else ""
        found.add(
            "error",
            1,
            "header",
            f"got {','.join(names)[:40]!r}, expected Timecode,BlendShapeCount,EyeBlinkLeft ...{why}",
        )
        return False
    for name, times in Counter(name.lower() for name in names[2:]).items():
        if name not in _KNOWN:
            near = nearest(name, CHANNELS_61)
            found.add(
                "warning",
                1,
                "column",
                f"column {name[:40]!r} is no channel{near}: it becomes a curve that nothing reads",
            )
        elif times > 1:
            found.add("warning", 1, "column", f"column {_KNOWN[name]} is there {times} times")
    missing = [name for name in CHANNELS_61 if name.lower() not in {name.lower() for name in names}]
    shapes = [name for name in missing if name in CHANNELS_61[:SHAPE_COUNT]]
    if shapes == [MAY_BE_MISSING]:
        pass  # reported by the reader
    elif shapes:
        found.add(
            "error", 1, "missing", f"no column {shapes[0]} ({len(shapes)} of {SHAPE_COUNT} blend shapes are missing)"
        )
    elif missing:
        found.add(
            "note",
            1,
            "missing",
            f"no column {missing[0]} ({len(missing)} of the nine angles are missing): they read as 0",
        )
    return True


def _stops_at(line: str, number: int, width: int, found: _Findings) -> bool:
    """Whether importers stop at this row, because it has other than `width` cells without the empty ones."""
    cells = line.split(",")
    filled = sum(cell != "" for cell in cells)
    if filled == width:
        return False
    empty = len(cells) - filled
    why = f"{empty} empty" if len(cells) == width else f"{filled}, expected {width} as in the header"
    found.add("error", number, "cells", f"got cells: {why}; importers stop here and keep only the rows before")
    return True


def _check_row(cells: list[str], number: int, names: list[str], found: _Findings, times: _Times) -> None:
    cells = [cell for cell in cells if cell]
    moment = _moment(cells[0])
    if moment is None:
        found.add(
            "error",
            number,
            "timecode",
            f"got timecode {cells[0][:40]!r}, expected HH:MM:SS:FF.mmm, non-drop, FF below {FRAME_RATE}",
        )
    else:
        times.add(number, *moment)
    if cells[1].strip() not in (str(len(CHANNELS_61)), str(len(cells) - 2)):
        found.add(
            "warning",
            number,
            "count",
            f"got BlendShapeCount {cells[1][:40]!r}, expected {len(CHANNELS_61)}: 52 shapes and 9 angles",
        )
    for name, cell in zip(names[2:], cells[2:], strict=True):
        _check_value(name, cell, number, found)


def _check_value(name: str, cell: str, number: int, found: _Findings) -> None:
    try:
        value = float(cell)
    except ValueError:
        found.add(
            "error",
            number,
            "number",
            f"got {cell[:40]!r} for {name or 'a column'}, expected a number: importers read 0",
        )
        return
    if not math.isfinite(value):
        found.add("error", number, "finite", f"{name or 'a value'} is {value}: Unreal passes it to the rig unchanged")
    elif name in _SHAPES and not 0 <= value <= 1:
        found.add("warning", number, "range", f"{name} is {value:g}, expected 0 to 1")
    elif name in _ANGLES and abs(value) > _ANGLE_LIMIT:
        found.add("warning", number, "angle", f"{name} is {value:g}, expected radians: degrees spin the head")


_SHAPES, _ANGLES = frozenset(CHANNELS_61[:SHAPE_COUNT]), frozenset(CHANNELS_61[SHAPE_COUNT:])


def _moment(text: str) -> tuple[int, float] | None:
    """Whole seconds of the day, and FF.mmm; None for an invalid timecode."""
    parts = text.split(":")
    if len(parts) != 4 or not all(
        part.isascii() and part.isdecimal() for part in (*parts[:3], *parts[3].split(".", 1))
    ):
        return None
    hours, minutes, seconds, ff = int(parts[0][:9]), int(parts[1][:9]), int(parts[2][:9]), float(parts[3][:20])
    return (
        (3600 * hours + 60 * minutes + seconds, ff)
        if hours < 24 and minutes < 60 and seconds < 60 and ff < FRAME_RATE
        else None
    )


class _Times:
    """Checks the timecode of the rows: whether it rises, what it counts, where rows are missing."""

    def __init__(self, found: _Findings) -> None:
        self._found = found
        self._first: tuple[int, float] | None = None
        self._last_s = 0.0
        self._most_ff = 0.0
        self._rows = 0
        self._as_milliseconds = 0
        """Rows whose mmm equals the position of their FF within the second."""

    def add(self, line: int, second: int, ff: float) -> None:
        at_s = second + ff / FRAME_RATE
        self._rows += 1
        self._as_milliseconds += abs(ff % 1 * FRAME_RATE - int(ff)) < 1.1
        self._most_ff = max(self._most_ff, ff)
        if self._first is None:
            self._first = (second, ff)
        else:
            self._step(line, at_s - self._last_s)
        self._last_s = at_s

    def _step(self, line: int, step_s: float) -> None:
        if step_s < -DAY_S / 2:
            self._found.add(
                "warning",
                line,
                "midnight",
                "the take runs over midnight: importers put the rows from here on at the front",
            )
        elif step_s < 0:
            self._found.add("error", line, "back", f"timecode goes back by {-step_s:.3f} s, expected it to rise")
        elif step_s == 0:
            self._found.add(
                "warning", line, "repeat", "timecode is that of the row before: only one of them is imported"
            )

    def judge(self, take: Take) -> None:
        """Add the findings that need the whole file."""
        if self._first is None:
            return
        self._judge_rate(take.counts)
        if self._rows >= _ENOUGH_ROWS and self._as_milliseconds > 0.9 * self._rows:
            self._found.add(
                "warning",
                0,
                "milliseconds",
                "the mmm of FF.mmm are milliseconds of the second in most rows, "
                "expected thousandths of a sixtieth: importers see uneven rows",
            )
        missing = len(gaps(take))
        if missing:
            self._found.add(
                "note", 0, "gaps", f"rows are missing in {missing} places: importers draw straight lines there"
            )
        if self._first[0]:
            self._found.add(
                "note",
                0,
                "start",
                f"the take begins {self._first[0] + self._first[1] / FRAME_RATE:.3f} s into the sequence",
            )

    def _judge_rate(self, counts: str) -> None:
        """Check the rate: importers count sixtieths, the newer one thirtieths too."""
        if counts not in ("60", "30", "milliseconds"):
            self._found.add(
                "error",
                0,
                "rate",
                f"its timecode counts {counts} a second, importers count 60, newer ones 30 where no FF "
                "is over 30: each second lasts another time",
            )
        elif self._most_ff > FRAME_RATE / 2 or counts == "milliseconds":
            return
        elif counts == "30":
            text = "FF counts in thirtieths: newer importers (Unreal 5.4) read it right, older ones halve its fractions"
            self._found.add("warning", 0, "rate", text)
        else:
            text = (
                "no FF is over 30: newer importers (Unreal 5.4) take it for 30 fps and double its fractions; 0.6 s "
                "of rows are enough"
            )
            self._found.add("warning", 0, "rate", text)
