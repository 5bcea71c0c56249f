"""`convert` of folders: a batch of audio files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from livelink_bridge.commands import endings
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.session import build
from livelink_bridge.version import __version__

if TYPE_CHECKING:
    from livelink_bridge.batch.job import Engine, Recipe
    from livelink_bridge.batch.run import Batch, BatchCounts
    from livelink_bridge.core.clock import Clock
    from livelink_bridge.settings.table import Settings

ENGINES = ("local", "ray")


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Options of a batch."""

    jobs: int | None = None
    """Audio files at a time; None is one per core."""
    dry_run: bool = False
    report: Path | None = None
    """The page with figures that is written at the end."""
    engine: str = "local"
    """One of ENGINES."""
    ray_address: str | None = None
    """Of the Ray cluster; None starts one on this machine."""

    def check(self) -> None:
        """Raises UsageError for a value that is not allowed."""
        if self.engine not in ENGINES:
            raise UsageError(f"--engine: got {self.engine!r}, expected {' or '.join(ENGINES)}")
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"--jobs: got {self.jobs}, expected 1 or more files at a time")
        if self.ray_address is not None and self.engine != "ray":
            raise UsageError("--ray-address goes with --engine ray")
        if self.report is not None and (self.report.suffix.lower() not in (".html", ".htm") or self.report.is_dir()):
            raise UsageError(f"--report: got {self.report}, expected the name of a page, such as report.html")


def convert_folders(
    settings: Settings, paths: Sequence[Path], out: Path, options: BatchOptions, *, with_sound: bool = True
) -> None:
    """Convert the audio files below the folders that are not done yet.

    Parameters
    ----------
    with_sound : whether a copy of the audio is put beside each take

    Raises BridgeError where some could not be converted.
    """
    from livelink_bridge.batch.progress import show_progress
    from livelink_bridge.batch.run import Batch
    from livelink_bridge.core.clock import MonotonicClock

    if out.suffix.lower() == ".csv" and not out.is_dir():
        raise UsageError(
            f"-o {out} is one take, expected a folder: folders, --jobs, --report, --dry-run and --engine make a batch"
        )
    endings.check_folder(out)
    clock = MonotonicClock()
    recipe = recipe_of(settings, clock, scored=options.report is not None, with_sound=with_sound)
    with show_progress(clock, lambda line: typer.echo(f"livelink-bridge: {line}", err=True)) as display:
        batch = Batch(paths, out, recipe, clock=clock, observer=display)
        _refuse_nothing(batch, paths)
        if options.dry_run:
            dry_run(batch)
            return
        began_s = clock.now()
        counts = batch.run(_engine(options))
    finish(batch, counts, clock.now() - began_s, options.report, clock)


def recipe_of(settings: Settings, clock: Clock, *, scored: bool, with_sound: bool = False) -> Recipe:
    """What the takes of a batch depend on. Raises ModelError, BridgeError or ConfigError for parts that cannot be
    loaded."""
    from livelink_bridge.batch.job import Recipe, sha256_of
    from speech_to_face import checkpoint, devices

    folder = checkpoint.find(build.model_name(settings))
    checkpoint.verify(folder)
    applied = {}
    if settings.character is not None:
        applied = {
            "character": build.character_file(settings.character, clock).current(),
            "character_sha256": sha256_of(settings.character),
        }
    picture = settings.reference_face
    return Recipe(
        model=folder.name if folder.parent == checkpoint.SHIPPED else str(folder.resolve()),
        model_sha256=sha256_of(folder / checkpoint.SUMS),
        device=devices.choose(settings.device),
        reference_face=None if picture is None else str(picture.resolve()),
        reference_sha256=None if picture is None else _hash_of(picture),
        version=__version__,
        scored=scored,
        with_sound=with_sound,
        **applied,  # type: ignore[arg-type]
        **{name: getattr(settings, name) for name in recipe_settings()},
    )


def recipe_settings() -> set[str]:
    """The settings that a recipe holds as they are; of the others it holds what they lead to."""
    from livelink_bridge.batch.job import Recipe
    from livelink_bridge.settings.table import settings_of_verb

    parts = {part.name for part in fields(Recipe)} - {"model", "device", "reference_face", "character"}
    return parts & {row.name for row in settings_of_verb("convert")}


def dry_run(batch: Batch) -> None:
    """Print what a run would do. Raises BridgeError where some files could not be converted."""
    to_do = 0
    for task in batch.plan():
        typer.echo(f"{task.sound} -> {task.out}")
        to_do += 1
    for line in [*batch.found.notes, *(f"{path} {why}" for path, why in batch.found.refused)]:
        typer.echo(f"livelink-bridge: {line}", err=True)
    typer.echo(f"{to_do} to convert, {batch.counts.skipped} done before, {len(batch.found.refused)} refused")
    if batch.found.refused:
        raise BridgeError(f"{len(batch.found.refused)} could not be converted, see above")


def finish(batch: Batch, counts: BatchCounts, took_s: float, report: Path | None, clock: Clock) -> None:
    """Print the totals and write the report. Raises BridgeError where some files could not be converted."""
    from livelink_bridge.batch.report import Totals, totals_text, write_report

    totals = Totals(counts.converted, counts.skipped, counts.failed, counts.seconds, took_s)
    if report is not None and counts.no_room is None:
        with closing(batch.manifest()) as manifest:
            write_report(report, totals, manifest.failures(), batch.takes(manifest))
    typer.echo(totals_text(totals) + (f"; report {report}" if report else ""))
    if counts.no_room is not None:
        raise BridgeError(f"{counts.no_room}; what was converted is kept: make room and run again")
    if counts.failed:
        total = counts.converted + counts.skipped + counts.failed
        raise BridgeError(f"{counts.failed} of {total} could not be converted; the others were")


def _engine(options: BatchOptions) -> Engine:
    if options.engine == "ray":
        from livelink_bridge.batch.ray.engine import RayEngine

        return RayEngine(options.ray_address, options.jobs)
    from livelink_bridge.batch import job
    from livelink_bridge.batch.local import LocalEngine

    return LocalEngine(options.jobs, job.load_context)


def _refuse_nothing(batch: Batch, paths: Sequence[Path]) -> None:
    if not batch.found.sounds and not batch.found.refused:
        there = f"{batch.found.others} files, none of them audio by its name" if batch.found.others else "no files"
        raise BridgeError(f"nothing to convert in {', '.join(map(str, paths))}: {there}")


def _hash_of(picture: Path) -> str:
    from livelink_bridge.batch.job import sha256_of

    try:
        return sha256_of(picture)
    except OSError as error:
        raise BridgeError(f"picture {picture} cannot be read: {error.strerror}") from error
