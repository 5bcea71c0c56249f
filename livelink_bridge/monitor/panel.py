"""The monitor's terminal panel: a line and live bars per subject, then the problems. Converts a summary to rich text.

Laid out by hand, like the session's panel: it is drawn ten times a second on the thread that reads the port.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group
from rich.text import Text

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT
from livelink_bridge.monitor.summary_text import entry_text, subject_parts

BAR_CELLS = 12
_NAME_CELLS = 20
"""The longest name, MouthLowerDownRight, is 19."""
_COLUMN_CELLS = _NAME_CELLS + BAR_CELLS + 7
_LEAST_ROWS = 3
"""Smallest number of rows of bars for each subject, whatever the window's height."""
_ANGLES = frozenset(CHANNELS_61[SHAPE_COUNT:])

GOOD, WARN, BAD, QUIET = "green", "yellow", "bold red", "dim"


def panel(summary: dict[str, Any], width: int, height: int, *, blocks: bool = True) -> Group:
    """Draw a summary.

    Parameters
    ----------
    summary : see `Monitor.summary`
    width, height : of the window, columns and lines
    blocks : draw bars with block characters instead of ASCII
    """
    troubles = list(_troubles(summary))
    subjects = summary["subjects"]
    if not subjects:
        head = (
            f"listening on UDP port {summary['port']}, {summary['listened_s']:.0f} s, {summary['datagrams']} "
            "datagrams, no face yet"
        )
        return Group(Text(head, QUIET), *troubles)
    rows = max(_LEAST_ROWS, (height - 2 - len(troubles)) // len(subjects) - 2)
    return Group(*(line for subject in subjects for line in _subject(subject, rows, width, blocks)), *troubles)


def bar(name: str, value: float | None, *, blocks: bool = True) -> Text:
    """Draw one value.

    Parameters
    ----------
    name : channel
    value : weight, drawn from 0 to 1; angle in radians, drawn from the middle to a right angle on either side; None for
        a value that is not a number, drawn as `?`
    blocks : draw with block characters instead of ASCII
    """
    full, rest = ("█", "░") if blocks else ("#", ".")
    if value is None:
        return Text("?" * BAR_CELLS, BAD)
    if name in _ANGLES:
        half = BAR_CELLS // 2
        turn = round(min(1.0, max(-1.0, value / (math.pi / 2))) * half)
        cells = rest * (half + min(0, turn)) + full * abs(turn) + rest * (half - max(0, turn))
        return Text(cells, BAD if abs(value) > math.pi / 2 else GOOD)
    length = round(min(1.0, max(0.0, value)) * BAR_CELLS)
    return Text(full * length + rest * (BAR_CELLS - length), GOOD if 0 <= value <= 1 else BAD)


def _subject(subject: dict[str, Any], rows: int, width: int, blocks: bool) -> Iterator[Text]:
    name, *rest = subject_parts(subject)
    silent = (subject["silent_s"] or 0) > 0.5
    yield Text.assemble(
        (name, "bold"), " | ", (" | ".join(rest), WARN if silent else ""), overflow="ellipsis", no_wrap=True
    )
    yield from bars(list(subject["values"].items()), rows, width, blocks=blocks)


def bars(values: Sequence[tuple[str, float | None]], rows: int, width: int, *, blocks: bool = True) -> Iterator[Text]:
    """Draw bars in as many columns as fit, column by column; the last line counts those that do not fit.

    Parameters
    ----------
    values : channel names and values
    rows, width : available lines and columns
    blocks : draw with block characters instead of ASCII
    """
    columns = max(1, width // _COLUMN_CELLS)
    shown = values if len(values) <= rows * columns else values[: (rows - 1) * columns]
    deep = -(-len(shown) // columns)
    for row in range(deep):
        yield Text.assemble(*(part for name, value in shown[row::deep] for part in _cell(name, value, blocks)))
    if len(shown) < len(values):
        yield Text(f"and {len(values) - len(shown)} more; make the window larger, or name some with --channels", QUIET)
    if not values:
        yield Text("nothing moves", QUIET)


def _cell(name: str, value: float | None, blocks: bool) -> Iterator[Text]:
    label = Text(name)
    label.truncate(_NAME_CELLS - 1, overflow="ellipsis", pad=True)
    yield label
    yield Text(" ")
    yield bar(name, value, blocks=blocks)
    yield Text(f" {'?' if value is None else format(value, '5.2f'):>5} ")


def _troubles(summary: dict[str, Any]) -> Iterator[Text]:
    for ignored in summary["ignored"]:
        yield Text(f"Unreal would ignore these: {entry_text(ignored)}", BAD)
    for warning in summary["warnings"]:
        yield Text(entry_text(warning), WARN)
