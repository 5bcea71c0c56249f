"""`convert`: audio files, and folders of them, to Live Link Face takes, as fast as the machine goes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands import endings
from livelink_bridge.commands.files.batch import BatchOptions, convert_folders
from livelink_bridge.commands.options import abortable
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.reporting.progress_bar import progress_bar

if TYPE_CHECKING:
    from livelink_bridge.face.face import Face
    from livelink_bridge.settings.table import Settings
    from speech_to_face.base import SpeechToFace


def convert(
    settings: Settings,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE|FOLDER", help="Audio files (wav, flac, ogg, mp3 and others) or folders of them."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT", help="The take, a .csv, for one file; else a folder.")
    ],
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", help="Files at a time. Default one per core.", rich_help_panel="Batch"
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="List what would be converted, and convert nothing.", rich_help_panel="Batch"),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.html",
            help="Also write a page with figures and curves of every take.",
            rich_help_panel="Batch",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="local|ray", help="Run on this machine or on a Ray cluster. Default local.", rich_help_panel="Batch"
        ),
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address of the Ray cluster. Default a new one on this machine.",
            rich_help_panel="Batch",
        ),
    ] = None,
    with_sound: Annotated[
        bool | None,
        typer.Option(
            "--with-sound/--no-sound",
            help="Put the audio beside the take as a .wav. Default yes for folders, no for files.",
        ),
    ] = None,
) -> None:
    """Convert audio files to Live Link Face takes.

    Runs as fast as the machine goes. A take is a CSV with 60 rows per second from timecode 00:00:00:00.000, as the
    phone app writes it. Folders make a batch: OUT gets the same tree, finished files are skipped, and an interrupted
    batch resumes where it stopped.
    """
    wishes = BatchOptions(jobs, dry_run, report, engine, ray_address)
    wishes.check()
    if wishes != BatchOptions() or any(map(os.path.isdir, files)):
        with abortable():
            convert_folders(settings, files, out, wishes, with_sound=with_sound is not False)
        return
    convert_files(settings, files, out, with_sound=bool(with_sound))


def convert_files(settings: Settings, files: Sequence[Path], out: Path, *, with_sound: bool = False) -> None:
    """Convert files one after the other, each with the settings' own seed.

    Raises BridgeError where some could not be converted.
    """
    from livelink_bridge.core.clock import MonotonicClock
    from livelink_bridge.session import build

    takes = take_paths(files, out)
    failed = 0
    with abortable():
        face, model = build.face_of(settings, MonotonicClock()), build.model_of(settings)
        for file, take in zip(files, takes, strict=True):
            try:
                _convert(file, take, model, face, allow_cut=settings.allow_cut, with_sound=with_sound)
            except BridgeError as error:
                if len(files) == 1:
                    raise
                failed += 1
                typer.echo(f"livelink-bridge: {error}", err=True)
    if failed:
        rest = "" if failed == len(files) else "; the others were"
        raise BridgeError(f"{failed} of {len(files)} files could not be converted{rest}")


def _convert(file: Path, take: Path, model: SpeechToFace, face: Face, *, allow_cut: bool, with_sound: bool) -> None:
    """Convert one file with a progress bar, and print the result."""
    from livelink_bridge.session.offline import convert_file

    with progress_bar() as bar:
        summary = convert_file(
            file,
            take,
            model,
            face,
            allow_cut=allow_cut,
            before_naming=partial(_place, file, take, with_sound),
            on_progress=partial(bar.show, file.name),
        )
    typer.echo(f"{take}: {summary.sent} frames for {summary.seconds:.1f} s of audio")


def _place(file: Path, take: Path, with_sound: bool) -> None:
    """Put the audio beside the take, if asked for."""
    from livelink_bridge.takes.placed_audio import place_sound

    if with_sound:
        place_sound(file, take)


def take_paths(files: Sequence[Path], out: Path) -> list[Path]:
    """The path of each file's take. Raises UsageError where `out` does not say it for every file."""
    if Path("-") in files:
        raise UsageError(
            "got - for standard input, expected files; livelink-bridge play - takes what another program writes"
        )
    if out.suffix.lower() == ".csv" and not os.path.isdir(out):  # Path.is_dir raises where one may not look
        if len(files) > 1:
            raise UsageError(f"got {len(files)} files and one take, {out}; expected a folder behind -o")
        return [out]
    endings.check_folder(out)
    takes = [out / f"{file.stem}.csv" for file in files]
    twice = next((take for at, take in enumerate(takes) if take in takes[:at]), None)
    if twice:
        raise UsageError(f"several files would become {twice}; convert them into folders of their own")
    return takes
