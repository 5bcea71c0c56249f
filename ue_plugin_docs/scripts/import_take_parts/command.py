"""The command line of import_take.py."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .copied.cells import TakeError
from .copied.names import takes_at
from .editor import Editor
from .plan import described, make_plan


def main(arguments: list[str], unreal: Any = None) -> int:
    """Import the takes that the arguments name.

    Parameters
    ----------
    arguments : the command line without the script's name
    unreal : the editor's module; without it this is a dry run

    Returns
    -------
    0 if all takes were imported, else 1.
    """
    given = _parser().parse_args(arguments)
    try:
        editor = None if given.dry_run or unreal is None else Editor(unreal)
        files = [file for path in given.takes for file in takes_at(path)]
    except TakeError as error:
        _print(unreal, f"error: {error}", error=True)
        return 1
    made: dict[str, Path] = {}
    failures = sum(not _one(file, given, made, editor, unreal) for file in files)
    done = "imported" if editor else "would be imported (dry run)"
    _print(unreal, f"{len(files) - failures} of {len(files)} takes {done}")
    return 1 if failures else 0


def _one(file: Path, given: argparse.Namespace, made: dict[str, Path], editor: Editor | None, unreal: Any) -> bool:
    """Import one take and print its lines. `made` maps the sequence names of this run to their takes."""
    dest = "/" + given.dest.strip("/")
    try:
        plan = make_plan(
            file,
            subject=given.subject,
            keep_timecode=given.keep_timecode,
            with_sound=not given.no_sound,
            rate=given.take_rate,
        )
        if plan.sequence in made:
            raise TakeError(
                f"it would become {dest}/{plan.sequence} as {made[plan.sequence]} does; import it into another --dest"
            )
        made[plan.sequence] = file
        if editor:
            editor.make(plan, dest, replace=given.replace)
        for line in described(plan, dest):
            _print(unreal, line)
    except TakeError as error:
        _print(unreal, f"error: {file}: {error}", error=True)
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="import_take.py", description="Import Live Link Face takes as Level Sequences with their audio."
    )
    add = parser.add_argument
    add("takes", nargs="+", type=Path, help="a take's .csv, or a folder with takes in it")
    add("--dest", default="/Game/Takes", help="content folder of the assets (default %(default)s)")
    add("--subject", help="the Live Link subject that the sequence plays as; default the take's own")
    add("--keep-timecode", action="store_true", help="place the take at its time of day instead of at the beginning")
    add("--no-sound", action="store_true", help="leave the audio out")
    rate = "what FF of the timecode counts, 24, 29.97df ...; by default detected"
    add("--take-rate", "--rate", metavar="RATE", help=rate)
    add("--replace", action="store_true", help="delete assets of the same names first")
    add("--dry-run", action="store_true", help="only print what it would do; always so outside Unreal")
    return parser


def _print(unreal: Any, line: str, *, error: bool = False) -> None:
    if unreal is None:
        (sys.stderr if error else sys.stdout).write(line + "\n")
    else:
        (unreal.log_error if error else unreal.log)(line)
