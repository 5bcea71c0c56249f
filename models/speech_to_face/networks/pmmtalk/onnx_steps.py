"""The step as one ONNX Runtime call: how the network runs on a CPU.

Eager PyTorch dispatches every operator of a step from Python and holds the interpreter lock between them, which delays
the sender's and the microphone's threads; one native call releases it (figures in docs/benchmarks.md), and starts
without importing torch. Single steps run on one thread: with two, short operators wait for each other, and a step takes
tens of milliseconds as soon as other work runs.

Several live voices share one graph. Steps that they request at the same time run as one call, which reads the weights
once (`benchmarks/bench_voices.py` measures the gain).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import ModelError
from speech_to_face.networks.pmmtalk.step_batcher import StepBatcher
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.onnx_sessions import open_session
from speech_to_face.streaming.stepped import PRIME_STEPS, Array, silence

FEW = 12
"""Up to so many steps run one by one: a device that delivers audio in bursts must not wait for the session of blocks to
open."""
PHONES = "log_phones"
"""The output with the log-probabilities of the phones; graphs that are older than it lack it."""
BLOCK_THREADS = 2
"""Of a block, whose operators are long enough to share. They sleep while they wait and take no time from other
threads."""


@dataclass(frozen=True, slots=True)
class Past:
    """One voice's state: a row of arrays that it may share with other voices. They are never written to."""

    states: list[Array]
    """float32 (voices, past, width) each, in the graph's order."""
    row: int = 0

    def own(self) -> list[Array]:
        """float32 (1, past, width) each: views of this voice's rows."""
        if len(self.states[0]) == 1:
            return self.states
        return [state[self.row : self.row + 1] for state in self.states]


@dataclass(frozen=True, slots=True)
class Step:
    """One voice's request: the steps to run next."""

    voice: Voice
    mel: Array
    """float32 (steps, 160)"""
    clock: int
    """Steps before these."""
    past: Past


class Graph:
    """The compiled network: a session for single steps, whose shapes are fixed when it opens; one for single steps of
    several voices; one for blocks of any length.

    Fixed shapes let ONNX Runtime plan all sizes once, which saves about a sixth of a step. The second session opens
    with the second simultaneous voice, the third with the first block, which only offline work needs.
    """

    def __init__(self, path: Path, phones: bool = False, block_threads: int = BLOCK_THREADS) -> None:
        """phones: also return the phones' log-probabilities, in columns after the channels. Raises ModelError for a
        graph without them."""
        self._path, self._phones, self._block_threads = path, phones, block_threads
        self.quiet: dict[bytes, list[Array]] = {}
        """States after silence, by voice: every stream starts with them, and computing them takes as long as fifty
        steps."""
        self._single = _open(path, steps=1, batch=1)
        inputs = {node.name: node.shape for node in self._single.get_inputs()}
        self.state_shapes = [(shape[1], shape[2]) for name, shape in inputs.items() if name.startswith("state_")]
        """(past, width) of every state, in the graph's order."""
        self._state_names = [f"state_{i}" for i in range(len(self.state_shapes))]
        self.joins = len(inputs["clock"]) == 1
        """Whether several voices can share a call: older graphs have one clock and one row."""
        self._outputs = _outputs(path, self._single, phones)
        self._batcher = StepBatcher(self.run_steps)
        self._voices: WeakSet[OnnxSteps] = WeakSet()

    @cached_property
    def _several(self) -> Any:
        return _open(self._path, steps=1, batch=None)

    @cached_property
    def _block(self) -> Any:
        return _open(self._path, steps=None, batch=1, threads=self._block_threads)

    def register(self, voice: OnnxSteps) -> None:
        """Count a live voice. The second one opens the session for several: that takes as long as many steps, too long
        while a voice is running."""
        self._voices.add(voice)
        if self.joins and len(self._voices) > 1:
            _ = self._several

    def run_step(self, step: Step) -> tuple[Array, Past]:
        """A single step, (1, 160) -> (1, columns) and the next state, batched with the steps of other threads."""
        return self._batcher.run(step) if self.joins else self.run_alone(step)

    def run_steps(self, steps: Sequence[Step]) -> list[tuple[Array, Past]]:
        """Single steps of different voices in one call; answers in the same order."""
        if len(steps) == 1 or not self.joins:
            return [self.run_alone(step) for step in steps]
        order = sorted(range(len(steps)), key=lambda i: steps[i].past.row)
        batch = [steps[i] for i in order]
        out, states = self._run(self._several, _joined(batch) | self._named(_rows([step.past for step in batch])))
        answers = {i: (out[row], Past(states, row)) for row, i in enumerate(order)}
        return [answers[i] for i in range(len(steps))]

    def run_alone(self, step: Step) -> tuple[Array, Past]:
        """One voice's steps, one or a block: (steps, 160) -> (steps, columns) and the next state."""
        session, voice, feeds = (
            self._single if len(step.mel) == 1 else self._block,
            step.voice,
            self._named(step.past.own()),
        )
        feeds["clock"] = np.array([step.clock] if self.joins else step.clock, np.int64)
        feeds["mel"], feeds["style"], feeds["code"], feeds["crop"] = step.mel[None], voice.style, voice.code, voice.crop
        out, states = self._run(session, feeds)
        return out[0], Past(states)

    def _run(self, session: Any, feeds: dict[str, Array | NDArray[np.int64]]) -> tuple[Array, list[Array]]:
        """One call: (voices, steps, channels), the phones after them where wanted, and the next states."""
        out, *states = session.run(self._outputs, feeds)
        return (np.concatenate([out, states.pop()], axis=-1), states) if self._phones else (out, states)

    def _named(self, states: list[Array]) -> dict[str, Array | NDArray[np.int64]]:
        return dict(zip(self._state_names, states, strict=True))


class OnnxSteps:
    """One voice on the compiled network; see `speech_to_face.streaming.stepped.Steps`."""

    def __init__(self, graph: Graph, voice: Voice) -> None:
        self._graph, self._voice = graph, voice
        graph.register(self)
        if voice.key() not in graph.quiet:
            graph.quiet[voice.key()] = self._primed()
        self._quiet = graph.quiet[voice.key()]
        self.reset()

    def reset(self) -> None:
        """Back to the state after `PRIME_STEPS` of silence."""
        self._past, self._clock = Past(self._quiet), PRIME_STEPS

    def _primed(self) -> list[Array]:
        self._past, self._clock = Past([np.zeros((1, *shape), np.float32) for shape in self._graph.state_shapes]), 0
        for mel in np.split(silence(), PRIME_STEPS):
            self.take(self._graph.run_alone(self.next(mel)))
        return self._past.own()

    def run(self, mel: Array) -> Array:
        """float32 (steps, 160) -> (steps, columns), not clamped. Up to `FEW` steps run one by one, more as a block."""
        if len(mel) > FEW:
            return self.take(self._graph.run_alone(self.next(mel)))
        return np.concatenate([self.take(self._graph.run_step(self.next(mel[at : at + 1]))) for at in range(len(mel))])

    def next(self, mel: Array) -> Step:
        """The request for float32 (steps, 160); no state changes before `take`."""
        return Step(self._voice, mel, self._clock, self._past)

    def take(self, answer: tuple[Array, Past]) -> Array:
        """Apply the graph's answer to `next`: float32 (steps, columns)."""
        out, self._past = answer
        self._clock += len(out)
        return out


def _joined(steps: list[Step]) -> dict[str, Array | NDArray[np.int64]]:
    """The graph's inputs for single steps of several voices, without their states."""
    voices = {name: np.concatenate([getattr(step.voice, name) for step in steps]) for name in ("style", "code", "crop")}
    return voices | {
        "mel": np.stack([step.mel for step in steps]),
        "clock": np.array([step.clock for step in steps], np.int64),
    }


def _rows(pasts: list[Past]) -> list[Array]:
    """float32 (voices, past, width) each. For the same voices in the same order as in the last call nothing is
    copied."""
    whole = pasts[0].states
    if len(whole[0]) == len(pasts) and all(past.states is whole and past.row == row for row, past in enumerate(pasts)):
        return whole
    return [np.concatenate(rows) for rows in zip(*(past.own() for past in pasts), strict=True)]


def _outputs(path: Path, session: Any, phones: bool) -> list[str]:
    """The outputs to ask for: the coefficients, the states, and last the phones, only where they are wanted."""
    names = [node.name for node in session.get_outputs()]
    if phones and PHONES not in names:
        again = f"python -m speech_to_face_lab.training.export --graph-only --out {path.parent}"
        raise ModelError(
            f"{path}: older than the tongue, it has no output of phones; leave out --tongue, or make it again: {again}"
        )
    return [name for name in names if name != PHONES] + [PHONES] * phones


def _open(path: Path, steps: int | None, batch: int | None, threads: int = 1) -> Any:
    """A session with fixed or free counts of steps and of voices. Raises ModelError when the file is no graph."""
    sizes = {name: size for name, size in (("steps", steps), ("batch", batch)) if size is not None}
    try:
        return open_session(path, sizes, threads)
    except ValueError as error:
        raise ModelError(f"{path}: not a graph ONNX Runtime can run ({error}); install the model again") from error
