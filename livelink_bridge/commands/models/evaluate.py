"""`evaluate`: how well a model's mouth follows real faces and words, compared with loudness alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.files.take_reading import TakeRate, check_rate
from livelink_bridge.commands.models.evaluation_table import print_report
from livelink_bridge.commands.models.figures import ear_of, write_json
from livelink_bridge.commands.options import abortable
from livelink_bridge.errors import UsageError
from livelink_bridge.reporting.progress_bar import progress_bar

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings
    from speech_to_face.base import SpeechToFace


def evaluate(
    settings: Settings,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Recordings to evaluate on: a folder with val.json.")
    ] = None,
    read: Annotated[
        list[Path] | None,
        typer.Option(
            "--readability",
            metavar="FILE",
            help="Instead, how readable the lips are: of a take, or of the face for an audio file. Repeatable.",
        ),
    ] = None,
    reader: Annotated[
        str, typer.Option(metavar="NAME", help="The lip reader, a dualtalker model. Default dualtalker-mini.")
    ] = "dualtalker-mini",
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write every figure to this file.")
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also plot curves over the audio of a few clips; needs matplotlib."),
    ] = None,
    clips: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Use only the first N clips of each group. Default all.")
    ] = None,
    channels: Annotated[
        bool, typer.Option("--channels", help="Also show correlation r and lag of every channel.")
    ] = False,
    take_rate: TakeRate = None,
) -> None:
    """Evaluate a model on recordings of real faces and words.

    Measures how well jaw, lips and every channel follow captured curves, whether the lips close on p, b and m, whether
    the mouth stays still in noise, and how many phones are recognized, loud and soft, next to the figures of loudness
    alone. With --readability a lip reader, which hears nothing, tells how sure it is of what it sees, and how often it
    sees what is spoken.
    """
    from livelink_bridge.commands.models import readability

    if (data is None) == (not read):
        raise UsageError(f"got {'both' if data else 'neither'} of --data and --readability, expected one of them")
    if read and (plots or clips or channels):
        raise UsageError("--plots, --clips and --channels go with --data, not with --readability")
    if take_rate is not None and not read:
        raise UsageError("--take-rate goes with --readability")
    check_rate(take_rate)
    if plots:
        _check_plots()
    with abortable():
        if data is not None:
            _judge(settings, data, as_json, plots, clips, channels)
        else:
            readability.run(settings, read or [], reader, as_json, take_rate)


def _judge(
    settings: Settings, data: Path, as_json: Path | None, plots: Path | None, clips: int | None, channels: bool
) -> None:
    from livelink_bridge.session import build
    from speech_to_face_lab.evaluation import evaluate as judge

    model = build.model_of(settings)
    with progress_bar() as bar:
        report = judge(
            model,
            data,
            posteriors=ear_of(settings),
            limit=clips,
            allow_cut=settings.allow_cut,
            on_progress=lambda part, what: bar.show(what, part),
        )
    print_report(report, channels)
    if as_json:
        write_json(as_json, report.as_json())
    if plots:
        _draw(model, data, clips, plots, settings.allow_cut)


def _check_plots() -> None:
    from speech_to_face_lab.evaluation import plots

    plots.check()


def _draw(model: SpeechToFace, data: Path, limit: int | None, folder: Path, allow_cut: bool) -> None:
    from speech_to_face_lab.evaluation import plots, speaker_of
    from speech_to_face_lab.evaluation.data import read_index

    drawn = plots.draw_clips(read_index(data, limit, allow_cut=allow_cut), speaker_of(model), model.name, folder)
    typer.echo(f"{folder}: {len(drawn)} pictures")
