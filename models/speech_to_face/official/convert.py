"""Conversion of public checkpoints to our checkpoint folders: `convert`.

The files are read in a process of their own (`speech_to_face.official.worker`), which reads tensors only and is barred
from starting programs, connecting, and writing outside the new folder. This process never opens them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arkit_mapping.whole_file import replace_folder
from speech_to_face.base import ModelError

ROOT = Path(__file__).resolve().parents[2]
_INTERPRETERS = re.compile(r"(python|pypy|mayapy|hython)[-\d.wt]*")
"""Programs that take `-m MODULE`; in Unreal, Maya or a frozen program `sys.executable` is that program, or nothing."""
ERROR = "error"
"""Key of the worker's answer that holds one line for the user."""


@dataclass(frozen=True, slots=True)
class Converted:
    """Result of a conversion."""

    folder: Path
    system: str
    tensors: int
    parameters: int
    unmapped: tuple[str, ...]
    """Names in the files that were not used."""


def convert(files: Sequence[Path], out: Path, force: bool = False) -> Converted:
    """Write the checkpoint folder `out` from public files; several are parts of one model, later ones override earlier
    ones.

    The folder appears whole or not at all. Raises ModelError for files that are absent, damaged, contain code, or have
    no known layout, and for a folder that exists, unless forced.
    """
    if out.exists() and not force:
        raise ModelError(f"{out} exists; choose another folder, or overwrite it with --force")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error.strerror}") from error
    try:
        said = _worker(made, files)
        made.chmod(0o755)  # a temporary folder is its maker's alone
        replace_folder(made, out)
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Converted(out, said["system"], said["tensors"], said["parameters"], tuple(said["unmapped"]))


def _worker(folder: Path, files: Sequence[Path]) -> dict[str, Any]:
    """The worker's answer. Raises ModelError with the error that it reports."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *_paths()])}
    command = [_interpreter(files[0]), "-m", "speech_to_face.official.worker", str(folder), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    try:
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ModelError(
            f"{files[0]}: could not be read (the reading process ended with {done.returncode}: {last[:200]})"
        ) from None
    if ERROR in said:
        raise ModelError(said[ERROR])
    return said


def _interpreter(file: Path) -> str:
    """The interpreter's path. Raises ModelError where this Python is embedded in another program: that program would
    start instead."""
    executable = sys.executable or ""
    if getattr(sys, "frozen", False) or not _INTERPRETERS.fullmatch(Path(executable).stem.lower()):
        raise ModelError(
            f"{file}: reading it takes a Python process of its own, and this Python is inside "
            f"{executable or 'another program'}; "
            f"convert it on a command line: livelink-bridge models convert {file} --out FOLDER"
        )
    return executable


def _paths() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
