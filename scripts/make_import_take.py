"""Put the reading of takes into ue_plugin_docs/scripts/import_take.py: that script runs in Unreal's Python and cannot
import it.

    python scripts/make_import_take.py

What is put in is the text of four modules, so that the script and `livelink-bridge` never differ over which files are
takes, what their timecode counts, whose sound it is, and what is wrong.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "ue_plugin_docs" / "scripts" / "import_take.py"
MODULES = ("channels", "takes/cells", "takes/clock", "takes/names")
BEGIN, END = (f"# --- made by scripts/make_import_take.py: {what} ---\n" for what in ("begin", "end"))
_IMPORT = re.compile(r"^(?:from __future__|import|from) [^\n]*\n", re.MULTILINE)
_DOCSTRING = re.compile(r'\A""".*?"""\n', re.DOTALL)


def bodies() -> str:
    """What the modules define, without their imports: the script has them."""
    parts = []
    for name in MODULES:
        text = (ROOT / "arkit_mapping" / f"{name}.py").read_text(encoding="utf-8")
        parts.append(
            f"# arkit_mapping/{name}.py\n" + _IMPORT.sub("", _DOCSTRING.sub("", text, count=1)).strip("\n") + "\n"
        )
    return "\n\n".join(parts)


def made(script: str) -> str:
    """The script with the modules between its two marks."""
    before, rest = script.split(BEGIN)
    return before + BEGIN + "\n" + bodies() + "\n" + END + rest.split(END)[1]


def main() -> int:
    SCRIPT.write_text(made(SCRIPT.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
