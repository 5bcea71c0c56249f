"""Programs of others that make, validate and play glTF files, run by node: see tests/support/gltf_tools."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parent / "gltf_tools"
LIMIT_S = 50


def validated(file: Path) -> dict[str, Any]:
    """The Khronos validator's report on a file: `issues` with `numErrors`, `numWarnings` and `messages`, all of them."""
    report: dict[str, Any] = json.loads(_node("validate.mjs", file))
    return report


def errors_in(file: Path) -> list[tuple[str, str]]:
    """(code, place) of each error that the validator finds."""
    issues = validated(file)["issues"]
    found = sorted((issue["code"], issue.get("pointer", "")) for issue in issues["messages"] if issue["severity"] == 0)
    assert len(found) == issues["numErrors"] and not issues["truncated"]
    return found


def rewritten(file: Path, out: Path, kind: str) -> Path:
    """The file as gltf-transform stores it: `kind` is a list with commas, see rewrite.mjs."""
    _node("rewrite.mjs", file, out, kind)
    return out


def played(file: Path, times_s: Sequence[float]) -> list[dict[str, Any]]:
    """What three.js shows of a file's last animation at these times: for each mesh `mesh`, `names` and `weights`."""
    shown: list[dict[str, Any]] = json.loads(_node("play.mjs", file, *map(str, times_s)))
    return shown


def _node(script: str, *arguments: Path | str) -> str:
    node = installed()
    done = subprocess.run([node, TOOLS / script, *arguments], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, f"{script}: {done.stderr}"
    return done.stdout


@functools.cache
def installed() -> str:
    """Node, with the packages of the lock file in place; a skip that says why not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no node with npm on this machine: apt install nodejs npm")
    wanted = hashlib.sha256((TOOLS / "package-lock.json").read_bytes()).hexdigest()
    there = TOOLS / "node_modules" / "lock.sha256"
    if not there.is_file() or there.read_text() != wanted:
        _install(npm, wanted)
    return node


def _install(npm: str, wanted: str) -> None:
    """Install beside, then rename: other processes of the same test run may be at it too."""
    with tempfile.TemporaryDirectory(dir=TOOLS, prefix=".install-") as name:
        folder = Path(name)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(TOOLS / file, folder)
        try:
            done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm ci did not end within {LIMIT_S} s: is there a network?")
        if done.returncode:
            pytest.skip(f"npm ci does not work here: {done.stderr.strip().partition(chr(10))[0]}")
        (folder / "node_modules" / "lock.sha256").write_text(wanted)
        try:
            if (TOOLS / "node_modules").exists():
                os.replace(TOOLS / "node_modules", folder / "old")
            os.replace(folder / "node_modules", TOOLS / "node_modules")
        except OSError:
            if not (TOOLS / "node_modules" / "lock.sha256").is_file():
                raise
