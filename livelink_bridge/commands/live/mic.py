"""`--mic`: a microphone moves the face."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.options import interruptible

if TYPE_CHECKING:
    import threading

    from livelink_bridge.core.clock import Clock
    from livelink_bridge.preview.editor.state import EditorState
    from livelink_bridge.settings.table import Settings


def mic(
    settings: Settings,
    wanted: Annotated[
        str | None, typer.Option("--input", metavar="DEVICE", help="Index or part of a name, as after --mic.")
    ] = None,
    calibrating: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="First measure two seconds of room and two of voice, and set the gate of this microphone.",
        ),
    ] = False,
) -> None:
    """Move the face with a microphone, live, until Ctrl-C. Write it as --mic [DEVICE].

    While it runs, type `mood happy:0.4` for another mood, or press a key; the panel shows them.
    """
    from livelink_bridge.commands.live.calibrate import calibrate
    from livelink_bridge.commands.live.preview import page_beside
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.devices import quiet_stderr
    from livelink_bridge.session import build
    from livelink_bridge.sources.microphone import MicrophoneSource

    clock, several = MonotonicClock(), bool(settings.performers)
    if several:
        _refuse_with_performers(wanted, calibrating)
    if calibrating:
        calibrate(MicrophoneSource(build.input_of(settings, wanted), clock=clock))
    with interruptible() as stop, quiet_stderr.suppress_native_stderr(), page_beside(settings, several=several) as page:
        if several:
            show_performers(settings, clock, stop, page)
        else:
            show_voice(settings, wanted, clock, stop, page)


def _refuse_with_performers(wanted: str | None, calibrating: bool) -> None:
    """Raises UsageError for options that several performers cannot have in common."""
    from livelink_bridge.errors import UsageError

    if calibrating:
        raise UsageError(
            "got --calibrate and performers in the settings, expected one: calibrate each microphone by itself"
        )
    if wanted is not None:
        raise UsageError(
            f"got --mic {wanted} and performers in the settings, expected one of them: each performer names its own "
            "`mic`"
        )


def show_voice(
    settings: Settings, wanted: str | None, clock: Clock, stop: threading.Event, page: EditorState | None = None
) -> None:
    """Run one voice and its face until `stop` is set.

    Parameters
    ----------
    wanted : index or part of the microphone's name; None is the system's input
    page : shows the session too, and controls it
    """
    from livelink_bridge.commands.live.preview import recorders_of, shown_on
    from livelink_bridge.commands.live.showing import showing
    from livelink_bridge.console.typed_commands import typing_of
    from livelink_bridge.session import build
    from livelink_bridge.session.modes.microphone import run_live
    from livelink_bridge.session.remote import call_both

    face, model = build.face_of(settings, clock, page), build.live_model_of(settings, typer.echo)
    targets = ", ".join(settings.targets)
    typer.echo(f"{wanted or 'default input'} -> {model.name} on {model.device} -> {targets}; Ctrl-C ends")
    typing = typing_of({settings.subject: face})
    with showing(settings, clock, typing) as show:
        summary = run_live(
            build.input_of(settings, wanted),
            model,
            face,
            build.controlled_outputs_of(settings),
            clock=clock,
            stop=stop,
            chain=lambda device: build.input_chain_of(settings, device, model.lookahead_s),
            monitor=build.monitor_of(settings),
            control_port=build.control_port_of(settings),
            more=recorders_of(page, settings.subject),
            on_status=show,
            on_start=call_both(typing.direct, shown_on(page)),
        )
    typer.echo(build.summary_line(summary))


def show_performers(settings: Settings, clock: Clock, stop: threading.Event, page: EditorState | None = None) -> None:
    """Run several voices, each with its own face, until `stop` is set; `page` shows one at a time."""
    from livelink_bridge.commands.live.preview import recorders_of, shown_on
    from livelink_bridge.commands.live.showing import showing_all
    from livelink_bridge.console.typed_commands import typing_of
    from livelink_bridge.session import build
    from livelink_bridge.session.modes.performers import run_performers
    from livelink_bridge.session.remote import call_both
    from livelink_bridge.settings.performers import performers_of

    model = build.live_model_of(settings, typer.echo)
    performers = [
        replace(build.performer_of(own, mic, model.lookahead_s, clock), more=recorders_of(page, own.subject))
        for mic, own in performers_of(settings)
    ]
    typing = typing_of({performer.outputs.subject: performer.face for performer in performers})
    typer.echo(f"{len(performers)} performers -> {model.name} on {model.device}; Ctrl-C ends")
    with showing_all(settings, clock, typing) as show:
        summaries = run_performers(
            performers,
            model,
            clock=clock,
            stop=stop,
            on_status=show,
            control_port=build.control_port_of(settings),
            on_start=call_both(typing.direct, shown_on(page)),
        )
    for subject, summary in summaries.items():
        typer.echo(f"{subject}: {build.summary_line(summary)}")
