"""Import Live Link Face takes into the Unreal editor as Level Sequences with their audio.

Copy two things to the machine, side by side: this file and the folder `import_take_parts`. Nothing else is needed.

In the editor, enable the plugins Live Link Face Importer, Python Editor Script Plugin and Sequencer Scripting. Then
type into the Cmd line of the Output Log:

    py "C:/bridge/ue_plugin_docs/scripts/import_take.py" C:/takes --dest /Game/Takes

Outside Unreal, with any Python from 3.9, the same command prints what it would do and what is wrong with each take:

    python import_take.py takes --dry-run

Unreal's own importer makes the sequence. The script gives it a copy of the take without the importer's pitfalls: the
first row is at the sequence's beginning instead of at the time of day; FF counts sixtieths; no row stops the import; at
least one FF is over 30, so that no version reads it as 30 fps; and the name gives the intended subject. Then the script
adds the audio.

The script calls Unreal by the names of its Python API documentation. It was tested with a small stand-in for that API
only (tests/ue_plugin_docs), not in an editor.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path
from typing import Any

PARTS = "import_take_parts"


def main(arguments: list[str], unreal: Any = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : the command line without the script's name
    unreal : the editor's module; without it this is a dry run

    Returns
    -------
    0 if all takes were imported, 1 if one was not or the folder of parts is missing.
    """
    # Unreal sets sys.argv for `py FILE`; whether every version sets __file__ is not verified.
    folder = Path(globals().get("__file__") or sys.argv[0]).resolve().parent
    if not Path(folder, PARTS).is_dir():  # or a copy elsewhere on sys.path would run
        return _missing(folder, unreal)
    try:
        command = _loaded(folder)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != PARTS:
            raise
        return _missing(folder, unreal)
    return int(command.main(arguments, unreal))


def _loaded(folder: Path) -> Any:
    """Import the parts from `folder`, afresh: the editor keeps modules of an earlier run, maybe of an older copy."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PARTS]:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(f"{PARTS}.command")
    finally:
        sys.path.remove(str(folder))


def _missing(folder: Path, unreal: Any) -> int:
    line = f"error: the folder {PARTS} is missing or incomplete in {folder}; copy it there, beside import_take.py"
    if unreal is None:
        sys.stderr.write(line + "\n")
    else:
        unreal.log_error(line)
    return 1


if __name__ == "__main__":
    try:
        import unreal as _unreal  # type: ignore[import-not-found]
    except ImportError:
        sys.exit(main(sys.argv[1:]))
    with contextlib.suppress(SystemExit):  # argparse has printed the usage error; it must not close the editor
        main(sys.argv[1:], _unreal)
