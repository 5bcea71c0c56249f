"""Write docs/commands.md from the program's --help.

python scripts/make_command_docs.py           writes the page
python scripts/make_command_docs.py --check   exit code 1 if it is not current
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from livelink_bridge.cli import HEADINGS, run

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
WIDTH = "100"
GROUPS = {"models": ("info", "download", "convert"), "takes": ("list", "check", "trim", "resample", "merge", "export")}
"""Commands with subcommands, in the order of their help."""
HEAD = """# Commands

Made by `python scripts/make_command_docs.py` from each command's `--help`; a test checks that it is current.

Exit codes: 0 done; 1 runtime error (a file, model, device or host is missing or unusable); 2 usage error (an unknown
flag or setting, a malformed URI, a port outside 1-65535); 130 interrupted by Ctrl-C or SIGTERM. An error is one line on
stderr; `--debug` adds the traceback.
What the common options mean, and how to keep them in a file: [settings.md](settings.md).
"""


def main() -> int:
    """Write or check the page. Returns the exit code."""
    page = commands_page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8", newline="\n")
        return 0
    if PAGE.read_text(encoding="utf-8") == page:
        return 0
    print(f"{PAGE} is not current; run python scripts/make_command_docs.py", file=sys.stderr)
    return 1


def commands_page() -> str:
    """The text of docs/commands.md."""
    shown = [
        ("livelink-bridge", []),
        ("livelink-bridge --mic [DEVICE]", ["--mic"]),
        *((f"livelink-bridge {' '.join(words)}", words) for names in HEADINGS.values() for words in _words(names)),
    ]
    return HEAD + "".join(f"\n## {title}\n\n```\n{help_text(arguments)}\n```\n" for title, arguments in shown)


def _words(names: Sequence[str]) -> list[list[str]]:
    """Each command under a heading, followed by its subcommands."""
    return [words for name in names for words in ([name], *([name, verb] for verb in GROUPS.get(name, ())))]


def help_text(arguments: list[str]) -> str:
    """A command's --help, at a fixed width."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), mock.patch.dict(os.environ, {"COLUMNS": WIDTH, "NO_COLOR": "1"}):
        run([*arguments, "--help"])
    return output.getvalue().strip()


if __name__ == "__main__":
    sys.exit(main())
