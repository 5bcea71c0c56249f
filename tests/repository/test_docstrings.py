"""Every public name of the packages has a docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("livelink_bridge", "arkit_mapping", "models/speech_to_face", "models/speech_to_face_lab")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def without_docstring(source: str) -> Iterator[str]:
    """`LINE NAME` of each public module, class, function, method and property that has none."""
    tree = ast.parse(source)
    if ast.get_docstring(tree) is None and tree.body:
        yield "1 module"
    yield from _missing(tree.body, "")


def _missing(body: list[ast.stmt], owner: str) -> Iterator[str]:
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _is_setter(node):
            yield f"{node.lineno} {owner}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _missing(node.body, f"{node.name}.")


def _is_setter(node: Definition) -> bool:
    """A property's setter is documented by the property."""
    return any(isinstance(one, ast.Attribute) and one.attr in ("setter", "deleter") for one in node.decorator_list)


def test_the_check_sees_what_is_missing() -> None:
    source = (
        '"""A module."""\ndef f(): pass\nclass A:\n    """An a."""\n    def g(self): pass\n    def _h(self): pass\n'
    )
    assert list(without_docstring(source)) == ["2 f", "5 A.g"]
    assert list(without_docstring("X = 1")) == ["1 module"]


def test_every_public_name_has_a_docstring() -> None:
    missing = [
        f"{path.relative_to(ROOT)}:{line}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for line in without_docstring(path.read_text(encoding="utf-8"))
    ]
    assert missing == []
