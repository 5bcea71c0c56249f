"""Finds a Python interpreter that can run another process."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_PYTHON = re.compile(r"(python|pythonw|pypy|mayapy|hython)[\d.]*t?", re.IGNORECASE)


def own_python(executable: str | None = None, *, frozen: bool | None = None) -> str | None:
    """Path of the interpreter; None inside a host application or a frozen program, where `sys.executable` is that
    program itself. Starting that with `-c` would open another Unreal or Maya, or run the frozen program again, which
    would start another.

    Parameters
    ----------
    executable, frozen : default: `sys.executable` and `sys.frozen`; injected for tests
    """
    program = sys.executable if executable is None else executable
    if (getattr(sys, "frozen", False) if frozen is None else frozen) or not program:
        return None
    return (
        program
        if _PYTHON.fullmatch(re.sub(r"\.exe$", "", Path(program.replace("\\", "/")).name, flags=re.IGNORECASE))
        else None
    )
