"""What several commands share: the flags of the settings, and ending well when interrupted."""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from livelink_bridge.settings.setting import GROUPS, Group, Setting
from livelink_bridge.settings.table import settings_of_verb

INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM."""
_CONFIG_GROUP: Group = "Session"
_CONFIG = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.yaml", help="Settings file; see `livelink-bridge config`.", rich_help_panel=_CONFIG_GROUP
    ),
]


def with_settings(verb: str, command: Callable[..., None]) -> Callable[..., None]:
    """A command with the flags of the settings that it takes, and --config.

    Parameters
    ----------
    verb : the command's name in the settings table
    command : receives the `Settings` that defaults, file, environment and flags amount to, then its own parameters
    """
    rows = settings_of_verb(verb)
    own = list(inspect.signature(command, eval_str=True, globals=_globals_of(command)).parameters.values())[1:]

    def parsed(**given: Any) -> None:
        from livelink_bridge.settings.loading import load_settings

        flags = {row.name: given.pop(row.name) for row in rows}
        command(load_settings(flags, file=given.pop("config")), **given)

    flags_of = [(row.group, _parameter(row)) for row in rows] + [(_CONFIG_GROUP, _keyword("config", _CONFIG))]
    parameters = [*own, *(flag for _, flag in sorted(flags_of, key=lambda one: GROUPS.index(one[0])))]
    parsed.__doc__ = command.__doc__
    parsed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    parsed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return parsed


def _parameter(row: Setting) -> inspect.Parameter:
    """A row of the settings table as the parser wants a flag declared; None where it is not given."""
    declared = typer.Option(row.flag, metavar=row.metavar or None, help=row.help_text, rich_help_panel=row.group)
    return _keyword(row.name, Annotated[row.parsed | None, declared])


def _keyword(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _globals_of(command: Callable[..., None]) -> dict[str, Any]:
    """The names of the command's module, and `Settings`, which it imports for type checkers only."""
    return {**command.__globals__, "Settings": object}


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into an event, so that the face can decay to neutral; the second ends at once.

    Leaving the block after one of them exits with INTERRUPTED.
    """
    stop = threading.Event()
    signals = [signal.SIGINT, signal.SIGTERM]

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for number in signals:
            signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)


@contextmanager
def abortable() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that half-written files are cleaned up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
