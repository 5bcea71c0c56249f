"""`takes`: look at recorded takes, check, cut, even out, put together and export them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from livelink_bridge.commands.common import abortable
from livelink_bridge.commands.convert import progress
from livelink_bridge.errors import BridgeError, UsageError

if TYPE_CHECKING:
    from arkit_mapping.takes import Take

_TakeArgument = Annotated[Path, typer.Argument(metavar="TAKE", help="A Live Link Face .csv or a take's folder.")]
_Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE.csv", help="The take that is written.")]
_Force = Annotated[bool, typer.Option("--force", help="Overwrite it if it exists.")]
_RATES = (1, 240)
_HELP = "Look at recorded takes, check, cut, even out, put together and export them."


def build(style: Literal["rich"] | None = None) -> typer.Typer:
    """The group of commands; `style` is how help is drawn."""
    app = typer.Typer(help=_HELP, add_completion=False, rich_markup_mode=style)
    app.command("list")(list_takes)
    app.command("check")(check)
    app.command("trim")(trim)
    app.command("resample")(resample)
    app.command("merge")(merge)
    app.command("export")(export)
    return app


def list_takes(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where takes or their folders are. Default here.")] = Path("."),
) -> None:
    """Show the takes in a folder: slate, take, subject, length, rate, gaps and sound."""
    from rich.console import Console

    from livelink_bridge.commands.takes_table import row_of, table_of
    from livelink_bridge.take_files import find_takes

    found = list(find_takes(folder))
    if not found:
        raise BridgeError(f"{folder} holds no takes, expected .csv files of Live Link Face or folders with them")
    rows = []
    with progress(folder) as show:
        for number, files in enumerate(found, 1):
            rows.append(row_of(files, folder))
            show(number / len(found))
    Console().print(table_of(rows))


def check(
    takes: Annotated[list[Path], typer.Argument(metavar="TAKE...", help="Takes: .csv files or their folders.")],
) -> None:
    """Say what Unreal's importers would not take as it is meant. Exit code 1 if a take would fail."""
    from arkit_mapping.take_check import check_take
    from livelink_bridge.take_files import find_take

    failed = 0
    for csv in [find_take(path).csv for path in takes]:
        try:
            findings = check_take(csv)
        except OSError as error:
            raise BridgeError(f"take {csv} cannot be read: {error.strerror}") from error
        for finding in findings:
            typer.echo(f"{csv}{f':{finding.line}' if finding.line else ''}: {finding.level}: {finding.text}")
        errors, warnings = (sum(finding.level == level for finding in findings) for level in ("error", "warning"))
        typer.echo(f"{csv}: {_verdict(errors, warnings)}")
        failed += errors > 0
    if failed:
        raise BridgeError(f"{failed} of {len(takes)} takes will not import as meant; see above")


def trim(
    take: _TakeArgument,
    out: _Out,
    start: Annotated[str | None, typer.Option(metavar="MOMENT", help="Seconds from the first row, or a timecode HH:MM:SS:FF.")] = None,
    end: Annotated[str | None, typer.Option(metavar="MOMENT", help="The last row's moment; so written too.")] = None,
    force: _Force = False,
) -> None:
    """Cut a part out of a take. Its rows keep their values and their timecode."""
    from livelink_bridge.commands.replay import part_of

    if start is None and end is None:
        raise UsageError("got neither --start nor --end, expected at least one")
    csv, whole = _read(take)
    _write(part_of(whole, csv, start, end), out, force=force)


def resample(
    take: _TakeArgument,
    out: _Out,
    rate: Annotated[int, typer.Option(metavar="N", help="Rows a second, 1 to 240.")] = 60,
    force: _Force = False,
) -> None:
    """Even rows out by timecode; rows that are missing are filled in."""
    csv, whole = _read(take)
    _write(_at_rate(whole, csv, rate), out, force=force)


def merge(
    mouth: Annotated[Path, typer.Argument(metavar="MOUTH", help="Take whose jaw, mouth, cheeks, nose and tongue are taken.")],
    upper: Annotated[Path, typer.Argument(metavar="UPPER", help="Take whose eyes, brows and head are taken.")],
    out: _Out,
    align: Annotated[
        Literal["timecode", "start"], typer.Option(help="Lay them over each other by time of day, or first row on first row.")
    ] = "timecode",
    force: _Force = False,
) -> None:
    """Put the mouth of one take under the upper face of another, for as long as both last."""
    from arkit_mapping.take_edit import merge as merged
    from arkit_mapping.takes import TakeError

    (csv, below), (_, above) = _read(mouth), _read(upper)
    try:
        _write(merged(below, above, align), out, force=force)
    except TakeError as error:
        raise TakeError(f"take {csv}: {error}") from None


def export(
    take: _TakeArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Its ending says what is written: .csv, .json, .npz or .glb.")],
    rate: Annotated[int | None, typer.Option(metavar="N", help="First even out to N rows a second. Default: rows as they are.")] = None,
    face: Annotated[
        Path | None, typer.Option(metavar="FACE", help="For .glb: the face to animate, a .glb, .vrm or .gltf. Default a plain mask.")
    ] = None,
    force: _Force = False,
) -> None:
    """Write a take as CSV, JSON, numpy arrays, or a glTF morph animation for Blender, Maya and Unreal."""
    from livelink_bridge.export import kind_of

    kind_of(out)
    csv, whole = _read(take)
    _write(whole if rate is None else _at_rate(whole, csv, rate), out, face=face, force=force)


def _read(path: Path) -> tuple[Path, Take]:
    from arkit_mapping.takes import read_take
    from livelink_bridge.take_files import find_take

    csv = find_take(path).csv
    return csv, read_take(csv)


def _at_rate(take: Take, csv: Path, rate: int) -> Take:
    from arkit_mapping.take_edit import resample as resampled
    from arkit_mapping.takes import TakeError

    if not _RATES[0] <= rate <= _RATES[1]:
        raise UsageError(f"got {rate} rows a second, expected {_RATES[0]} to {_RATES[1]}")
    try:
        return resampled(take, rate)
    except TakeError as error:
        raise TakeError(f"take {csv}: {error}") from None


def _write(take: Take, out: Path, *, face: Path | None = None, force: bool = False) -> None:
    from arkit_mapping.take_edit import duration_s, timecode
    from livelink_bridge.export import export_take

    with abortable(), progress(out) as show:
        notes = export_take(take, out, face=face, force=force, on_progress=show)
    for note in notes:
        typer.echo(note)
    first = timecode(float(take.times_s[0]))
    typer.echo(f"{out}: {len(take.times_s)} rows, {duration_s(take):.2f} s at {take.rate} a second from {first}")


def _verdict(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "imports as meant"
    counted = ((errors, "error"), (warnings, "warning"))
    return ", ".join(f"{count} {what}{'s' * (count > 1)}" for count, what in counted if count)
