"""A small JSON file of this user's that several programs read and change at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arkit_mapping.whole_file import whole_file

LOCK_S = 5.0
"""Longest wait for another program that is changing the file: each holds the lock for milliseconds."""


def read(path: Path) -> Any:
    """What the file holds; {} where there is none. Raises OSError, and ValueError for what is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def change(path: Path, changed: Callable[[], Any]) -> None:
    """Write what `changed` returns, with nobody else changing the file between its reading there and the writing here.

    `changed` reads the file itself, as each knows best what to make of a damaged one. The folder is made. Raises
    OSError, TimeoutError among them where another program keeps the lock for `LOCK_S`.
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
