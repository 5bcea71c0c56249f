"""Converts lists in GitHub's Markdown to Python-Markdown, which mkdocs uses.

A hook of mkdocs.yml. GitHub accepts a list right after a sentence, and an item's continuation indented by two or three
spaces. Python-Markdown needs an empty line before the list, and four spaces a level. Pages are written for GitHub.
"""

from __future__ import annotations

import re
from typing import Any

_ITEM = re.compile(r"( *)(?:[-*+]|\d{1,2}\.) +\S")
_FENCE = re.compile(r" *(```+|~~~+)")
_LEVEL = 4
"""Spaces per level in Python-Markdown."""


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """mkdocs' hook: the page in Python-Markdown."""
    return for_python_markdown(markdown)


def for_python_markdown(text: str) -> str:
    """Insert an empty line before each list that follows a paragraph, and indent the contents of items by four spaces a
    level."""
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
    """Whether a line belongs to a list: an item, an indented line below one, or the continuation of its sentence."""
    if _ITEM.match(line) and (depth == 0 or in_list):
        return True
    return in_list and (depth > 0 or bool(before and before[-1].strip() and not _FENCE.match(line)))


def _indent(depth: int) -> int:
    """Indentation in Python-Markdown: two or three spaces are one level, four to six are two."""
    return _LEVEL * ((depth + 2) // 3)


def _interrupts(line: str, before: list[str]) -> bool:
    """Whether an unindented item follows a line of a paragraph, or a code block in the item before it."""
    item, last = _ITEM.match(line), before[-1] if before else ""
    if item is None or item[1] or not last.strip():
        return False
    return bool(_FENCE.match(last)) or not (_ITEM.match(last) or last.startswith(" "))
