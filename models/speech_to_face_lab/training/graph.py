"""The compiled graph of a PMMTalk checkpoint, `step.onnx`: written from the weights, and checked against them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from speech_to_face import checkpoint
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.loading import FACE_CODE, FACE_CROP, load_network
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.networks.pmmtalk.onnx_steps import PHONES, Graph, OnnxSteps
from speech_to_face.networks.pmmtalk.torch_steps import TorchSteps
from speech_to_face.networks.pmmtalk.voice import Voice

OPSET = 17
TOLERANCE = 1e-5
"""Largest difference allowed between graph and network, in coefficient units and in probabilities of phones."""


class _Flat(nn.Module):
    """The network with its states as plain arguments, as a graph needs them."""

    def __init__(self, network: PMMTalk) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, mel: Tensor, clock: Tensor, style: Tensor, code: Tensor, crop: Tensor, *states: Tensor
    ) -> tuple[Tensor, ...]:
        out, after, views = self.network(mel, style, code, crop, clock, list(states))
        return (out, *after, views.log_phones)


def make_graph(folder: Path) -> float:
    """Compile the network of a checkpoint folder, check the graph and write the sums.

    Returns the largest difference. ValueError when it is above `TOLERANCE`; then no sums are written.
    """
    config = load_config(folder / checkpoint.CONFIG)
    write_graph(load_network(folder, config), folder / checkpoint.GRAPH)
    worst = difference(folder, config)
    if worst > TOLERANCE:
        raise ValueError(
            f"the graph differs from the network by {worst:.2e}, more than {TOLERANCE:.0e}: no sums were written"
        )
    checkpoint.write_sums(folder)
    return worst


def write_graph(network: PMMTalk, path: Path) -> None:
    """Export with a free number of voices and of steps: one graph serves single live steps, those of many voices at
    once, and recordings."""
    names, after, inputs = _example(network)
    free = {name: {0: "batch"} for name in names + after} | {
        name: {0: "batch", 1: "steps"} for name in ("mel", "out", PHONES)
    }
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter warns of its own retirement, and of shapes that are fixed on purpose.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Flat(network),
            inputs,
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=after,
            dynamic_axes=free,
        )


def _example(network: PMMTalk) -> tuple[list[str], list[str], tuple[Tensor, ...]]:
    """Names of inputs and outputs, and inputs to trace with. Of two voices: a dimension of one might be taken for one
    that broadcasts."""
    config, voices = network.config, 2
    squares = (config.image_size // 4) ** 2
    states = network.initial_states(voices)
    mel, clock = torch.zeros(voices, 3, network.audio.stem.in_features), torch.full((voices,), 5)
    shapes = ((config.branch_width,), (config.branch_width,), (squares, 48))
    style, code, crop = (torch.zeros(voices, *shape) for shape in shapes)
    names = ["mel", "clock", "style", "code", "crop", *(f"state_{i}" for i in range(len(states)))]
    after = ["out", *(f"next_state_{i}" for i in range(len(states))), PHONES]
    return names, after, (mel, clock, style, code, crop, *states)


def difference(folder: Path, config: Config) -> float:
    """Largest difference between graph and network over 600 random steps: single, in blocks, and of two voices in one
    call."""
    weights = load_file(folder / checkpoint.WEIGHTS)
    voice = Voice(weights["styles.weight"][-1:].numpy(), weights[FACE_CODE].numpy(), weights[FACE_CROP].numpy())
    mel = np.random.default_rng(0).standard_normal((600, 160)).astype(np.float32)
    graph, channels = Graph(folder / checkpoint.GRAPH, phones=True), len(config.channels)
    compiled, ahead = OnnxSteps(graph, voice), OnnxSteps(graph, voice)
    pieces = [compiled.run(piece) for piece in np.split(mel[:500], [1, 2, 242, 249, 250, 490])]
    wanted = TorchSteps(load_network(folder, config), voice, phones=True).run(mel)
    worst = _apart(wanted[:500], np.concatenate(pieces), channels)
    for step in range(100):  # of two voices whose clocks differ
        both = graph.run_steps([compiled.next(mel[500 + step, None]), ahead.next(mel[step, None])])
        late, early = (one.take(answer) for one, answer in zip((compiled, ahead), both, strict=True))
        pairs = ((wanted[500 + step, None], late), (wanted[step, None], early))
        worst = max(worst, *(_apart(one, other, channels) for one, other in pairs))
    return worst


def _apart(one: NDArray[np.float32], other: NDArray[np.float32], channels: int) -> float:
    """Largest difference of coefficients, and of the probabilities whose logarithms stand behind them, in float32
    (steps, columns)."""
    both = [np.hstack([found[:, :channels], np.exp(found[:, channels:])]) for found in (one, other)]
    return float(np.abs(both[0] - both[1]).max())
