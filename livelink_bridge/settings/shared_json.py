"""A small JSON file of the user that several programs read and change at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arkit_mapping.whole_file import whole_file

LOCK_S = 5.0
"""Longest wait for another program that is changing the file; each holds the lock for milliseconds."""


def read(path: Path) -> Any:
    """The content of the file; {} if there is none. Raises OSError, and ValueError for a file that is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def change(path: Path, changed: Callable[[], Any]) -> None:
    """Write what `changed` returns, while no other program can change the file.

    `changed` reads the file itself, since each caller treats a damaged one in its own way. The folder is created.
    Raises OSError, which includes TimeoutError where another program keeps the lock for `LOCK_S`.
    """
    from filelock import FileLock, Timeout  # 55 ms to import, and most runs change nothing

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_S):
            content = changed()
            with whole_file(path) as partial:
                partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except Timeout as error:
        raise TimeoutError(None, f"another program has kept {path.name}.lock for {LOCK_S:g} s") from error
