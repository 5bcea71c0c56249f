"""`models`: list models, show their parts, download public weights and convert them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from livelink_bridge.commands.options import abortable, with_settings
from livelink_bridge.console.help import GroupedCommand, GroupedGroup

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings
    from speech_to_face.official.convert import Converted

_Force = Annotated[bool, typer.Option("--force", help="Overwrite the folder if it exists.")]


def build(style: Literal["rich"] | None = None) -> typer.Typer:
    """The group of commands. `style` is how its help is drawn."""
    app = typer.Typer(add_completion=False, rich_markup_mode=style, cls=GroupedGroup)
    app.callback(invoke_without_command=True)(with_settings("models", models))
    app.command("info", cls=GroupedCommand)(with_settings("models", info))
    app.command("download", cls=GroupedCommand)(with_settings("models", download))
    app.command("convert", cls=GroupedCommand)(convert)
    return app


def models(settings: Settings, context: typer.Context) -> None:
    """List the models; inspect, download or convert them.

    Lists the shipped models and those in the models' folder: look-ahead, size, and whether the files are as they were
    shipped. Exit code 1 if some are not.
    """
    from speech_to_face import checkpoint

    if context.invoked_subcommand is not None:
        return
    damaged = 0
    for folder in [
        *(checkpoint.SHIPPED / name for name in checkpoint.names()),
        *checkpoint.installed(settings.models_dir),
    ]:
        line, whole = model_line(folder)
        damaged += not whole
        typer.echo(line)
    if damaged:
        raise typer.Exit(1)


def model_line(folder: Path) -> tuple[str, bool]:
    """A line about a checkpoint, and whether it can be used."""
    from speech_to_face import checkpoint
    from speech_to_face.base import ModelError
    from speech_to_face.loading import lookahead_of

    try:
        checkpoint.verify(folder)
        values = checkpoint.values_of(folder)
        partial = set(values) & {"parts", "vertices"} and not _drives_a_face(values)
        heard = "drives no face by itself" if partial else f"look-ahead {1000 * lookahead_of(folder):.0f} ms"
    except ModelError as error:
        return f"{folder.name}: cannot be used: {error}", False
    size_mb = sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6
    origin = "as shipped" if folder.parent == checkpoint.SHIPPED else "as written"
    styles = ", ".join(map(str, values.get("styles") or ())) or "none by name"
    return f"{folder.name}: {heard}, {size_mb:.1f} MB, sha256 {origin}, styles {styles}", True


def _drives_a_face(values: dict[str, object]) -> bool:
    """Whether a folder has every part of a system that moves a face; a converted file may hold a single part."""
    from speech_to_face.networks.pmmtalk.paper.config import PARTS

    parts = values.get("parts")
    return "vertices" not in values and isinstance(parts, list) and set(PARTS) <= set(parts)


def info(
    settings: Settings,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name or folder of a model; with --random-init the name of a network.")
    ],
    random_init: Annotated[
        bool,
        typer.Option(
            "--random-init", help="Count the network at its default size, without a checkpoint; pmmtalk is the paper's."
        ),
    ] = False,
) -> None:
    """Show how many parameters each part of a model has."""
    from speech_to_face import checkpoint
    from speech_to_face.networks.parts import stored_parts

    if random_init:
        from speech_to_face_lab.training.systems import random_parts

        parts = random_parts(name)
    else:
        folder = checkpoint.find(name, settings.models_dir)
        checkpoint.verify(folder)
        typer.echo(f"{folder.name}, {checkpoint.system_of(folder)}, in {folder}")
        parts = stored_parts(folder)
    width = max(map(len, [*parts, "total"]))
    for part, count in [*parts.items(), ("total", sum(parts.values()))]:
        typer.echo(f"{part:{width}}  {count:>13,}")


def download(
    settings: Settings,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="xlsr-53, xlsr-53-chinese, xlsr-53-english, or owner/name of a repository."
        ),
    ],
    revision: Annotated[
        str | None, typer.Option(metavar="HASH", help="Commit to download; required where none is pinned.")
    ] = None,
    force: _Force = False,
) -> None:
    """Download public weights from the Hugging Face hub.

    One commit, by its hash, goes into the models' folder, converted as by `models convert`. HF_HUB_OFFLINE=1 uses only
    what is cached on this machine.
    """
    from speech_to_face import checkpoint
    from speech_to_face.official.hub import download as fetch
    from speech_to_face.official.hub import source_of

    source, kept = source_of(name, revision), (settings.models_dir or checkpoint.default_models_dir()).expanduser()
    typer.echo(f"{source.repository} at {source.revision}: {source.what}; licence {source.licence}")
    with abortable():
        _say(fetch(name, kept, revision, force))


def convert(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Checkpoint as published: .pth, .pth.tar, .bin, .safetensors."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Checkpoint folder to write.")],
    force: _Force = False,
) -> None:
    """Convert public checkpoints to a checkpoint folder.

    Reads CodeTalker, wav2vec 2.0 and Wav2Lip as their authors publish them. Several files are parts of one model, such
    as the two stages of CodeTalker. They are read in a process that takes numbers only; entries that did not map are
    listed.
    """
    from livelink_bridge.commands import endings
    from speech_to_face.official.convert import convert as turned

    endings.check_folder(out, "a folder for the checkpoint")
    with abortable():
        _say(turned(files, out, force))


def _say(made: Converted) -> None:
    typer.echo(f"{made.folder}: {made.system}, {made.parameters:,} numbers in {made.tensors} tensors")
    if made.unmapped:
        shown = ", ".join(made.unmapped[:8]) + (", ..." if len(made.unmapped) > 8 else "")
        typer.echo(f"{len(made.unmapped)} entries did not map: {shown}")
