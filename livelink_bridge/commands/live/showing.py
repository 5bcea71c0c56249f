"""Showing the statuses of live sessions: on the terminal, in the log file and as metrics, as the settings ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livelink_bridge.console.terminal import Show
    from livelink_bridge.console.typed_commands import Typing
    from livelink_bridge.core.clock import Clock
    from livelink_bridge.reporting.metrics import Status
    from livelink_bridge.settings.table import Settings


@contextmanager
def showing(settings: Settings, clock: Clock, typing: Typing | None = None) -> Iterator[Callable[[Status], None]]:
    """A function to call with each status of the settings' one session, while the block lasts; see `showing_all`."""
    with showing_all(settings, clock, typing) as show:
        yield lambda status: show({settings.subject: status})


@contextmanager
def showing_all(settings: Settings, clock: Clock, typing: Typing | None = None) -> Iterator[Show]:
    """A function to call with the statuses of all sessions, by subject, while the block lasts.

    Meanwhile the interpreter switches threads often enough for real-time work. Raises SinkError for a log file that
    cannot be written and a port that is taken.
    """
    from livelink_bridge.console.terminal import status_lines
    from livelink_bridge.core.workers import steady_interpreter

    with (
        steady_interpreter(),
        status_lines(clock, log_file=settings.log_file, metrics_port=settings.metrics_port, typing=typing) as show,
    ):
        yield show
