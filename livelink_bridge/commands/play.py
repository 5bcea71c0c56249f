"""`play`: sound files to the wires, in real time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.common import interruptible

if TYPE_CHECKING:
    from livelink_bridge.config import Settings


def play(
    settings: Settings,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Sound: wav, flac, ogg, mp3 and the like.")],
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Move the face, but leave the speakers silent.")] = False,
) -> None:
    """Play sound files to the face in real time.

    The speakers play along, and the face keeps to what they play.
    """
    from livelink_bridge.clock import MonotonicClock
    from livelink_bridge.commands import session
    from livelink_bridge.commands.status import status_line
    from livelink_bridge.pipeline import run_play
    from livelink_bridge.sources import open_source

    clock = MonotonicClock()
    for file in files:  # what is wrong with the last is said before the first is played
        open_source(str(file), clock=clock).close()
    with interruptible() as stop:
        character, model, outputs = session.character_of(settings), session.model_of(settings), session.outputs_of(settings)
        for file in files:
            with status_line(clock) as show:
                summary = run_play(file, model, character, outputs, audio=not no_audio, clock=clock, stop=stop, on_status=show)
            typer.echo(f"{file}: {session.summary_line(summary)}")
            if stop.is_set():
                break
