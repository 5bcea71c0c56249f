"""`play`: audio files to the targets, in real time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.options import interruptible
from livelink_bridge.errors import UsageError

if TYPE_CHECKING:
    from livelink_bridge.core.clock import Clock
    from livelink_bridge.settings.table import Settings

STDIN = Path("-")


def play(
    settings: Settings,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Audio file: wav, flac, ogg, mp3 and others; - is standard input."),
    ],
    raw: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT:HZ:CHANNELS", help="Format of raw samples on standard input, such as s16le:24000:1."
        ),
    ] = None,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Move the face without playing the audio.")] = False,
) -> None:
    """Play audio files to the face in real time.

    The loudspeakers play along, and the face keeps in step with them. Standard input is paced by the program that
    writes it and is not played; gate and gain apply to it as to a microphone.
    """
    from livelink_bridge.core.clock import MonotonicClock

    clock = MonotonicClock()
    if STDIN in files or raw is not None:
        play_pipe(settings, files, raw, clock)
    else:
        play_files(settings, files, clock, audio=not no_audio)


def play_files(settings: Settings, files: Sequence[Path], clock: Clock, *, audio: bool) -> None:
    """Move the face with files, one after the other; `audio`: and play them on the loudspeakers."""
    from livelink_bridge.commands.live.preview import page_beside, recorders_of, shown_on
    from livelink_bridge.commands.live.showing import showing
    from livelink_bridge.session import build
    from livelink_bridge.session.modes.play import run_play
    from livelink_bridge.sources import open_source

    for file in files:  # report an error in the last before the first is played
        open_source(str(file), clock=clock, allow_cut=settings.allow_cut).close()
    with interruptible() as stop, page_beside(settings) as page:
        face, model = build.face_of(settings, clock, page), build.live_model_of(settings, typer.echo)
        outputs = build.outputs_of(settings)
        for file in files:
            with showing(settings, clock) as show:
                summary = run_play(
                    file,
                    model,
                    face,
                    outputs,
                    audio=audio,
                    clock=clock,
                    stop=stop,
                    allow_cut=settings.allow_cut,
                    on_status=show,
                    more=recorders_of(page, settings.subject),
                    on_start=shown_on(page),
                )
            typer.echo(f"{file}: {build.summary_line(summary)}")
            if stop.is_set():
                break


def play_pipe(settings: Settings, files: list[Path], raw: str | None, clock: Clock) -> None:
    """`play -`: move the face with the audio that another program writes to standard input."""
    from livelink_bridge.audio.pcm import parse_format
    from livelink_bridge.commands.live.showing import showing
    from livelink_bridge.session import build
    from livelink_bridge.session.modes.pipe import run_pipe
    from livelink_bridge.sources.pipe import PipeSource

    if files != [STDIN]:
        raise UsageError(
            f"got {' '.join(map(str, files))}, expected - alone: standard input is played by itself, and --raw is for "
            "it"
        )
    form = parse_format(raw) if raw else None
    # Before Ctrl-C is turned into an event: the header of a wav may take as long as its writer does.
    source = PipeSource(
        open(sys.stdin.fileno(), "rb", buffering=0, closefd=False), form, clock=clock, allow_cut=settings.allow_cut
    )
    with interruptible() as stop:
        face, model = build.face_of(settings, clock), build.live_model_of(settings, typer.echo)
        chain = build.input_chain_of(settings, None, model.lookahead_s)
        with showing(settings, clock) as show:
            outputs = build.outputs_of(settings)
            summary = run_pipe(source, model, face, outputs, clock=clock, stop=stop, chain=chain, on_status=show)
        typer.echo(f"{source.name}: {build.summary_line(summary)}")
