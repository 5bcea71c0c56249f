"""Parses the table of a take into columns and cells, whatever its dialect.

Separators may be commas, semicolons or tabs; cells may be quoted; numbers may have decimal points or commas; lines may
end with separators. Only Python 3.9 and its standard library: scripts/make_import_take.py copies this module into the
script that runs in Unreal.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, nearest

MAY_BE_MISSING = "TongueOut"
"""The shape that ARKit added last: many tools write only the 51 others."""
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_BEFORE_FF = re.compile(r"\d+:\d+:\d+")
"""A timecode whose `;` before FF was taken for a separator."""


class TakeError(ValueError):
    """A take that cannot be read or written. The text is one line for the user, with file and line number."""


class Cells:
    """Rows of cells below a header; iterating yields line number and cells of each row that is not blank.

    Decimal commas become points. Raises TakeError for a header that is not a take's, and, while iterating, for a row of
    another width.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.odd: dict[str, None] = {}
        """Differences from the app's files, a few words each; complete when all rows were read."""
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
    """Note about a header without TongueOut; empty when no shape is missing. Raises TakeError for any other missing
    shape."""
    names, known = {name.lower() for name in header}, {name.lower() for name in CHANNELS_61}
    missing = [name for name in CHANNELS_61[:SHAPE_COUNT] if name.lower() not in names]
    if missing in ([], [MAY_BE_MISSING]):
        return f"it has no column {MAY_BE_MISSING}, which is 0 then" if missing else ""
    near = nearest(missing[0], tuple(name for name in header[2:] if name.lower() not in known))
    raise TakeError(f"line 1: no column {missing[0]}{near} ({len(missing)} of {SHAPE_COUNT} blend shapes are missing)")


def numbers(cells: list[str], line: int) -> list[float]:
    """The values of a row, from its third cell on. Raises TakeError for a value that is not a finite float32."""
    try:
        values = [float(cell) for cell in cells[2:]]
    except ValueError:
        column = next(at for at, cell in enumerate(cells[2:], start=3) if not is_number(cell))
        raise TakeError(f"line {line}, column {column}: got {cells[column - 1][:40]!r}, expected a number") from None
    if not all(-3e38 < value < 3e38 for value in values):  # NaN fails the comparison too
        raise TakeError(f"line {line}: a value is not finite")
    return values


def is_number(text: str) -> bool:
    """Whether Python parses the text as a number, finite or not."""
    try:
        return not math.isnan(float(text)) or True
    except ValueError:
        return False
