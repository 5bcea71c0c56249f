"""Draw the diagrams: each .txt file in this folder becomes an .svg of the same name.

    python ue_plugin_docs/diagrams/make_diagrams.py           writes them
    python ue_plugin_docs/diagrams/make_diagrams.py --check   exit code 1 if one does not match its text

A text has a line `title ...`, boxes and links, in any order; `#` starts a comment:

    box NAME COLUMN ROW "First line" "second line" ...      columns and rows count from 0; halves are allowed
    group COLUMN ROW COLUMNS ROWS "Label"                   a frame around cells
    NAME -> NAME : label                                    an arrow; the label is optional
    NAME .. NAME : label                                    a dashed line without a head
"""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
CELL_WIDTH, CELL_HEIGHT = 275, 132
BOX_WIDTH, LINE_HEIGHT, PAD = 186, 17, 11
MARGIN, TITLE_HEIGHT = 24, 44
STYLE = (
    "text{font:13px sans-serif;fill:#1c2733}.title{font-size:17px;font-weight:bold}.small{font-size:12px;fill:#44525f}"
    ".label{font-size:11.5px;fill:#1f4e79}.box{fill:#eef4fa;stroke:#3f6f9f}.group{fill:#fbfaf5;stroke:#b5a97a;stroke-dasharray:5 4}"
    "path{stroke:#3f6f9f;fill:none;stroke-width:1.4}.tie{stroke-dasharray:4 4}"
)


@dataclass(frozen=True)
class Box:
    """A box centered in its cell, in pixels."""

    x: float
    y: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return len(self.lines) * LINE_HEIGHT + 2 * PAD


@dataclass
class Diagram:
    """The contents of one text file."""

    title: str = ""
    boxes: dict[str, Box] = field(default_factory=dict)
    groups: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    links: list[tuple[str, str, str, bool]] = field(default_factory=list)
    """Start box, end box, label, True for an arrow."""


def read_diagram(text: str) -> Diagram:
    """Parse a text. Raises ValueError with the line that is wrong."""
    diagram = Diagram()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                _read_line(line.strip(), diagram)
            except (ValueError, IndexError):
                raise ValueError(f"line {number}: got {line.strip()!r}, expected title, box, group, -> or ..") from None
    for start, end, _, _ in diagram.links:
        if missing := {start, end} - diagram.boxes.keys():
            raise ValueError(f"a link names {min(missing)}, but there is no such box")
    return diagram


def _read_line(line: str, diagram: Diagram) -> None:
    if link := re.fullmatch(r"(\w+) (->|\.\.) (\w+)(?: : (.+))?", line):
        diagram.links.append((link[1], link[3], link[4] or "", link[2] == "->"))
    elif line.startswith("title "):
        diagram.title = line[6:]
    elif line.startswith("box "):
        _, name, column, row, *lines = shlex.split(line)
        diagram.boxes[name] = Box(_x(float(column)), _y(float(row)), tuple(lines))
    elif line.startswith("group "):
        _, column, row, columns, rows, label = shlex.split(line)
        diagram.groups.append((float(column), float(row), float(columns), float(rows), label))
    else:
        raise ValueError(line)


def _x(column: float) -> float:
    return MARGIN + (column + 0.5) * CELL_WIDTH


def _y(row: float) -> float:
    return TITLE_HEIGHT + MARGIN + (row + 0.5) * CELL_HEIGHT


def svg(diagram: Diagram) -> str:
    """Draw a diagram as SVG text; the same text gives the same bytes."""
    right = max(box.x for box in diagram.boxes.values()) + CELL_WIDTH / 2 + MARGIN
    bottom = max(box.y for box in diagram.boxes.values()) + CELL_HEIGHT / 2 + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:g} {bottom:g}" width="{right:g}" height="{bottom:g}" role="img">',
        f"<title>{escape(diagram.title)}</title><style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#3f6f9f;stroke:none"/></marker></defs>',
        f'<rect width="{right:g}" height="{bottom:g}" fill="#ffffff"/>',
        f'<text class="title" x="{MARGIN}" y="{MARGIN + 10}">{escape(diagram.title)}</text>',
        *(_group(*group) for group in diagram.groups),
        *(_link(diagram.boxes[start], diagram.boxes[end], label, arrow) for start, end, label, arrow in diagram.links),
        *(_box(box) for box in diagram.boxes.values()),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _group(column: float, row: float, columns: float, rows: float, label: str) -> str:
    x, y = _x(column) - CELL_WIDTH / 2 + 8, _y(row) - CELL_HEIGHT / 2 + 4
    width, height = columns * CELL_WIDTH - 16, rows * CELL_HEIGHT - 8
    frame = f'<rect class="group" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10"/>'
    return f'{frame}<text class="small" x="{x + 10:g}" y="{y + 16:g}">{escape(label)}</text>'


def _box(box: Box) -> str:
    top = box.y - box.height / 2
    frame = f'<rect class="box" x="{box.x - BOX_WIDTH / 2:g}" y="{top:g}" width="{BOX_WIDTH}" height="{box.height:g}" rx="7"/>'
    rows = (
        f'<text{"" if not at else " class=" + chr(34) + "small" + chr(34)} x="{box.x:g}" y="{top + PAD + 13 + at * LINE_HEIGHT:g}" '
        f'text-anchor="middle">{escape(line)}</text>'
        for at, line in enumerate(box.lines)
    )
    return frame + "".join(rows)


def _link(start: Box, end: Box, label: str, arrow: bool) -> str:
    x1, y1 = _edge(start, end)
    x2, y2 = _edge(end, start)
    head = ' marker-end="url(#head)"' if arrow else ' class="tie"'
    line = f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}"{head}/>'
    if not label:
        return line
    middle, anchor = ((x1 + x2) / 2, "middle") if abs(x1 - x2) > 8 else (x1 + 7, "start")
    rows = label.split(" / ")
    y = (y1 + y2) / 2 + (4 if anchor == "start" else -6 - 14 * (len(rows) - 1))
    return line + "".join(
        f'<text class="label" x="{middle:g}" y="{y + 14 * at:g}" text-anchor="{anchor}">{escape(row)}</text>'
        for at, row in enumerate(rows)
    )


def _edge(box: Box, other: Box) -> tuple[float, float]:
    """The point in pixels where the line between two centers crosses the edge of `box`."""
    dx, dy = other.x - box.x, other.y - box.y
    across = min(BOX_WIDTH / 2 / abs(dx) if dx else 9e9, box.height / 2 / abs(dy) if dy else 9e9)
    return round(box.x + dx * across, 1), round(box.y + dy * across, 1)


def main(arguments: list[str]) -> int:
    stale = []
    for source in sorted(HERE.glob("*.txt")):
        drawn, target = svg(read_diagram(source.read_text(encoding="utf-8"))), source.with_suffix(".svg")
        if target.is_file() and target.read_text(encoding="utf-8") == drawn:
            continue
        stale.append(target.name)
        if "--check" not in arguments:
            target.write_text(drawn, encoding="utf-8", newline="\n")
    if "--check" in arguments and stale:
        sys.stderr.write(
            f"{', '.join(stale)}: does not match its text; run python ue_plugin_docs/diagrams/make_diagrams.py\n"
        )
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
