"""This machine as far as it can be read: the system's files under a root, and its commands. Tests hand over a root of
their own."""

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
    """What a command prints, None where it is absent, fails or takes longer than a few seconds."""
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
    """What checks read from."""

    root: Path = Path("/")
    """Below it: proc, sys, etc."""
    platform: str = sys.platform
    run: Callable[..., str | None] = run_command

    def read(self, path: str) -> str:
        """A file's text, nothing where it cannot be read."""
        try:
            with open(self.root / path, encoding="utf-8", errors="replace") as file:
                return file.read(_LARGEST)
        except OSError:
            return ""
