"""`replay`: a take to the targets, in real time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.files.take_reading import TakeRate, part_of, read
from livelink_bridge.commands.options import interruptible
from livelink_bridge.core.limits import REPLAY_SPEED

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings


def replay(
    settings: Settings,
    file: Annotated[
        Path, typer.Argument(metavar="TAKE", help="A Live Link Face .csv, from this program or the app, or its folder.")
    ],
    start: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="Start there: seconds from the first row, or a timecode HH:MM:SS:FF."),
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="MOMENT", help="End there. Default the last row.")] = None,
    speed: Annotated[
        float,
        typer.Option(metavar="X", help=f"Speed, {REPLAY_SPEED}; the pitch of the audio changes with it. Default 1."),
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Repeat until Ctrl-C.")] = False,
    original_timecode: Annotated[
        bool, typer.Option("--original-timecode", help="Send the take's own timecode instead of the session's.")
    ] = False,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Move the face without playing the audio.")] = False,
    take_rate: TakeRate = None,
) -> None:
    """Play a take to the face in real time, paced by its timecode.

    An audio file of the take's name beside it, a .wav first, is played, and the face keeps in step with it. Missing
    rows are interpolated; at the end the face decays to neutral.
    """
    from livelink_bridge.commands.live.showing import showing
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.session import build
    from livelink_bridge.session.modes.replay import TakePlay, run_replay

    clock = MonotonicClock()
    files, whole = read(file, take_rate)
    play = TakePlay(part_of(whole, files.csv, start, end), str(files.csv), speed, loop, original_timecode)
    outputs, sound = build.outputs_of(settings), None if no_audio else files.sound
    from_s = play.start_s - float(whole.times_s[0])
    with interruptible() as stop:
        with showing(settings, clock) as show:
            summary = run_replay(play, sound, outputs, sound_from_s=from_s, clock=clock, stop=stop, on_status=show)
        typer.echo(f"{files.csv}: {build.summary_line(summary).replace(' of audio;', ' of the take;', 1)}")
