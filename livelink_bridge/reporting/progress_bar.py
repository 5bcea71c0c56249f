"""Progress bars on a terminal; only the printed lines when standard error goes to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_UNBROKEN = 10_000
"""Width of lines in a file, characters: one message stays one line."""


class ProgressBar:
    """Rows with a description, a bar and optionally the time left. Draws nothing without a terminal."""

    def __init__(self, console: Console, drawn: Progress | None) -> None:
        self._console, self._drawn = console, drawn
        self._rows: dict[str, TaskID] = {}

    def show(self, text: str, part: float | None, *, row: str = "") -> None:
        """Draw a row.

        Parameters
        ----------
        text : str
            Description of the row, as it is now.
        part : float or None
            Part of the work that is done, 0 to 1; None while the total is unknown.
        row : str
            Key of the row, for work in several parts. A row that reaches 1 disappears when another one is under way.
        """
        if self._drawn is None:
            return
        if row not in self._rows:
            self._rows[row] = self._drawn.add_task(text, total=1.0)
        done = 0.0 if part is None else part
        total = None if part is None else 1.0
        visible = row == "" or done < 1.0
        self._drawn.update(self._rows[row], description=text, completed=done, total=total, visible=visible)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._console.print(line, markup=False, highlight=False)


@contextmanager
def progress_bar(*, time_left: bool = True) -> Iterator[ProgressBar]:
    """A progress bar on standard error; it disappears at the end.

    Parameters
    ----------
    time_left : bool
        Whether rows end with rich's estimate of the time left.

    Silent in the further processes of a distributed run (environment variable RANK other than 0).
    """
    from rich.console import Console

    terminal = sys.stderr.isatty()
    console = Console(stderr=True, width=None if terminal else _UNBROKEN, quiet=os.environ.get("RANK", "0") != "0")
    if not terminal:
        yield ProgressBar(console, None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:3.0f} %")]
    with Progress(*columns, *([TimeRemainingColumn()] if time_left else []), console=console, transient=True) as drawn:
        yield ProgressBar(console, drawn)
