"""Write the tables of docs/settings.md from the settings table of the program.

python scripts/make_settings_docs.py           writes them
python scripts/make_settings_docs.py --check   exit code 1 if they are not current
"""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

from livelink_bridge.settings import table
from livelink_bridge.settings.setting import GROUPS, Setting
from livelink_bridge.settings.table import TABLE

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
BEGIN = "<!-- Made by python scripts/make_settings_docs.py from livelink_bridge/settings/table.py -->\n"
END = "<!-- end -->\n"


def main() -> int:
    """Write or check the tables. Returns the exit code."""
    page = PAGE.read_text(encoding="utf-8")
    made = with_tables(page)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8", newline="\n")
        return 0
    if made == page:
        return 0
    print(f"{PAGE} is not current; run python scripts/make_settings_docs.py", file=sys.stderr)
    return 1


def with_tables(page: str) -> str:
    """The page with new tables. Raises ValueError if it lacks the lines around them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE}: no lines {BEGIN!r} and {END!r} around the tables")
    return before + BEGIN + "\n" + tables() + END + after


def tables() -> str:
    """A heading and a table for each group of settings."""
    texts = explanations()
    parts = []
    for group in GROUPS:
        rows = [row for row in TABLE.values() if row.group == group]
        lines = [f"| `{row.name}` | {flag(row)} | {default(row)} | {texts[row.name]} |" for row in rows]
        parts.append(
            "\n".join([f"### {group}\n", "| key | flag | default | what |", "|---|---|---|---|", *lines, "\n"])
        )
    return "".join(parts)


def flag(row: Setting) -> str:
    """The flags of a setting, in Markdown."""
    if not row.flag:
        return "in a file only"
    names = row.flag.split("/")
    shown = [f"`{name} {row.metavar}`" if row.metavar else f"`{name}`" for name in names]
    repeatable = ", repeatable" if row.parsed == list[str] else ""
    return ", ".join(shown).replace("|", "\\|") + repeatable


def default(row: Setting) -> str:
    """The default in YAML, or words for a setting without one."""
    if row.default is None or row.default == ():
        return f"`{row.unset.removeprefix('--')}`" if row.unset.startswith("--") else row.unset or "none"
    if isinstance(row.default, bool):
        return f"`{str(row.default).lower()}`"
    number = f"{row.default:g}" if isinstance(row.default, float) else row.default
    return f"`{', '.join(row.default) if isinstance(row.default, tuple) else number}`"


def explanations() -> dict[str, str]:
    """By key, the text below each row of the settings table in the source, on one line."""
    (body,) = [
        node.body
        for node in ast.parse(inspect.getsource(table)).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    ]
    found = {}
    for row, text in zip(body, body[1:], strict=False):
        if isinstance(row, ast.AnnAssign) and isinstance(row.target, ast.Name):
            assert isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant), f"{row.target.id}: no text"
            key = row.target.id
            found[key] = " ".join(str(text.value.value).split()).replace("{limits}", str(TABLE[key].limits))
    return found


if __name__ == "__main__":
    sys.exit(main())
