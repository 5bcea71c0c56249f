"""`--mic`: a microphone moves the face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.common import interruptible

if TYPE_CHECKING:
    from livelink_bridge.config import Settings


def mic(
    settings: Settings,
    wanted: Annotated[str | None, typer.Option("--input", metavar="DEVICE", help="Index or part of a name, as behind --mic.")] = None,
) -> None:
    """Live, until Ctrl-C: a microphone moves the face. Write it as --mic [DEVICE]."""
    from livelink_bridge.clock import MonotonicClock
    from livelink_bridge.commands import session
    from livelink_bridge.commands.status import status_line
    from livelink_bridge.pipeline import run_live
    from livelink_bridge.sources.microphone import Input

    clock = MonotonicClock()
    with interruptible() as stop:
        character, model = session.character_of(settings), session.model_of(settings)
        typer.echo(f"{wanted or 'default input'} -> {model.name} on {model.device} -> {', '.join(settings.targets)}; Ctrl-C ends")
        with status_line(clock) as show:
            summary = run_live(Input(wanted), model, character, session.outputs_of(settings), clock=clock, stop=stop, on_status=show)
        typer.echo(session.summary_line(summary))
