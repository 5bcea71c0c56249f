"""The imports of the repository's packages, read from the source: at the top of a module, in functions and under
TYPE_CHECKING alike."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOMES = {
    "livelink_bridge": ROOT,
    "arkit_mapping": ROOT,
    "speech_to_face": ROOT / "models",
    "speech_to_face_lab": ROOT / "models",
    "make_face": ROOT / "tools",
}
"""Packages of the repository, and the folder that each lies in."""


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """Dotted name and file of each module of a package or of a package below it."""
    home = HOMES[package.partition(".")[0]]
    for path in sorted(home.joinpath(*package.split(".")).rglob("*.py")):
        parts = path.relative_to(home).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def imported(path: Path) -> dict[str, int]:
    """Dotted names that a file imports anywhere, and the line of each. `from a import b` counts as a.b where that is a
    module of ours, else as a; a relative import as its dots and name."""
    names: dict[str, int] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names_in_it = (f"{module}.{alias.name}" for alias in node.names)
            found = [name if is_module(name) else module for name in names_in_it]
        else:
            continue
        for name in found:
            names.setdefault(name, node.lineno)
    return names


@cache
def is_module(name: str) -> bool:
    """Whether it is a module or a package of the repository."""
    home = HOMES.get(name.partition(".")[0])
    path = home and home.joinpath(*name.split("."))
    return path is not None and (path.with_suffix(".py").exists() or (path / "__init__.py").exists())


def covers(names: Iterable[str], name: str) -> bool:
    """Whether `name` is one of `names` or lies below one."""
    return any(name == entry or name.startswith(f"{entry}.") for entry in names)


@cache
def graph() -> Mapping[str, Mapping[str, int]]:
    """For each module of the repository those of ours that it imports, and the line."""
    return {
        module: {name: line for name, line in imported(path).items() if name != module and is_module(name)}
        for package in HOMES
        for module, path in modules(package)
    }


def folders() -> list[str]:
    """Every package of the repository, whatever its depth."""
    return sorted(name for package in HOMES for name, path in modules(package) if path.name == "__init__.py")


def inside(folder: str) -> Mapping[str, set[str]]:
    """Which members of a folder, modules and folders directly in it, import which others."""
    found: dict[str, set[str]] = {}
    for module, names in graph().items():
        if not module.startswith(f"{folder}."):
            continue
        member = _member(folder, module)
        others = {_member(folder, name) for name in names if name.startswith(f"{folder}.")}
        found.setdefault(member, set()).update(others - {member})
    return found


def cycles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The strongly connected components of more than one node, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            component, stack[at:] = stack[at:], []
            if len(component) > 1:
                found.append(sorted(component))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def _member(folder: str, module: str) -> str:
    return module.removeprefix(f"{folder}.").partition(".")[0]
