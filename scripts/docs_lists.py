"""Lists as GitHub reads them, written as mkdocs' Markdown wants them.

A hook of mkdocs.yml. GitHub takes a list that follows a sentence without an empty line, and what is indented by two or
three spaces as part of an item. Python-Markdown wants the empty line, and four spaces a level. Pages are written for
GitHub.
"""

from __future__ import annotations

import re
from typing import Any

_ITEM = re.compile(r"( *)(?:[-*+]|\d{1,2}\.) +\S")
_FENCE = re.compile(r" *(```+|~~~+)")
_LEVEL = 4
"""Spaces that Python-Markdown wants for each level."""


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """The page as Python-Markdown has to be given it."""
    return for_python_markdown(markdown)


def for_python_markdown(text: str) -> str:
    """Put an empty line before each list that interrupts a paragraph, and indent what belongs to an item by four spaces
    a level."""
    out: list[str] = []
    in_list, fence, shift = False, "", 0
    for line in text.split("\n"):
        opening = _FENCE.match(line)
        if fence:
            fence = "" if opening and line.strip() == fence else fence
            out.append(" " * shift + line if line else line)
            continue
        depth = len(line) - len(line.lstrip(" "))
        if line.strip():
            in_list = _stays(in_list, line, depth, out)
        shift = _indent(depth) - depth if in_list else 0
        if opening:
            fence = opening[1]
        if _interrupts(line, out):
            out.append("")
        out.append(" " * shift + line if line.strip() else line)
    return "\n".join(out)


def _stays(in_list: bool, line: str, depth: int, before: list[str]) -> bool:
    """Whether a line is part of a list: an item, what is indented below one, or the rest of its sentence."""
    if _ITEM.match(line) and (depth == 0 or in_list):
        return True
    return in_list and (depth > 0 or bool(before and before[-1].strip() and not _FENCE.match(line)))


def _indent(depth: int) -> int:
    """Two or three spaces are one level, four to six are two."""
    return _LEVEL * ((depth + 2) // 3)


def _interrupts(line: str, before: list[str]) -> bool:
    """Whether an item at the margin follows a line of a paragraph, or a block of code within the item before it."""
    item, last = _ITEM.match(line), before[-1] if before else ""
    if item is None or item[1] or not last.strip():
        return False
    return bool(_FENCE.match(last)) or not (_ITEM.match(last) or last.startswith(" "))
