"""The step as one ONNX Runtime call: how the network runs on a CPU.

Eager PyTorch dispatches some two hundred operators a step from Python and holds the interpreter lock between them, which delays
the sender's and the microphone's threads; one native call releases it (figures in docs/benchmarks.md). It also starts without
importing torch. One thread: with two, short operators wait for each other, and a step takes tens of milliseconds as soon as
anything else runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.base import ModelError
from models.pmmtalk.runtime import Array, Voice


class OnnxSteps:
    """The graph in ONNX Runtime on one CPU thread."""

    def __init__(self, session: Any, voice: Voice, state_shapes: list[tuple[int, int]]) -> None:
        self._session, self._shapes = session, state_shapes
        self._fixed = {"style": voice.style, "code": voice.code, "crop": voice.crop}
        self._names = [f"state_{i}" for i in range(len(state_shapes))]
        self.reset()

    def reset(self) -> None:
        self._states = [np.zeros((1, *shape), np.float32) for shape in self._shapes]
        self._clock = 0

    def run(self, mel: Array) -> Array:
        feeds = {"mel": mel[None], "clock": np.array(self._clock, np.int64), **self._fixed}
        out, *self._states = self._session.run(None, feeds | dict(zip(self._names, self._states, strict=True)))
        self._clock += len(mel)
        return np.asarray(out[0])


def open_graph(path: Path) -> Any:
    """An ONNX Runtime session on one thread. Raises ModelError when the file is no graph."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.log_severity_level = 3
    # Audio fades into numbers too small for normal floats in long silence; arithmetic on those is a hundred times slower.
    settings.add_session_config_entry("session.set_denormal_as_zero", "1")
    try:
        return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own unrelated classes, none of them public
        raise ModelError(f"{path}: not a graph ONNX Runtime can run ({error}); install the model again") from error


def state_shapes(session: Any) -> list[tuple[int, int]]:
    """(past, width) of every state the graph carries, in its order."""
    states = [node for node in session.get_inputs() if node.name.startswith("state_")]
    return [(node.shape[1], node.shape[2]) for node in states]
