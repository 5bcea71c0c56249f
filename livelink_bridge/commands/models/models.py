"""`models`: which there are, what they consist of, fetching public weights and converting them."""

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
    """The group of commands; `style` is how help is drawn."""
    app = typer.Typer(add_completion=False, rich_markup_mode=style, cls=GroupedGroup)
    app.callback(invoke_without_command=True)(with_settings("models", models))
    app.command("info", cls=GroupedCommand)(with_settings("models", info))
    app.command("download", cls=GroupedCommand)(with_settings("models", download))
    app.command("convert", cls=GroupedCommand)(convert)
    return app


def models(settings: Settings, context: typer.Context) -> None:
    """List the models that are here; fetch, convert, look into them.

    Those that are shipped and those in the models' folder. For each its
    look-ahead, its size and whether its files are those that were shipped. Exit code 1 if one's are not.
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
    """What there is to say about a checkpoint, and whether it can be used."""
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
    """Whether a folder with parts has them all and moves no mesh: a converted file may hold one part of a system."""
    from speech_to_face.networks.pmmtalk.paper.config import PARTS

    parts = values.get("parts")
    return "vertices" not in values and isinstance(parts, list) and set(PARTS) <= set(parts)


def info(
    settings: Settings,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A model's name or folder; with --random-init a network's name.")
    ],
    random_init: Annotated[
        bool,
        typer.Option(
            "--random-init", help="Of the network at its default size, without a checkpoint: pmmtalk is the paper's."
        ),
    ] = False,
) -> None:
    """Say how many parameters each part of a model has."""
    from speech_to_face import checkpoint
    from speech_to_face.networks.parts import random_parts, stored_parts

    if random_init:
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
        typer.Argument(metavar="NAME", help="xlsr-53, xlsr-53-chinese, xlsr-53-english, or a repository's owner/name."),
    ],
    revision: Annotated[
        str | None, typer.Option(metavar="HASH", help="The commit to take; needed where none is pinned.")
    ] = None,
    force: _Force = False,
) -> None:
    """Fetch public weights from the Hugging Face hub into the models' folder.

    One commit by its hash, converted as `models convert` does. HF_HUB_OFFLINE=1 takes only what is cached on this
    machine.
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
        list[Path], typer.Argument(metavar="FILE...", help="As published: .pth, .pth.tar, .bin, .safetensors.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The checkpoint folder that is written.")],
    force: _Force = False,
) -> None:
    """Turn public checkpoints into a checkpoint folder: CodeTalker, wav2vec 2.0 and Wav2Lip as their authors publish
    them.

    Several files are parts of one model, such as CodeTalker's two stages. They are read in a process that takes numbers
    only, and what did not map is said.
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
