"""Benchmarks, examples and scripts import names that are there: no type checker reads them, and some run rarely."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "examples", "scripts")
OURS = ("livelink_bridge", "arkit_mapping", "speech_to_face", "speech_to_face_lab", "make_face")
LOOK = """
import importlib, json, sys
missing = []
for module, name in json.load(sys.stdin):
    found = importlib.import_module(module)
    try:
        hasattr(found, name) or importlib.import_module(f"{module}.{name}")
    except ImportError:
        missing.append(f"{module}.{name}")
print(json.dumps(missing))
"""


def imported(path: Path, own: set[str]) -> set[tuple[str, str]]:
    """(module, name) of each import from a module of ours or of the same folder, functions included."""
    return {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        if node.module.partition(".")[0] in OURS or node.module in own
        for alias in node.names
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_imported_name_exists(folder: str) -> None:
    files = sorted((ROOT / folder).glob("*.py"))
    own = {path.stem for path in files}
    names = sorted(set().union(*(imported(path, own) for path in files)))
    assert names
    paths = [str(ROOT / folder), str(ROOT / "tools"), str(ROOT / "models"), str(ROOT)]
    look = f"import sys; sys.path[:0] = {paths!r}\n{LOOK}"
    done = subprocess.run(
        [sys.executable, "-c", look], input=json.dumps(names), capture_output=True, text=True, timeout=50, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
