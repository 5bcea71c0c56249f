"""A running session on the screen: one line that renews itself, or a plain line now and then where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from livelink_bridge.clock import Clock

if TYPE_CHECKING:
    from livelink_bridge.metrics import Status

PLAIN_EVERY_S = 5.0


@contextmanager
def status_line(clock: Clock) -> Iterator[Callable[[Status], None]]:
    """What to call with each status, as often as there is one."""
    if not sys.stdout.isatty():
        yield PlainStatus(clock)
        return
    from rich.live import Live
    from rich.text import Text

    # No refresh thread: it would draw, and hold up the threads that must be on time, when nothing is new.
    with Live(auto_refresh=False, transient=True) as live:
        yield lambda status: live.update(Text(status_text(status), no_wrap=True, overflow="ellipsis"), refresh=True)


class PlainStatus:
    """Prints a status every PLAIN_EVERY_S, and at once when the state changes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_s = clock.now()
        self._state: str | None = None

    def __call__(self, status: Status) -> None:
        if status.state == self._state and self._clock.now() < self._due_s:
            return
        self._state = status.state
        self._due_s = self._clock.now() + PLAIN_EVERY_S
        typer.echo(status_text(status))


def status_text(status: Status) -> str:
    delay = "delay ?"
    if status.delay_ms is not None and status.delay_p99_ms is not None:
        delay = f"delay {status.delay_ms:.0f} ms (p99 {status.delay_p99_ms:.0f})"
    losses = f"dropped {status.dropped}, held {status.held}, overflows {status.overflows}"
    return f"{status.state} | {status.fps:.1f} fps | {delay} | level {status.level_dbfs:.0f} dBFS | {losses} | {status.sent} sent"
