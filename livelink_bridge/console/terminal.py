"""Where the statuses of running sessions are shown: a live panel on a terminal, else plain lines now and then; the log
file and the metrics."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from livelink_bridge.core.clock import Clock
from livelink_bridge.core.workers import beside
from livelink_bridge.reporting.status_text import Reports, status_text

if TYPE_CHECKING:
    from livelink_bridge.console.typed_commands import Typing
    from livelink_bridge.reporting.metrics import Status

PLAIN_EVERY_S = 5.0
"""Between two plain lines about a session."""

Show = Callable[[Mapping[str, "Status"]], None]
"""Takes the statuses of all sessions, by subject."""


@contextmanager
def status_lines(
    clock: Clock, *, log_file: Path | None = None, metrics_port: int | None = None, typing: Typing | None = None
) -> Iterator[Show]:
    """A function to call with the statuses of all sessions; screen, log file and metrics each take what they need.

    Parameters
    ----------
    log_file : None writes no log
    metrics_port : TCP port for Prometheus; None serves no metrics
    typing : the input line below the panel; its keys are read if standard input is a terminal too

    Raises SinkError for a log file that cannot be written and a port that is taken.
    """
    with ExitStack() as stack:
        shows: list[Show] = []  # one that fails is reported once and dropped: the face goes on
        if log_file is not None:
            from livelink_bridge.reporting.log_file import LogFile

            log = LogFile(log_file, clock)
            stack.callback(log.close)
            shows.append(beside("the log file", _one_by_one(log.update)))
        if metrics_port is not None:
            from livelink_bridge.reporting.prometheus import MetricsServer

            server = MetricsServer(metrics_port)
            stack.callback(server.close)
            shows.append(beside("metrics", server.show))
        shows.append(
            beside(
                "the status display", stack.enter_context(_panel(typing)) if sys.stdout.isatty() else PlainStatus(clock)
            )
        )
        yield lambda named: _each(shows, named)


class PlainStatus:
    """Print a line about each session every PLAIN_EVERY_S, and at once when its state changes."""

    def __init__(self, clock: Clock) -> None:
        self._reports = Reports(clock, PLAIN_EVERY_S)

    def __call__(self, named: Mapping[str, Status]) -> None:
        for subject, status in named.items():
            if self._reports.due(subject, status):
                typer.echo(f"{subject}: {status_text(status)}" if len(named) > 1 else status_text(status))


def _one_by_one(update: Callable[[str, Status], None]) -> Show:
    def show(named: Mapping[str, Status]) -> None:
        for subject, status in named.items():
            update(subject, status)

    return show


def _each(shows: list[Show], named: Mapping[str, Status]) -> None:
    for show in shows:
        show(named)


@contextmanager
def _panel(typing: Typing | None) -> Iterator[Show]:
    from rich.console import Console, Group
    from rich.live import Live

    from livelink_bridge.console.panel import input_lines, status_panel

    console = Console()
    blocks = console.encoding.startswith("utf")
    # No refresh thread: it would draw when nothing is new, and delay the real-time threads.
    before = sys.stderr  # not always the one Python began with: see `quiet_stderr`
    with ExitStack() as stack:
        live = stack.enter_context(Live(console=console, auto_refresh=False, transient=True))
        stack.enter_context(_warnings_above(before))
        shown: Mapping[str, Status] = {}

        def draw() -> None:
            below = input_lines(typing) if typing else ()
            live.update(Group(status_panel(shown, blocks=blocks), *below), refresh=True)

        def show(named: Mapping[str, Status]) -> None:
            nonlocal shown
            shown = named
            draw()

        if typing and sys.stdin.isatty():
            from livelink_bridge.console.keyboard import keys_read

            typing.on_change = draw
            stack.callback(setattr, typing, "on_change", lambda: None)  # a key pressed later draws nothing
            stack.enter_context(keys_read(typing.press))
        yield show


@contextmanager
def _warnings_above(before: TextIO) -> Iterator[None]:
    """Print what is logged to the terminal above the panel, whose lines it would tear otherwise.

    While a panel is live, `sys.stderr` prints above it. Handlers that were made earlier still hold the stream from
    before.
    """
    seen = before.isatty()
    torn = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is before
    ]
    for handler in torn if seen else ():
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in torn:
            handler.setStream(before)
