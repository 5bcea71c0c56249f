"""Programs of others that make, validate and play glTF files, run by node: see tests/support/gltf_tools."""

from __future__ import annotations

import atexit
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
    """The Khronos validator's report on a file: `issues` with `numErrors`, `numWarnings` and `messages`, all of
    them."""
    return dict(_node("validate", file))


def errors_in(report: dict[str, Any]) -> list[tuple[str, str]]:
    """(code, place) of each error in the validator's report."""
    issues = report["issues"]
    found = sorted((issue["code"], issue.get("pointer", "")) for issue in issues["messages"] if issue["severity"] == 0)
    assert len(found) == issues["numErrors"] and not issues["truncated"]
    return found


def rewritten(file: Path, out: Path, kind: str) -> Path:
    """The file as gltf-transform stores it: `kind` is a list with commas, see rewrite.mjs."""
    _node("rewrite", file, out, kind)
    return out


def played(file: Path, times_s: Sequence[float]) -> list[dict[str, Any]]:
    """What three.js shows of a file's last animation at these times: for each mesh `mesh`, `names` and `weights`."""
    return list(_node("play", file, *times_s))


def _node(task: str, *arguments: Path | str | float) -> Any:
    """The answer of serve.mjs, which goes on running for the next question of this process."""
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    request = [task, *(str(one) if isinstance(one, Path) else one for one in arguments)]
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    line = server.stdout.readline()
    assert line, f"node ended with exit code {server.wait(LIMIT_S)} in {task}"
    said = json.loads(line)
    assert "error" not in said, f"{task}: {said['error']}"
    return said["answer"]


@functools.cache
def _server() -> subprocess.Popen[str]:
    """Node with the libraries loaded; it ends with this process, whose pipe it reads."""
    command = [installed(), str(TOOLS / "serve.mjs")]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    server.communicate(timeout=LIMIT_S)


def installed() -> str:
    """Node, with the packages of the lock file in place; a skip that says why not."""
    reason = _why_not()
    if reason:
        pytest.skip(reason)
    node = shutil.which("node")
    assert node is not None
    return node


@functools.cache
def _why_not() -> str:
    """Install what is missing, once a process; the reason where that is not possible, else empty."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "there is no node with npm on this machine: apt install nodejs npm"
    wanted = hashlib.sha256((TOOLS / "package-lock.json").read_bytes()).hexdigest()
    there = TOOLS / "node_modules" / "lock.sha256"
    return "" if there.is_file() and there.read_text() == wanted else _install(npm, wanted)


def _install(npm: str, wanted: str) -> str:
    """Install beside, then rename, as other processes of the same test run may be at it too; why that did not work,
    else empty."""
    with tempfile.TemporaryDirectory(dir=TOOLS, prefix=".install-") as name:
        folder = Path(name)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(TOOLS / file, folder)
        patience = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", f"--fetch-timeout={1000 * LIMIT_S // 2}"]
        command = [npm, "ci", "--no-audit", "--no-fund", *patience]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            return f"npm ci did not end within {LIMIT_S} s: is there a network?"
        if done.returncode:
            return f"npm ci does not work here: {done.stderr.strip().partition(chr(10))[0]}"
        (folder / "node_modules" / "lock.sha256").write_text(wanted)
        try:
            if (TOOLS / "node_modules").exists():
                os.replace(TOOLS / "node_modules", folder / "old")
            os.replace(folder / "node_modules", TOOLS / "node_modules")
        except OSError:
            if not (TOOLS / "node_modules" / "lock.sha256").is_file():
                raise  # another process was not faster
    return ""
