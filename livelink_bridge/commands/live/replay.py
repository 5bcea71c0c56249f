"""`replay`: a take to the wires, in real time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.files.take_reading import TakeRate, part_of, read
from livelink_bridge.commands.options import interruptible

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings


def replay(
    settings: Settings,
    file: Annotated[
        Path,
        typer.Argument(metavar="TAKE", help="A Live Link Face .csv, of this program or of the app, or its folder."),
    ],
    start: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="Begin there: seconds from the first row, or a timecode HH:MM:SS:FF."),
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="MOMENT", help="End there.")] = None,
    speed: Annotated[
        float, typer.Option(metavar="X", help="How fast, 0.1 to 10; the sound's pitch goes with it.")
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Again and again, until Ctrl-C.")] = False,
    original_timecode: Annotated[
        bool, typer.Option("--original-timecode", help="Packets carry the take's own time instead of the session's.")
    ] = False,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Move the face, but leave the speakers silent.")] = False,
    take_rate: TakeRate = None,
) -> None:
    """Play a take to the face in real time, paced by its timecode.

    A sound of the take's name beside it, a .wav first, is heard, and the face keeps to it. Rows that are missing are
    filled in; at the end the face goes neutral.
    """
    from livelink_bridge.console.terminal import status_line
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.core.workers import steady_interpreter
    from livelink_bridge.session import build
    from livelink_bridge.session.replay import TakePlay, run_replay

    clock = MonotonicClock()
    files, whole = read(file, take_rate)
    play = TakePlay(part_of(whole, files.csv, start, end), str(files.csv), speed, loop, original_timecode)
    outputs, sound = build.outputs_of(settings), None if no_audio else files.sound
    from_s = play.start_s - float(whole.times_s[0])
    with interruptible() as stop:
        with (
            steady_interpreter(),
            status_line(
                clock, settings.subject, log_file=settings.log_file, metrics_port=settings.metrics_port
            ) as show,
        ):
            summary = run_replay(play, sound, outputs, sound_from_s=from_s, clock=clock, stop=stop, on_status=show)
        typer.echo(f"{files.csv}: {build.summary_line(summary).replace(' of sound;', ' of the take;', 1)}")
