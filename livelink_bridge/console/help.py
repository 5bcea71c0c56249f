"""--help in groups, also where no terminal draws it.

typer groups options and commands by `rich_help_panel` when rich draws the help; these classes do the same in plain
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from typer.core import TyperCommand, TyperGroup

_NAME_WIDTH = 30
"""Characters of the first column at most, as the parser's own help has it."""
_TYPE = re.compile(r" <[^>]*>$")
"""What the parser puts behind an argument's name, such as <list[Path]>."""
Rows = list[tuple[str, str]]


class GroupedCommand(TyperCommand):
    """A command whose options stand under headings. Its help texts state the defaults themselves, with units."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        _without_defaults(self.params)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of arguments and options."""
        _write(formatter, _options(self.get_params(ctx), ctx))


class GroupedGroup(TyperGroup):
    """A command with commands of its own, which stand under headings too."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        _without_defaults(self.params)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of arguments, options and commands."""
        _write(formatter, _options(self.get_params(ctx), ctx))
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of commands, each with the first sentence of its help."""
        shown = [command for command in self.commands.values() if not command.hidden]
        limit = formatter.width - 6 - max(len(command.name or "") for command in shown)
        sections: dict[str, Rows] = {}
        for command in shown:
            title = getattr(command, "rich_help_panel", None) or "Commands"
            sections.setdefault(title, []).append((command.name or "", command.get_short_help_str(limit)))
        _write(formatter, sections)


def _without_defaults(params: Iterable[Any]) -> None:
    """Leave out the parser's `[default: 8765]`, which knows no unit and would say it twice."""
    for param in params:
        param.show_default = False


def _options(params: Iterable[Any], ctx: Any) -> dict[str, Rows]:
    """Names and help of a command's parameters by heading: arguments, options without a heading, then the others in
    the order in which they are declared."""
    sections: dict[str, Rows] = {"Arguments": [], "Options": []}
    for param in params:
        record = param.get_help_record(ctx)
        if record is None:
            continue
        if param.param_type_name == "argument":
            sections["Arguments"].append((_TYPE.sub("", record[0]), record[1]))
        else:
            sections.setdefault(param.rich_help_panel or "Options", []).append(record)
    return {title: rows for title, rows in sections.items() if rows}


def _write(formatter: Any, sections: dict[str, Rows]) -> None:
    """The sections, with one first column for all of them."""
    names = [len(name) for rows in sections.values() for name, _ in rows]
    width = min(max(names), _NAME_WIDTH) if names else 0
    for title, rows in sections.items():
        with formatter.section(title):
            formatter.write_dl([(name.ljust(width), text) for name, text in rows], col_max=_NAME_WIDTH)
