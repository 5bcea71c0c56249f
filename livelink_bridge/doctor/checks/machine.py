"""Access to this machine's system files and commands. Tests pass a root folder of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LONGEST_S = 5.0
_LARGEST = 1 << 20


def run_command(*command: str) -> str | None:
    """Output of a command; None when it is missing, fails or takes longer than 5 s."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that the checks examine."""

    root: Path = Path("/")
    """Folder with proc, sys and etc."""
    platform: str = sys.platform
    """As `sys.platform`."""
    run: Callable[..., str | None] = run_command
    """Runs a command; see `run_command`."""

    def read(self, path: str) -> str:
        """Text of a file, relative to `root`; empty when it cannot be read."""
        try:
            with open(self.root / path, encoding="utf-8", errors="replace") as file:
                return file.read(_LARGEST)
        except OSError:
            return ""
