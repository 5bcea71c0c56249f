"""The step as one ONNX Runtime call: how the network runs on a CPU.

Eager PyTorch dispatches every operator of a step from Python and holds the interpreter lock between them, which delays
the sender's and the microphone's threads; one native call releases it (figures in docs/benchmarks.md). It also starts without
importing torch. Single steps run on one thread: with two, short operators wait for each other, and a step takes tens of
milliseconds as soon as anything else runs.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models.base import ModelError
from models.pmmtalk.runtime import PRIME_STEPS, Array, Voice, silence

FEW = 12
"""Up to so many steps run one by one: a device that hands over sound in lumps must not wait for the other session to open."""
BLOCK_THREADS = 2
"""Of block work, where operators are long enough to share. They sleep while they wait, so that they harm nobody."""


class Graph:
    """The compiled network: a session for single steps, whose shapes are fixed when it opens, and one for blocks of any length.

    Fixed shapes let ONNX Runtime work out all sizes beforehand, about a sixth of a step. Offline work alone needs the second.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.quiet: dict[bytes, list[Array]] = {}
        """States after silence, by voice: every stream begins with them, and working them out takes as long as fifty steps."""
        self.single = _open(path, steps=1)
        states = [node for node in self.single.get_inputs() if node.name.startswith("state_")]
        self.state_shapes = [(node.shape[1], node.shape[2]) for node in states]
        """(past, width) of every state, in the graph's order."""

    @cached_property
    def block(self) -> Any:
        return _open(self._path, steps=None)


class OnnxSteps:
    """One voice on the compiled network; see `models.pmmtalk.runtime.Steps`."""

    def __init__(self, graph: Graph, voice: Voice) -> None:
        self._graph = graph
        self._fixed = {"style": voice.style, "code": voice.code, "crop": voice.crop}
        self._names = [f"state_{i}" for i in range(len(graph.state_shapes))]
        if voice.key() not in graph.quiet:
            graph.quiet[voice.key()] = self._primed()
        self._quiet = graph.quiet[voice.key()]
        self.reset()

    def reset(self) -> None:
        self._states, self._clock = list(self._quiet), PRIME_STEPS

    def _primed(self) -> list[Array]:
        self._states, self._clock = [np.zeros((1, *shape), np.float32) for shape in self._graph.state_shapes], 0
        for step in np.split(silence(), PRIME_STEPS):
            self._run(self._graph.single, step)
        return self._states

    def run(self, mel: Array) -> Array:
        if len(mel) > FEW:
            return self._run(self._graph.block, mel)
        return np.concatenate([self._run(self._graph.single, step) for step in np.split(mel, len(mel))])

    def _run(self, session: Any, mel: Array) -> Array:
        feeds = {"mel": mel[None], "clock": np.array(self._clock, np.int64), **self._fixed}
        out, *self._states = session.run(None, feeds | dict(zip(self._names, self._states, strict=True)))
        self._clock += len(mel)
        return np.asarray(out[0])


def _open(path: Path, steps: int | None) -> Any:
    """A session with fixed or free step count. Raises ModelError when the file is no graph."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = BLOCK_THREADS if steps is None else 1
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.log_severity_level = 3
    if steps is not None:
        settings.add_free_dimension_override_by_name("steps", steps)
    try:
        return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own unrelated classes, none of them public
        raise ModelError(f"{path}: not a graph ONNX Runtime can run ({error}); install the model again") from error
