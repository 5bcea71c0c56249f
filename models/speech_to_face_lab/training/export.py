"""Turn a training run into a checkpoint folder: `python -m speech_to_face_lab.training.export --run DIR --out DIR`.

Writes model.safetensors (averaged weights and the default face), config.yaml, the compiled graph made from them, and
SHA256SUMS; then checks that the graph and the network give the same frames. `--graph-only` makes the graph of an
existing checkpoint again.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from speech_to_face import checkpoint
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.config import Config, load_config, save_config
from speech_to_face.networks.pmmtalk.loading import FACE_CODE, FACE_CROP, load_network
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.networks.pmmtalk.onnx_steps import PHONES, Graph, OnnxSteps
from speech_to_face.networks.pmmtalk.torch_steps import TorchSteps
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face_lab.training.edge import one_line

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


def write_graph(network: PMMTalk, path: Path) -> None:
    """Export with a free number of voices and of steps: one graph serves single live steps, those of many voices at
    once, and recordings.

    Traced with two voices: dimensions of one might be taken for ones that broadcast.
    """
    config, voices = network.config, 2
    squares = (config.image_size // 4) ** 2
    states = network.initial_states(voices)
    mel, clock = torch.zeros(voices, 3, network.audio.stem.in_features), torch.full((voices,), 5)
    style, code, crop = (
        torch.zeros(voices, *shape) for shape in ((config.branch_width,), (config.branch_width,), (squares, 48))
    )
    names = ["mel", "clock", "style", "code", "crop", *(f"state_{i}" for i in range(len(states)))]
    after = ["out", *(f"next_state_{i}" for i in range(len(states))), PHONES]
    free = {name: {0: "batch"} for name in names + after} | {
        name: {0: "batch", 1: "steps"} for name in ("mel", "out", PHONES)
    }
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the exporter warns of its own retirement and of shapes that are fixed on purpose
        torch.onnx.export(
            _Flat(network),
            (mel, clock, style, code, crop, *states),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=after,
            dynamic_axes=free,
        )


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
        worst = max(
            worst, _apart(wanted[500 + step, None], late, channels), _apart(wanted[step, None], early, channels)
        )
    return worst


def _apart(one: NDArray[np.float32], other: NDArray[np.float32], channels: int) -> float:
    """Largest difference of coefficients, and of the probabilities whose logarithms stand behind them, in float32
    (steps, columns)."""
    both = [np.hstack([found[:, :channels], np.exp(found[:, channels:])]) for found in (one, other)]
    return float(np.abs(both[0] - both[1]).max())


def amplify(weights: dict[str, Tensor], config: Config, gains: Mapping[str, float]) -> None:
    """Scale channels in the last layer, in place: trained on squared error, a mouth that is unsure moves too little.
    ValueError names a channel that the network does not have."""
    for channel, gain in gains.items():
        if channel not in config.channels:
            raise ValueError(f"no channel {channel!r}: expected names like {', '.join(config.channels[:4])}")
        row = config.channels.index(channel)
        for part in ("out.weight", "out.bias"):
            weights[part] = weights[part].clone()
            weights[part][row] *= gain


def export_run(run: Path, out: Path, gains: Mapping[str, float] = MappingProxyType({})) -> None:
    """Averaged weights of a run, and the default face as its reference encoder sees it, into `out`."""
    config = load_config(run / checkpoint.CONFIG)
    stored = load_file(run / "state.safetensors")
    weights = {name.removeprefix("average."): value for name, value in stored.items() if name.startswith("average.")}
    amplify(weights, config, gains)
    network = PMMTalk(config).eval()
    network.load_state_dict(weights)
    face = faces.draw_reference(faces.default_look())
    with torch.no_grad():
        weights[FACE_CODE] = network.reference(face)
    weights[FACE_CROP] = to_patches(faces.crop_mouth(face, config.image_size))
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, out / checkpoint.WEIGHTS)
    save_config(config, out / checkpoint.CONFIG)


def make_graph(folder: Path) -> float:
    """Compile the network of a folder, check it and write the sums; returns the largest difference. ValueError when it
    is too large."""
    config = load_config(folder / checkpoint.CONFIG)
    write_graph(load_network(folder, config), folder / checkpoint.GRAPH)
    worst = difference(folder, config)
    if worst > TOLERANCE:
        raise ValueError(
            f"the graph differs from the network by {worst:.2e}, more than {TOLERANCE:.0e}: nothing was signed"
        )
    checkpoint.write_sums(folder)
    return worst


def make_checkpoint(run: Path, out: Path, gains: Mapping[str, float] = MappingProxyType({})) -> float:
    """A run's checkpoint folder, whole; returns the largest difference between its graph and its network."""
    export_run(run, out, gains)
    return make_graph(out)


def gains_of(texts: list[str]) -> dict[str, float]:
    """["jawOpen=1.1"] -> {"jawOpen": 1.1}. ValueError for anything else."""
    gains = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            gains[name] = float(value)
        except ValueError:
            raise ValueError(f"--gain {text}: expected CHANNEL=X, e.g. jawOpen=1.1") from None
    return gains


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="folder of a training run")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder")
    parser.add_argument(
        "--graph-only", action="store_true", help="leave the weights, make the graph and the sums again"
    )
    parser.add_argument(
        "--gain", nargs="*", default=[], metavar="CHANNEL=X", help="channels that move X times as far, e.g. jawOpen=1.1"
    )
    chosen = parser.parse_args()
    if not chosen.graph_only and chosen.run is None:
        parser.error("--run DIR is missing: which run's weights? (--graph-only keeps the ones in --out)")
    with one_line():
        worst = (
            make_graph(chosen.out)
            if chosen.graph_only
            else make_checkpoint(chosen.run, chosen.out, gains_of(chosen.gain))
        )
    sizes = {name: (chosen.out / name).stat().st_size for name in (checkpoint.WEIGHTS, checkpoint.GRAPH)}
    print(
        f"graph equals network to {worst:.1e}; "
        + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
    )


if __name__ == "__main__":
    main()
