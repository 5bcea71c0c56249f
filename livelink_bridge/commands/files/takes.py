"""`takes`: list, check, cut, resample, merge and export recorded takes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from livelink_bridge.commands import endings
from livelink_bridge.commands.files.take_reading import LongTakeRate, TakeRate, check_rate, part_of, read
from livelink_bridge.commands.options import abortable
from livelink_bridge.console.help import GroupedCommand, GroupedGroup
from livelink_bridge.core.limits import ROW_RATE
from livelink_bridge.errors import BridgeError, UsageError
from livelink_bridge.reporting.progress_bar import progress_bar

if TYPE_CHECKING:
    from arkit_mapping.takes.csv import Take
    from livelink_bridge.takes.discovery import TakeFiles
    from livelink_bridge.takes.pair import Part

_TakeArgument = Annotated[Path, typer.Argument(metavar="TAKE", help="A Live Link Face .csv, or the folder of a take.")]
_Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE.csv", help="The take to write; its audio is put beside it.")
]
_NoSound = Annotated[bool, typer.Option("--no-sound", help="Do not write the audio.")]
_Force = Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")]
_HELP = "List, check, cut, resample, merge and export takes."


def build(style: Literal["rich"] | None = None) -> typer.Typer:
    """The group of commands. `style` is how its help is drawn."""
    app = typer.Typer(help=_HELP, add_completion=False, rich_markup_mode=style, cls=GroupedGroup)
    for name, command in (
        ("list", list_takes),
        ("check", check),
        ("trim", trim),
        ("resample", resample),
        ("merge", merge),
        ("export", export),
    ):
        app.command(name, cls=GroupedCommand)(command)
    return app


def list_takes(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder with takes or their folders. Default the current one.")
    ] = Path("."),
    take_rate: TakeRate = None,
) -> None:
    """List the takes in a folder and below: slate, take, subject, length, rate, gaps and audio."""
    from rich.console import Console

    from livelink_bridge.commands.files.takes_table import row_of, table_of
    from livelink_bridge.takes.discovery import find_takes

    check_rate(take_rate)
    found = find_takes(folder)
    rows = []
    with progress_bar() as bar:
        for number, files in enumerate(found, 1):
            rows.append(row_of(files, folder, take_rate))
            bar.show(folder.name, number / len(found))
    Console().print(table_of(rows))
    for row in rows:
        if row.said:
            typer.echo(f"livelink-bridge: take {row.files.csv}: {row.said}", err=True)


def check(
    takes: Annotated[
        list[Path], typer.Argument(metavar="TAKE...", help="Takes: .csv files, or folders with takes in them.")
    ],
    take_rate: TakeRate = None,
) -> None:
    """Report what Unreal's importers would misread. Exit code 1 if a take would fail."""
    from arkit_mapping.takes.check import check_take
    from livelink_bridge.takes.discovery import find_takes

    check_rate(take_rate)
    failed = 0
    found = list(dict.fromkeys(files.csv for path in takes for files in find_takes(path)))
    for csv in found:
        try:
            findings = check_take(csv, take_rate)
        except OSError as error:
            raise BridgeError(f"take {csv} cannot be read: {error.strerror}") from error
        for finding in findings:
            typer.echo(f"{csv}{f':{finding.line}' if finding.line else ''}: {finding.level}: {finding.text}")
        errors, warnings = (sum(finding.level == level for finding in findings) for level in ("error", "warning"))
        typer.echo(f"{csv}: {_verdict(errors, warnings)}")
        failed += errors > 0
    if failed:
        raise BridgeError(f"{failed} of {len(found)} takes will not import as meant; see above")


def trim(
    take: _TakeArgument,
    out: _Out,
    start: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="First moment: seconds from the first row, or a timecode HH:MM:SS:FF."),
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="MOMENT", help="Last moment, written the same way.")] = None,
    no_sound: _NoSound = False,
    take_rate: TakeRate = None,
    force: _Force = False,
) -> None:
    """Cut a part out of a take, and out of its audio. Rows keep their values and their timecode."""
    if start is None and end is None:
        raise UsageError("got neither --start nor --end, expected at least one")
    check_out(out)
    files, whole = read(take, take_rate)
    part = part_of(whole, files.csv, start, end)
    _write(part, out, _sound_of(files, whole, part, no_sound, to_end=end is None), force=force)


def resample(
    take: _TakeArgument,
    out: _Out,
    rate: Annotated[int, typer.Option(metavar="N", help=f"Rows per second, {ROW_RATE}. Default 60.")] = 60,
    no_sound: _NoSound = False,
    take_rate: LongTakeRate = None,
    force: _Force = False,
) -> None:
    """Resample a take to evenly spaced rows. Missing rows are interpolated. The audio stays whole."""
    check_out(out)
    files, whole = read(take, take_rate)
    even = _at_rate(whole, files.csv, rate)
    _write(even, out, _sound_of(files, whole, even, no_sound, to_end=True), force=force)


def merge(
    mouth: Annotated[Path, typer.Argument(metavar="MOUTH", help="Take for jaw, mouth, cheeks, nose and tongue.")],
    upper: Annotated[Path, typer.Argument(metavar="UPPER", help="Take for eyes, brows and head.")],
    out: _Out,
    align: Annotated[
        Literal["timecode", "start"],
        typer.Option(help="Align the takes by time of day, or first row on first row. Default timecode."),
    ] = "timecode",
    no_sound: _NoSound = False,
    take_rate: TakeRate = None,
    force: _Force = False,
) -> None:
    """Merge the mouth of one take with the upper face of another, for as long as both last. The audio is that of
    MOUTH."""
    from arkit_mapping.takes.csv import TakeError
    from arkit_mapping.takes.edit import merge as merged

    check_out(out)
    (files, below), (_, above) = read(mouth, take_rate), read(upper, take_rate)
    try:
        both = merged(below, above, align)
    except TakeError as error:
        raise TakeError(f"take {files.csv}: {error}") from None
    to_end = both.times_s[-1] == below.times_s[-1]
    _write(both, out, _sound_of(files, below, both, no_sound, to_end=to_end), force=force)


def export(
    take: _TakeArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="File to write; its ending says the format: .csv, .json, .npz or .glb."
        ),
    ],
    rate: Annotated[
        int | None, typer.Option(metavar="N", help="First resample to N rows per second. Default the rows as they are.")
    ] = None,
    face: Annotated[
        Path | None,
        typer.Option(metavar="FACE", help="Face to animate in a .glb: a .glb, .vrm or .gltf. Default a plain mask."),
    ] = None,
    no_sound: _NoSound = False,
    take_rate: LongTakeRate = None,
    force: _Force = False,
) -> None:
    """Export a take as CSV, JSON, numpy arrays or a glTF morph animation.

    Blender, Maya and Unreal read the glTF. A CSV gets its audio beside it.
    """
    from livelink_bridge.takes.export import GLB, KINDS

    kind = out.suffix.lower()
    if kind not in (*KINDS, GLB):
        raise endings.wrong(out, f"{', '.join([*KINDS, GLB])}: the ending selects the format")
    files, whole = read(take, take_rate)
    written = whole if rate is None else _at_rate(whole, files.csv, rate)
    if kind == ".csv" and face is None:
        _write(written, out, _sound_of(files, whole, written, no_sound, to_end=True), force=force)
    else:
        _export(written, out, face=face, force=force)


def check_out(out: Path) -> None:
    """Raises UsageError for a file that is not a .csv."""
    if out.suffix.lower() != ".csv":
        raise endings.wrong(out, ".csv; takes export writes .json, .npz and .glb")


def _sound_of(files: TakeFiles, whole: Take, part: Take, no_sound: bool, *, to_end: bool) -> Part | None:
    """The part of a take's audio that goes with a part of its rows; `to_end`: also what follows the last row."""
    from arkit_mapping.takes.edit import duration_s
    from livelink_bridge.takes.pair import Part

    if files.sound is None or no_sound:
        return None
    return Part(
        files.sound, float(part.times_s[0] - whole.times_s[0]), None if to_end else duration_s(part) + 1 / whole.rate
    )


def _at_rate(take: Take, csv: Path, rate: int) -> Take:
    from arkit_mapping.takes.csv import TakeError
    from arkit_mapping.takes.edit import resample as resampled

    if rate not in ROW_RATE:
        raise UsageError(f"got {rate} rows a second, expected {ROW_RATE}")
    try:
        return resampled(take, rate)
    except TakeError as error:
        raise TakeError(f"take {csv}: {error}") from None


def _write(take: Take, out: Path, sound: Part | None, *, force: bool) -> None:
    from livelink_bridge.takes.pair import write_pair

    with abortable(), progress_bar() as bar:
        seconds = write_pair(take, out, sound, force=force, on_progress=partial(bar.show, out.name))
    _say_written(take, out)
    if seconds:
        typer.echo(f"{out.with_suffix('.wav')}: {seconds:.2f} s of audio")
    elif sound is not None:
        typer.echo(f"{out}: without audio, {sound.sound} ends before its first row")


def _export(take: Take, out: Path, *, face: Path | None, force: bool) -> None:
    from livelink_bridge.takes.export import export_take

    with abortable(), progress_bar() as bar:
        notes = export_take(take, out, face=face, force=force, on_progress=partial(bar.show, out.name))
    for note in notes:
        typer.echo(note)
    _say_written(take, out)


def _say_written(take: Take, out: Path) -> None:
    from arkit_mapping.takes.edit import duration_s, timecode

    first = timecode(float(take.times_s[0]))
    typer.echo(f"{out}: {len(take.times_s)} rows, {duration_s(take):.2f} s at {take.rate} a second from {first}")


def _verdict(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "imports as meant"
    counted = ((errors, "error"), (warnings, "warning"))
    return ", ".join(f"{count} {what}{'s' * (count > 1)}" for count, what in counted if count)
