"""Live Link Face takes as Level Sequences with their sound, for the Unreal editor. Needs nothing but this file.

In the editor, with the plugins Live Link Face Importer, Python Editor Script Plugin and Sequencer Scripting on, type into the
Output Log's Cmd line:

    py "C:/bridge/ue_plugin_docs/scripts/import_take.py" C:/takes --dest /Game/Takes

Anywhere else, with any Python from 3.9, the same command says what it would do and what is wrong with each take:

    python import_take.py takes --dry-run

Unreal's own importer makes the sequence. What it gets is a copy of the take in which its traps are out of the way: the first row
at the sequence's beginning instead of at the time of day, sixtieths in FF, no row at which it would stop, at least one FF over 30
so that no version takes it for 30 fps, and a name from which it reads the subject that is meant. Then the sound is laid beside it.

Unreal's API is used under the names of its Python API documentation. This has been run against a small stand-in for that API only
(tests/ue_plugin_docs), not in an editor.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import math
import os
import re
import struct
import sys
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

RATE = 60
"""What FF counts in the takes that Unreal's importer gets, and frames a second of the sequences."""

# --- made by scripts/make_import_take.py: begin ---

# arkit_mapping/channels.py
SHAPE_COUNT = 52
"""How many of the 61 are blend shapes, weights in [0, 1]. The other nine are head and eye angles in radians, the app's
unit."""

CHANNELS_61: tuple[str, ...] = (
    *(
        "EyeBlinkLeft",
        "EyeLookDownLeft",
        "EyeLookInLeft",
        "EyeLookOutLeft",
        "EyeLookUpLeft",
        "EyeSquintLeft",
        "EyeWideLeft",
    ),
    *(
        "EyeBlinkRight",
        "EyeLookDownRight",
        "EyeLookInRight",
        "EyeLookOutRight",
        "EyeLookUpRight",
        "EyeSquintRight",
        "EyeWideRight",
    ),
    *("JawForward", "JawLeft", "JawRight", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthLeft", "MouthRight"),
    *("MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft", "MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight"),
    *(
        "MouthStretchLeft",
        "MouthStretchRight",
        "MouthRollLower",
        "MouthRollUpper",
        "MouthShrugLower",
        "MouthShrugUpper",
    ),
    *(
        "MouthPressLeft",
        "MouthPressRight",
        "MouthLowerDownLeft",
        "MouthLowerDownRight",
        "MouthUpperUpLeft",
        "MouthUpperUpRight",
    ),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut"),
    *("HeadYaw", "HeadPitch", "HeadRoll"),
    *("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
)
"""Wire order: the order of the floats in a Live Link packet and of every pose in this project. PascalCase, as Unreal
names them."""


def camel(name: str) -> str:
    """`JawOpen` -> `jawOpen`: ARKit's own spelling."""
    return name[:1].lower() + name[1:]


def pascal(name: str) -> str:
    """`jawOpen` -> `JawOpen`: Unreal's spelling."""
    return name[:1].upper() + name[1:]


ARKIT_52: tuple[str, ...] = tuple(camel(name) for name in CHANNELS_61[:SHAPE_COUNT])
"""The blend shapes in wire order, camelCase."""

MOUTH_32: tuple[str, ...] = (
    *ARKIT_52[CHANNELS_61.index("JawForward") : CHANNELS_61.index("MouthUpperUpRight") + 1],
    *ARKIT_52[CHANNELS_61.index("CheekPuff") : CHANNELS_61.index("NoseSneerRight") + 1],
)
"""What a speech network predicts, in its order: 4 jaw, 23 mouth, 3 cheek, 2 nose; camelCase. The tongue is not among
them."""

_RIGHT_FIRST = {"JawLeft": "JawRight", "JawRight": "JawLeft", "MouthLeft": "MouthRight", "MouthRight": "MouthLeft"}

TAKE_COLUMNS: tuple[str, ...] = tuple(_RIGHT_FIRST.get(name, name) for name in CHANNELS_61)
"""The 61 channels in the column order of a Live Link Face take, after its Timecode and BlendShapeCount. Never a
packet's order."""


def index_of(name: str) -> int:
    """Position of a channel in wire order, its first letter in either case. KeyError with the nearest name for an
    unknown one."""
    try:
        return _POSITION[pascal(name)]
    except KeyError:
        raise KeyError(f"unknown channel {name!r}{nearest(name, CHANNELS_61)}") from None


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`, did you mean X?` for the known name most like this one, or nothing when none is like it. Letter case is
    ignored."""
    lower = {candidate.lower(): candidate for candidate in known}
    matches = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f", did you mean {lower[matches[0]]}?" if matches else ""


_POSITION = {name: position for position, name in enumerate(CHANNELS_61)}


# arkit_mapping/takes/cells.py
MAY_BE_MISSING = "TongueOut"
"""The last shape that ARKit got: many tools write the 51 others."""
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_BEFORE_FF = re.compile(r"\d+:\d+:\d+")
"""A label whose `;` before FF was taken for a separator."""


class TakeError(ValueError):
    """A take that cannot be read or written. The text is one line for the user, with the file and the line number in
    it."""


class Cells:
    """Rows of cells below a header; iterating gives line number and cells of each row that is not blank.

    Decimal commas come as points. Raises TakeError for a header that is no take's, and while iterating for a row of
    another width.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.odd: dict[str, None] = {}
        """What is unlike the app's files, in a few words each; complete when all rows were read."""
        first = next(self._lines, "").strip("\r\n \ufeff")
        bare = re.sub(r'"[^"]*"', "", first)
        self._separator = max(_SEPARATORS, key=bare.count)
        if self._separator != ",":
            self.odd[f"cells separated by {_SEPARATORS[self._separator]}"] = None
        self.header = tuple(self._split(first))
        while self.header and not self.header[-1]:
            self.header = self.header[:-1]
            self.odd["separators at line ends"] = None
        if [name.lower() for name in self.header[:2]] != ["timecode", "blendshapecount"] or len(self.header) < 3:
            raise TakeError(
                f"line 1: got {first[:40]!r}, expected the header of a take: Timecode,BlendShapeCount,EyeBlinkLeft,..."
            )

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        for number, line in enumerate(self._lines, start=2):
            if line.strip():
                yield number, self._row(line.strip("\r\n "), number)

    def _row(self, line: str, number: int) -> list[str]:
        cells, width = self._split(line), len(self.header)
        if self._separator == ";" and len(cells) > 1 and _BEFORE_FF.fullmatch(cells[0]):
            cells[:2] = [f"{cells[0]};{cells[1]}"]
        while len(cells) > width and not cells[-1]:
            cells.pop()
            self.odd["separators at line ends"] = None
        if len(cells) != width:
            why = (
                "; are they decimal commas? quote them, or separate cells by semicolons"
                if len(cells) >= 2 * width - 2
                else ""
            )
            raise TakeError(f"line {number}: got {len(cells)} cells, expected {width} as in the header{why}")
        if (self._separator != "," or '"' in line) and any("," in cell for cell in cells):
            self.odd["decimal commas"] = None
            cells = [cell.replace(",", ".") for cell in cells]
        return cells

    def _split(self, line: str) -> list[str]:
        if '"' not in line:
            cells = line.split(self._separator)
            return [cell.strip() for cell in cells] if " " in line else cells
        self.odd["cells in quotes"] = None
        return [cell.strip() for cell in next(csv.reader([line], delimiter=self._separator), [])]


def missing_shape(header: tuple[str, ...]) -> str:
    """What is said of a header without TongueOut; empty where no shape is missing. Raises TakeError for any other that
    is."""
    names, known = {name.lower() for name in header}, {name.lower() for name in CHANNELS_61}
    missing = [name for name in CHANNELS_61[:SHAPE_COUNT] if name.lower() not in names]
    if missing in ([], [MAY_BE_MISSING]):
        return f"it has no column {MAY_BE_MISSING}, which is 0 then" if missing else ""
    near = nearest(missing[0], tuple(name for name in header[2:] if name.lower() not in known))
    raise TakeError(f"line 1: no column {missing[0]}{near} ({len(missing)} of {SHAPE_COUNT} blend shapes are missing)")


def numbers(cells: list[str], line: int) -> list[float]:
    """The values of a row, from its third cell on. Raises TakeError for what is no finite number of float32."""
    try:
        values = [float(cell) for cell in cells[2:]]
    except ValueError:
        column = next(at for at, cell in enumerate(cells[2:], start=3) if not is_number(cell))
        raise TakeError(f"line {line}, column {column}: got {cells[column - 1][:40]!r}, expected a number") from None
    if not all(-3e38 < value < 3e38 for value in values):  # NaN fails the comparison too
        raise TakeError(f"line {line}: a value is not finite")
    return values


def is_number(text: str) -> bool:
    """Whether Python reads it as one, finite or not."""
    try:
        return not math.isnan(float(text)) or True
    except ValueError:
        return False


# arkit_mapping/takes/clock.py
DAY = 86400
_FIELD = 60
"""FF is below it."""
_SEEN = (24, 25, 30, 48, 50, 60)
"""What FF may be seen to count; other rates must be told."""
_SURE = 50
"""An FF from here on is only there where 60 are counted."""
_ENOUGH_ROWS = 10
_LABEL = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})([:;])(\d{1,3})(?:[.](\d{1,9}))?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})[.](\d{1,9})", re.ASCII)
_EXPECTED = f"expected HH:MM:SS:FF.mmm with FF below {_FIELD}"


class Counting(NamedTuple):
    """How labels count."""

    name: str
    nominal: int
    """Labels a second; 1000 are milliseconds."""
    slow: bool = False
    """Whether a second of labels takes 1.001 seconds."""
    drop: bool = False
    """Whether labels are left out to make up for that."""

    def frames(self, second: float, field: float) -> float:
        """Frames since midnight of the first day of a label, whose seconds may pass 86400."""
        left_out = self.nominal // 15 if self.drop else 0
        minutes = second // 60
        return second * self.nominal + field - left_out * (minutes - minutes // 10)


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
    """The way of counting that a user names: one of COUNTINGS, or a whole number from 1 to 60. Raises TakeError."""
    if rate in COUNTINGS:
        return COUNTINGS[rate]
    if rate.isascii() and rate.isdecimal() and 1 <= int(rate[:3]) <= _FIELD:
        return Counting(str(int(rate)), int(rate))
    raise TakeError(
        f"--take-rate: got {rate[:40]!r}, expected {', '.join(COUNTINGS)} or another whole number from 1 to {_FIELD}"
    )


class Labels:
    """The timecode of each row."""

    def __init__(self) -> None:
        self._lines = array("q")
        self._seconds = array("q")
        """Of the day; past midnight they go on counting."""
        self._whole, self._part = array("q"), array("d")
        """FF, and its fraction in [0, 1)."""
        self._digits = self._fractions = self._clocks = 0
        """Rows whose last field has three digits, has a fraction, is a fraction of the second."""
        self._semicolon: bool | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, text: str, line: int) -> None:
        """Take the label of the next row. Raises TakeError for what is none."""
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
        """How the rows count, and a line about it where a reader might think otherwise, else an empty text. At least
        one row.

        rate : what the user says, which is believed

        Raises TakeError where no reader could know, and for labels that do not exist at the rate.
        """
        counting, said = (counting_of(rate), "") if rate else self._inferred()
        if counting.nominal != MILLISECONDS.nominal:
            self._check_fields(counting)
        return counting, said

    def seconds(self, counting: Counting) -> array[float]:
        """Seconds since midnight of the first day, of each row; the first row's is what its label says. They never
        fall: TakeError."""
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
        """Seconds of the days that are over."""
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
        """FF that make a second, by each place where the second turns to the next: the last FF, a usual step, less the
        first FF.

        Turns of the minute count only where there is no other: there drop-frame leaves out labels.
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
        """TakeError where second after second shows a rate that nobody counts at."""
        others = Counter(round(turn) for turn in turns)
        rate, often = others.most_common(1)[0] if others else (0, 0)
        if often > 1 and often > 0.8 * len(turns) and top < rate <= _FIELD:
            raise TakeError(
                f"its timecode begins anew after {rate} FF a second, expected {', '.join(map(str, _SEEN))}; "
                f"say what it counts: --take-rate {rate}"
            )

    def _skips(self, nominal: int) -> bool:
        """Whether the labels that drop-frame leaves out are missing at each turn of a minute, with the row before and
        after there."""
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
        """`HH:MM:SS:mmm`"""
        top = max(self._whole)
        return not self._fractions and top >= _FIELD and (self._digits == len(self) or top >= 4 * _FIELD)

    def _milliseconds_twice(self) -> bool:
        """`HH:MM:SS:FF.mmm` with mmm the milliseconds of the second, which FF says too, cut to frames."""
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
    """The rate that a turn of the second shows; None for one that nobody counts at."""
    return next((rate for rate in _SEEN if abs(rate - turn) < 0.4 and rate > top), None)


# arkit_mapping/takes/names.py
VARIANTS = ("_cal", "", "_raw", "_neutral")
"""Endings of a take's files; the first that is there is meant."""
SOUNDS = (".wav", ".WAV", ".flac", ".ogg", ".aif", ".aiff", ".mp3")
"""Endings of a take's sound; the first that is there is meant."""
_NOT_TAKES = ("frame_log.csv",)
_APP_NAME = re.compile(r"(.+?)_(\d{1,9})_(.+)", re.ASCII)
_OWN_NAME = re.compile(r"(.+)_(\d{1,9})", re.ASCII)
_BEGINNING = re.compile(r"\s*\"?timecode\"?\s*[,;\t]\s*\"?blendshapecount\b", re.IGNORECASE)
_LARGEST_TAKE_JSON = 1 << 20


def takes_at(path: Path) -> list[Path]:
    """The .csv of each take: the file itself, or all in a folder and in those below it, by path.

    Hidden files and folders, and links to folders, are passed over; so is a .csv that neither begins as a take nor is
    named as one of the app's. Raises TakeError where nothing is.
    """
    if not path.exists():
        raise TakeError(f"take {path}: no such file or folder")
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for folder, below, names in os.walk(path, onerror=_refuse):
        below[:] = sorted(name for name in below if not name.startswith("."))
        found += _takes_among([Path(folder, name) for name in sorted(names)])
    if not found:
        raise TakeError(
            f"{path} holds no take, expected .csv files that begin with Timecode,BlendShapeCount, in it or in folders "
            "below"
        )
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise TakeError(f"{error.filename} cannot be read: {error.strerror}")


def _takes_among(files: list[Path]) -> list[Path]:
    """Of one folder's files."""
    chosen: dict[str, Path] = {}
    for path in files:
        if (
            path.suffix.lower() != ".csv"
            or path.name.startswith(".")
            or path.name.lower() in _NOT_TAKES
            or not _is_take(path)
        ):
            continue
        name = plain_stem(path.stem)
        if name not in chosen or _rank(path) < _rank(chosen[name]):
            chosen[name] = path
    return list(chosen.values())


def _is_take(path: Path) -> bool:
    """Whether a file begins as a take, or is named as the app names them; one that cannot be read is told when it is
    opened."""
    if not path.is_file():
        return False
    if _APP_NAME.fullmatch(path.stem):
        return True
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as lines:
            return _BEGINNING.match(lines.readline(200)) is not None
    except OSError:
        return True


def plain_stem(stem: str) -> str:
    """A take's name without the ending of a calibrated take's files."""
    return next((stem[: -len(kind)] for kind in VARIANTS if kind and stem.lower().endswith(kind)), stem)


def _rank(csv: Path) -> int:
    return VARIANTS.index(csv.stem[len(plain_stem(csv.stem)) :].lower())


def sound_beside(csv: Path) -> Path | None:
    """The sound of the take's name beside it, with or without `_cal`; None where there is none."""
    stems = dict.fromkeys((csv.stem, plain_stem(csv.stem)))
    named = (csv.with_name(stem + ending) for ending in SOUNDS for stem in stems)
    return next((path for path in named if path.is_file()), None)


def no_sound(csv: Path) -> str:
    """Why a take is silent and what gives it a sound, in one line."""
    wav = plain_stem(csv.stem) + ".wav"
    film = next(
        (path for ending in (".mov", ".MOV") if (path := csv.with_name(plain_stem(csv.stem) + ending)).is_file()), None
    )
    if film is not None:
        return f"no sound beside it, expected {wav}; the app keeps the sound in its film: ffmpeg -i {film.name} {wav}"
    return f"no sound beside it, expected {wav}: put it there under this name, or convert again with --with-sound"


def named(csv: Path) -> tuple[str, int | None, str]:
    """Slate, number and subject: of take.json where it is this take's, else of the name.

    `MySlate_167_iPhone` -> MySlate, 167, iPhone; `LiveLinkBridge_3` -> no slate, 3, LiveLinkBridge; `line` -> no slate,
    no number, line.
    """
    stem = plain_stem(csv.stem)
    described = _described(csv)
    if described is not None:
        return described
    app, own = _APP_NAME.fullmatch(stem), _OWN_NAME.fullmatch(stem)
    if app:
        return app[1], int(app[2]), app[3]
    return ("", int(own[2]), own[1]) if own else ("", None, stem)


def _described(csv: Path) -> tuple[str, int | None, str] | None:
    """As take.json has them; None where it is not there or not of this take."""
    path = csv.with_name("take.json")
    try:
        if path.stat().st_size > _LARGEST_TAKE_JSON:
            return None
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
        slate, take, subject = str(entries["slate"]), int(entries["take"]), str(entries["subject"])
        beside = [other for other in csv.parent.glob("*.csv") if other.name.lower() not in _NOT_TAKES]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return (slate, take, subject) if f"_{take}_" in csv.stem or len(beside) == 1 else None


def imported_subject(name: str) -> str:
    """The subject that Unreal's importer makes of an asset's or a file's name (LiveLinkFaceImporterFactory.cpp,
    CreateSubjectString).

    The ending of a calibrated take goes. Of more than three parts between underscores the first goes, and all up to and
    with the first number; where nothing would be left, nothing goes.
    """
    stem = name[:-4] if name.lower().endswith(".csv") else name
    for kind in ("_cal", "_raw", "_neutral"):
        stem = stem[: -len(kind)] if stem.lower().endswith(kind) else stem
    parts = stem.split("_")
    numbers = [at for at, part in enumerate(parts) if at and re.fullmatch(r"(?=.)[+-]?\d*\.?\d*", part, re.ASCII)]
    rest = parts[numbers[0] + 1 :] if len(parts) > 3 and numbers else []
    return "_".join(rest) if rest else stem

# --- made by scripts/make_import_take.py: end ---


@dataclass(frozen=True)
class Take:
    """The rows of a take, as text but for their times."""

    header: tuple[str, ...]
    """Column names; the first two are Timecode and BlendShapeCount."""
    ticks: tuple[float, ...]
    """Sixtieths of a second since midnight of the first row's day, rising."""
    rows: tuple[tuple[str, ...], ...]
    """The cells of each row from the second on."""
    notes: tuple[str, ...]
    """What was mended in reading."""


@dataclass(frozen=True)
class Plan:
    """What one take becomes."""

    csv: Path
    wav: Path | None
    take: Take
    """With its times in the sequence."""
    subject: str
    sequence: str
    sound: str
    """Asset names; the latter empty without sound."""
    sound_frames: int
    """The sound's length in sixtieths, rounded up."""
    notes: tuple[str, ...]

    @property
    def first_frame(self) -> int:
        return round(self.take.ticks[0])

    @property
    def frames(self) -> int:
        """From the first row to the end of what lasts longer, face or sound."""
        return max(math.ceil(self.take.ticks[-1]) + 1 - self.first_frame, self.sound_frames)


def read_take(path: Path, rate: str | None = None) -> Take:
    """The take in a file, as `livelink-bridge` reads it. Raises TakeError with the line at which it cannot be read."""
    try:
        with open(path, encoding="utf-8-sig") as lines:
            return _read(lines, rate)
    except UnicodeDecodeError:
        raise TakeError("is not text in UTF-8, expected a Live Link Face CSV") from None
    except OSError as error:
        raise TakeError(f"cannot be read: {error.strerror}") from None


def _read(lines: Iterable[str], rate: str | None) -> Take:
    """Of rows with one time the last is kept."""
    cells, labels, rows = Cells(lines), Labels(), []
    lacking = missing_shape(cells.header)
    for number, row in cells:
        labels.add(row[0], number)
        numbers(row, number)
        rows.append(tuple(row[1:]))
    if not rows:
        raise TakeError("has no rows, expected at least one after the header")
    counting, said = labels.counted(rate)
    kept = dict(zip((round(second * RATE, 6) for second in labels.seconds(counting)), rows))  # noqa: B905 - `strict` is newer than Unreal 5.3's Python
    notes = [note for note in (said, lacking) if note]
    if cells.odd:
        notes.append(f"it has {' and '.join(cells.odd)}")
    if max(kept) >= DAY * RATE:
        notes.append("runs over midnight: the rows after it are kept at the end")
    return Take(cells.header, tuple(kept), tuple(kept.values()), tuple(notes))


def sound_frames(wav: Path) -> int:
    """A .wav's length in sixtieths of a second, rounded up, from its header alone; RIFF and RF64."""
    with open(wav, "rb") as file:
        kind, _, form = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        if kind not in (b"RIFF", b"RF64") or form != b"WAVE":
            raise TakeError(f"{wav.name} is no .wav file")
        bytes_a_second, long_size = 0, 0
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                size = long_size if kind == b"RF64" and size == 0xFFFFFFFF else size
                if bytes_a_second:
                    return -(-size * RATE // bytes_a_second)
                break
            body = file.read(size + size % 2)
            if name == b"fmt ":
                bytes_a_second = struct.unpack_from("<I", body, 8)[0]
            elif name == b"ds64":
                long_size = struct.unpack_from("<Q", body, 8)[0]
    raise TakeError(f"{wav.name} holds no sound: no fmt and data in it")


def asset_name(csv: Path, subject: str) -> str:
    """A name for the sequence from which the importer reads just this subject."""
    slate, number, _ = named(csv)
    slate = clean(slate or plain_stem(csv.stem)).replace("_", "-")
    for name in (f"LS_{clean(plain_stem(csv.stem))}", f"LS-{slate}_take_{number or 1}_{subject}"):
        if imported_subject(name) == subject:
            return name
    raise TakeError(
        f"no asset name gives the subject {subject!r}: it ends like a calibrated take; give another with --subject"
    )


def clean(name: str) -> str:
    """A name with hyphens for what no asset's name may hold."""
    return re.sub(r"[\s\"',/.:|&!~@#(){}\[\]=;^%$`\\<>?*+]+", "-", name).strip("-") or "take"


def make_plan(csv: Path, *, subject: str | None = None, keep_timecode: bool = False, with_sound: bool = True,
              rate: str | None = None) -> Plan:  # fmt: skip
    """What would become of a take. TakeError for what cannot be imported as meant."""
    take = read_take(csv, rate)
    notes = list(take.notes)
    asked = subject or named(csv)[2]
    wanted = clean(asked)
    if wanted != asked:
        notes.append(
            f"the subject {asked!r} cannot stand in an asset's name: choose {wanted!r} on the MetaHuman for this sequence"
        )
    name = asset_name(csv, wanted)
    wav = sound_beside(csv) if with_sound else None
    if wav is None and with_sound:
        notes.append(f"silent: {no_sound(csv)}")
    elif wav is not None and wav.suffix.lower() != ".wav":
        notes.append(f"silent: {wav.name} is no .wav; ffmpeg -i {wav.name} {plain_stem(csv.stem)}.wav makes one")
        wav = None
    placed = placed_at(take, float(round(take.ticks[0])) if keep_timecode else 0.0)
    if len(placed.rows) > len(take.rows):
        notes.append(f"{len(placed.rows) - len(take.rows)} neutral rows added, so that no importer takes it for 30 fps")
    return Plan(
        csv, wav, placed, wanted, name, "SW" + name[2:] if wav else "", sound_frames(wav) if wav else 0, tuple(notes)
    )


def placed_at(take: Take, first: float) -> Take:
    """The take with its first row at this sixtieth, and neutral rows after its end until one FF is over 30."""
    ticks, rows = [tick - take.ticks[0] + first for tick in take.ticks], list(take.rows)
    neutral = (rows[-1][0], *("0.0000000000" for _ in take.header[2:]))
    while not any(round(tick % RATE, 3) > RATE / 2 for tick in ticks):
        ticks.append(ticks[-1] + 1)
        rows.append(neutral)
    return Take(take.header, tuple(ticks), tuple(rows), take.notes)


def csv_text(take: Take) -> str:
    """The take as a file for the importer. Hours go on past 23, which it reads as such."""
    header = ",".join(("Timecode", "BlendShapeCount", *take.header[2:]))
    return "\n".join((header, *(f"{timecode(tick)},{','.join(row)}" for tick, row in zip(take.ticks, take.rows)), ""))  # noqa: B905


def timecode(tick: float) -> str:
    """HH:MM:SS:FF.mmm of so many sixtieths."""
    thousandths = round(tick * 1000)
    seconds, ff = divmod(thousandths, RATE * 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{ff / 1000:06.3f}"


def described(plan: Plan, dest: str) -> Iterator[str]:
    """The plan in lines."""
    at = timecode(plan.first_frame) if plan.first_frame else "the beginning"
    yield f"{plan.csv} -> {dest}/{plan.sequence}"
    yield f"  subject {plan.subject}, {len(plan.take.rows)} rows, {plan.frames / RATE:.2f} s from {at}"
    if plan.wav:
        yield f"  sound {plan.wav.name}, {plan.sound_frames / RATE:.2f} s -> {dest}/{plan.sound}"
    yield from (f"  note: {note}" for note in plan.notes)


class Editor:
    """The few calls to Unreal, by the names of its Python API reference; LiveLinkFaceImporterFactory by the plugin's source."""

    def __init__(self, unreal: Any) -> None:
        if not hasattr(unreal, "LiveLinkFaceImporterFactory"):
            raise TakeError("the plugin Live Link Face Importer is off: Edit > Plugins, enable it, restart the editor")
        self._unreal = unreal
        self._assets = unreal.get_editor_subsystem(unreal.EditorAssetSubsystem)

    def make(self, plan: Plan, dest: str, *, replace: bool) -> None:
        """Import face and sound, and save both. TakeError if an asset is there already or Unreal imports nothing."""
        for name in filter(None, (plan.sequence, plan.sound)):
            self._make_room(f"{dest}/{name}", replace)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, plan.sequence + ".csv")
            copy.write_bytes(csv_text(plan.take).encode())
            sequence = self._import(copy, dest, plan.sequence, self._unreal.LiveLinkFaceImporterFactory())
        sequence.set_display_rate(self._unreal.FrameRate(RATE, 1))
        if plan.wav:
            self._lay(sequence, self._import(plan.wav, dest, plan.sound, None), plan)
        sequence.set_playback_start(plan.first_frame)
        sequence.set_playback_end(plan.first_frame + plan.frames)
        self._assets.save_loaded_asset(sequence)

    def _make_room(self, path: str, replace: bool) -> None:
        if not self._assets.does_asset_exist(path):
            return
        if not replace:
            raise TakeError(f"{path} is there already; --replace deletes it first")
        if not self._assets.delete_asset(path):
            raise TakeError(f"{path} could not be deleted; something may hold it open")

    def _import(self, file: Path, dest: str, name: str, factory: Any) -> Any:
        task = self._unreal.AssetImportTask()
        settings = {
            "filename": str(file.resolve()),
            "destination_path": dest,
            "destination_name": name,
            "automated": True,
            "save": True,
        }
        for key, value in (settings if factory is None else {**settings, "factory": factory}).items():
            task.set_editor_property(key, value)
        self._unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
        made = list(task.get_editor_property("imported_object_paths"))
        asset = self._assets.load_asset(made[0]) if made else None
        if asset is None:
            raise TakeError(
                f"Unreal imported nothing of {file.name}: see the lines of LogLiveLinkFaceImporter in the Output Log"
            )
        return asset

    def _lay(self, sequence: Any, sound: Any, plan: Plan) -> None:
        """The sound on an audio track, its first sample at the first row."""
        section = sequence.add_track(self._unreal.MovieSceneAudioTrack).add_section()
        section.set_editor_property("sound", sound)
        section.set_range(plan.first_frame, plan.first_frame + plan.sound_frames)


def main(arguments: list[str], unreal: Any = None) -> int:
    """0 all done, 1 something could not be imported. `unreal` is the editor's module; without it this is a dry run."""
    given = _parser().parse_args(arguments)
    dry = given.dry_run or unreal is None
    dest = "/" + given.dest.strip("/")
    failures = 0
    try:
        editor = None if dry else Editor(unreal)
        files = [file for path in given.takes for file in takes_at(path)]
    except TakeError as error:
        _say(unreal, f"error: {error}", wrong=True)
        return 1
    made: dict[str, Path] = {}
    for file in files:
        try:
            plan = make_plan(file, subject=given.subject, keep_timecode=given.keep_timecode, with_sound=not given.no_sound,
                             rate=given.take_rate)  # fmt: skip
            if plan.sequence in made:
                raise TakeError(
                    f"it would become {dest}/{plan.sequence} as {made[plan.sequence]} does; import it into another --dest"
                )
            made[plan.sequence] = file
            if editor:
                editor.make(plan, dest, replace=given.replace)
            for line in described(plan, dest):
                _say(unreal, line)
        except TakeError as error:
            failures += 1
            _say(unreal, f"error: {file}: {error}", wrong=True)
    _say(
        unreal, f"{len(files) - failures} of {len(files)} takes {'would be imported (dry run)' if dry else 'imported'}"
    )
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="import_take.py", description="Live Link Face takes as Level Sequences with their sound."
    )
    parser.add_argument("takes", nargs="+", type=Path, help="a take's .csv, or a folder with takes in it")
    parser.add_argument("--dest", default="/Game/Takes", help="content folder of the assets (default %(default)s)")
    parser.add_argument("--subject", help="the Live Link subject that the sequence plays as; default the take's own")
    parser.add_argument(
        "--keep-timecode", action="store_true", help="place the take at its time of day instead of at the beginning"
    )
    parser.add_argument("--no-sound", action="store_true", help="leave the sound out")
    parser.add_argument(
        "--take-rate",
        "--rate",
        metavar="RATE",
        help="what FF of the timecode counts, 24, 29.97df ...; default found out",
    )
    parser.add_argument("--replace", action="store_true", help="delete assets of the same names first")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done; always so outside Unreal")
    return parser


def _say(unreal: Any, line: str, *, wrong: bool = False) -> None:
    if unreal is None:
        (sys.stderr if wrong else sys.stdout).write(line + "\n")
    else:
        (unreal.log_error if wrong else unreal.log)(line)


if __name__ == "__main__":
    try:
        import unreal as _unreal  # type: ignore[import-not-found]
    except ImportError:
        sys.exit(main(sys.argv[1:]))
    with contextlib.suppress(SystemExit):  # of a wrong option, which has been told; the editor must not end with it
        main(sys.argv[1:], _unreal)
