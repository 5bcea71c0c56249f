"""The only module that imports ONNX Runtime, whose telemetry must be off before the import.
tests/repository/test_layering.py checks it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def open_session(graph: Path, sizes: Mapping[str, int], threads: int = 1) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU.

    Parameters
    ----------
    graph : the .onnx file
    sizes : fixed sizes of free dimensions, by name: those are planned once, which saves a sixth of a small graph's call
    threads : for one operator

    Raises ValueError, with ONNX Runtime's reason on one line, for a file that it cannot run.
    """
    onnxruntime = _onnxruntime()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.log_severity_level = 3
    for name, size in sizes.items():
        settings.add_free_dimension_override_by_name(name, size)
    try:
        return onnxruntime.InferenceSession(str(graph), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own unrelated classes, none of them public
        raise ValueError(" ".join(str(error).split())) from error


def _onnxruntime() -> Any:
    """The library, without its telemetry.

    From 1.31 on its wheels for every system keep a device id and a database of events below the user's cache folder,
    and send them to Microsoft. The variable is read once, while the library is imported; `disable_telemetry_events()`
    comes too late for the files. It is set whatever the environment says, because docs/security.md promises it, and
    stays set, so that child processes have it too.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime
