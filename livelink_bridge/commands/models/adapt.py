"""`adapt`: fine-tune a model to one actor, on the actor's own takes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands import endings
from livelink_bridge.commands.files.take_reading import TakeRate, check_rate
from livelink_bridge.commands.options import abortable
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.reporting.progress_bar import ProgressBar, progress_bar

if TYPE_CHECKING:
    from rich.table import Table

    from livelink_bridge.settings.table import Settings
    from speech_to_face_lab.adapt.data.takes import TakeFile
    from speech_to_face_lab.adapt.figures import Row
    from speech_to_face_lab.adapt.options import AdaptOptions, Result

FILE_WIDTH = 100
"""Characters of a table that goes into a file."""
Show = Callable[[str, int, int], None]


def adapt(
    settings: Settings,
    takes: Annotated[
        Path,
        typer.Option("--takes", metavar="DIR", help="The actor's Live Link Face takes, each with its audio beside it."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="MODEL", help="Folder for the new model; use it with --model MODEL.")
    ],
    others: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Speech of other people, to keep what the model does for them.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", help="Also evaluate before and after on these recordings, as `evaluate` does."
        ),
    ] = None,
    steps: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=20000, help="Steps at most; stops early when nothing improves. Default 400."
        ),
    ] = 400,
    take_rate: TakeRate = None,
    threads: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Threads on a CPU. Default 1.")] = 1,
    keep_anyway: Annotated[
        bool, typer.Option("--keep-anyway", help="Write the new model even if it is not better or cannot be judged.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing model, and a run that was begun with other takes.")
    ] = False,
) -> None:
    """Adapt a model to an actor's own takes.

    Takes whose audio and face do not match are skipped and named. Some takes are held out, and the model is judged on
    them before and after. A model that is not better is not written, and the exit code is 1. After Ctrl-C, the same
    command resumes. The model that it starts from is never changed.
    """
    from livelink_bridge.session import build
    from speech_to_face import checkpoint, devices
    from speech_to_face_lab.adapt.options import AdaptOptions

    endings.check_folder(out, "a folder for the model")
    check_out(out, force)
    found = files_in(takes, take_rate)
    base = checkpoint.find(build.model_name(settings))
    order = AdaptOptions(
        base,
        out,
        force,
        others,
        data,
        keep_anyway,
        steps,
        device=devices.choose(settings.device),
        allow_cut=settings.allow_cut,
    )
    with abortable():
        adapt_to(found, order, threads)


def adapt_to(found: list[TakeFile], order: AdaptOptions, threads: int) -> None:
    """Run the adaptation and print its result. Raises BridgeError where the new model is not kept."""
    import torch

    from speech_to_face_lab.adapt.run import adapt as run

    torch.set_flush_denormal(True)  # tiny moments of the optimiser would slow every product
    torch.set_num_threads(threads)
    try:
        with progress_bar() as bar:
            result = run(found, order, partial(_show, bar), bar.say)
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command resumes, its work is in {order.run}", err=True)
        raise
    except OSError as error:
        raise BridgeError(
            f"--out {order.out}: {error.strerror or error}; the same command resumes where it stopped"
        ) from error
    if result is not None:
        tell(result, order)


def tell(result: Result, order: AdaptOptions) -> None:
    """Print the figures and the verdict. Raises BridgeError where the new model is not kept."""
    print_rows(result.rows)
    why = ", then none was better" if result.stopped_early else ""
    typer.echo(f"{result.step} steps{why}; the best after {result.best_step}")
    if not result.kept:
        advice = f"use --model {_asked_for(order.base)}, or --keep-anyway"
        raise BridgeError(f"{result.verdict.text}; {order.out} was not written: {advice}")
    typer.echo(result.verdict.text)
    typer.echo(f"{order.out}: {'' if result.verdict.better else 'kept all the same; '}use it with --model {order.out}")


def _asked_for(base: Path) -> Path | str:
    """What `--model` takes for this folder: the name of a shipped model, else the folder."""
    from speech_to_face import checkpoint

    return base.name if base.parent == checkpoint.SHIPPED else base


def check_out(out: Path, force: bool) -> None:
    """Raises UsageError for a folder that no model may be written to."""
    from speech_to_face.base import ModelError
    from speech_to_face_lab.adapt.card import check_out as check

    try:
        check(out, force)
    except ModelError as error:
        raise UsageError(str(error)) from None


def files_in(folder: Path, rate: str | None = None) -> list[TakeFile]:
    """The takes in a folder and below it, named by their paths in it.

    Parameters
    ----------
    rate : frame rate of their timecode; None is the one that each shows

    Raises UsageError where there are none.
    """
    from arkit_mapping.takes.csv import TakeError
    from livelink_bridge.takes.discovery import find_takes
    from speech_to_face_lab.adapt.data.takes import TakeFile

    check_rate(rate)
    if not folder.is_dir():
        raise UsageError(f"--takes {folder} is not a folder, expected one with takes or their folders in it")
    try:
        takes = find_takes(folder)
    except TakeError as error:
        raise UsageError(f"--takes {error}") from None
    return [TakeFile(str(take.csv.relative_to(folder).with_suffix("")), take.csv, take.sound, rate) for take in takes]


def print_rows(rows: list[Row]) -> None:
    """Print the table of figures before and after."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else FILE_WIDTH).print(table_of(rows))


def table_of(rows: list[Row]) -> Table:
    """The table, with a section for each set of recordings."""
    from rich.table import Table
    from rich.text import Text

    from speech_to_face_lab.adapt.card import change, figure

    table = Table("measure", title="before and after")
    for column in ("before", "after", "change"):
        table.add_column(column, justify="right")
    for at, row in enumerate(rows):
        if at == 0 or rows[at - 1].of != row.of:
            table.add_section()
            table.add_row(Text(row.of, "bold"))
        table.add_row(
            *(Text(cell) for cell in (f"  {row.measure}", figure(row.before), figure(row.after), change(row)))
        )
    return table


def _show(bar: ProgressBar, what: str, done: int, of: int) -> None:
    bar.show(f"{what} {done}/{of}", done / of if of else 1.0, row=what)
