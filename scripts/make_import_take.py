"""Copy the modules that read takes into ue_plugin_docs/scripts/import_take_parts/copied.

    python scripts/make_import_take.py

import_take.py runs in Unreal's Python, where this project is not installed. With the same text of four modules, the
script and `livelink-bridge` always agree on which files are takes, what their timecode counts, which audio file belongs
to them, and what is wrong with them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "ue_plugin_docs" / "scripts" / "import_take_parts" / "copied"
MODULES = ("channels", "takes/cells", "takes/clock", "takes/names")
_OURS = re.compile(r"^from arkit_mapping\.(?:takes\.)?(\w+) import", re.MULTILINE)


def copies() -> dict[str, str]:
    """File name and text of every module of the package, with relative imports. Raises ValueError for other imports."""
    made = {"__init__.py": '"""Copies of the bridge\'s modules, made by scripts/make_import_take.py: do not edit."""\n'}
    for module in MODULES:
        source = f"arkit_mapping/{module}.py"
        text = _OURS.sub(r"from .\1 import", (ROOT / source).read_text(encoding="utf-8"))
        if other := re.search(r"^\s*(?:from|import) (?:arkit_mapping|livelink_bridge)\b.*$", text, re.MULTILINE):
            raise ValueError(f"{source}: {other[0].strip()!r} cannot be copied; expected imports of {MODULES} only")
        made[source.rpartition("/")[2]] = (
            f"# Copy of {source}, made by scripts/make_import_take.py: do not edit.\n{text}"
        )
    return made


def stale() -> list[str]:
    """Names of the package's files that differ from their sources, or have none."""
    made = copies()
    present = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}
    return sorted(name for name in made.keys() | present.keys() if made.get(name) != present.get(name))


def main() -> int:
    """Write the files that are not current. Returns the exit code."""
    made = copies()
    for name in stale():
        if name in made:
            (FOLDER / name).write_text(made[name], encoding="utf-8", newline="\n")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
