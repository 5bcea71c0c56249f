"""The glossary is in order, and every class, function and constant that it names is in the file that it names."""

from __future__ import annotations

import ast
import re

from doc_pages import ROOT

PAGE = ROOT / "docs" / "glossary.md"
ROWS = re.findall(
    r"^\| (?!term\b)(\w[^|]*?) \| ([^|]+?) \| ([^|]+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)
NAMED = re.compile(r"`(\w+)` in `([\w/.]+)`")


def defined(path: str) -> set[str]:
    """The names that a module defines at its top level."""
    names: set[str] = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def test_terms_are_in_alphabetical_order_and_unique() -> None:
    terms = [term.casefold().replace("-", "") for term, _, _ in ROWS]
    assert len(terms) > 50
    assert terms == sorted(set(terms))


def wrong(code: str) -> str | None:
    """What is wrong with the last column of a row, or None."""
    found = NAMED.fullmatch(code)
    if not found:
        return f"{code}: write `Name` in `path/to/file.py`"
    name, path = found.groups()
    if not (ROOT / path).is_file():
        return f"{path}: no such file"
    return None if name in defined(path) else f"{path} defines no {name}"


def test_the_code_of_each_term_is_where_the_glossary_has_it() -> None:
    assert [(term, trouble) for term, _, code in ROWS if (trouble := wrong(code))] == []


def test_a_wrong_row_is_found() -> None:
    assert wrong("`FaceFrame` in `livelink_bridge/core/frames.py`") is None
    assert "no FacePose" in str(wrong("`FacePose` in `livelink_bridge/core/frames.py`"))
    assert "no such file" in str(wrong("`FaceFrame` in `livelink_bridge/frames.py`")) and "write" in str(
        wrong("FaceFrame")
    )
