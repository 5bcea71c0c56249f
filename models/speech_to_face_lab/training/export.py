"""A run's averaged weights as a checkpoint folder that `--model` takes.

`train` writes one at the end of a run. `python -m speech_to_face_lab.training.export --run DIR --out DIR` writes that
of a run of pmmtalk-live again, e.g. with other gains; `--graph-only` makes the graph of an existing checkpoint again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from safetensors.torch import save_file
from torch import Tensor, nn

from speech_to_face import checkpoint
from speech_to_face.config_file import save_config
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face_lab.training.edge import one_line
from speech_to_face_lab.training.graph import make_graph
from speech_to_face_lab.training.loop.state import FILE, load_average
from speech_to_face_lab.training.objectives.live import LivePMMTalk

NO_GAINS: Mapping[str, float] = MappingProxyType({})


def load_run(network: nn.Module, run: Path) -> nn.Module:
    """Fill a network of the run's config with the run's averaged weights. ModelError where the state does not fit or is
    not there."""
    load_average(run / FILE, network)
    return network.eval()


def write_checkpoint(network: nn.Module, out: Path, card: str, gains: Mapping[str, float] = NO_GAINS) -> int:
    """Write config.yaml, model.safetensors, CARD.md, SHA256SUMS, and step.onnx of a network that has a graph.

    gains: of pmmtalk-live, channels that move so many times as far. Returns the bytes of the weights.
    """
    write_weights(network, out, gains)
    (out / checkpoint.CARD).write_text(card, encoding="utf-8")
    if getattr(network, "compiled", False):
        make_graph(out)
    checkpoint.write_sums(out)
    return (out / checkpoint.WEIGHTS).stat().st_size


def write_weights(network: nn.Module, out: Path, gains: Mapping[str, float] = NO_GAINS) -> None:
    """Write config.yaml and model.safetensors."""
    causal: Any = network
    tensors: dict[str, Tensor] = causal.exported() if hasattr(network, "exported") else network.state_dict()
    amplify(tensors, getattr(causal.config, "channels", ()), gains)
    out.mkdir(parents=True, exist_ok=True)
    here = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    save_file(here, out / checkpoint.WEIGHTS)
    (out / checkpoint.WEIGHTS).chmod(0o644)  # safetensors writes for its user alone; others may read a checkpoint
    save_config(causal.config, out / checkpoint.CONFIG)


def amplify(weights: dict[str, Tensor], channels: tuple[str, ...], gains: Mapping[str, float]) -> None:
    """Scale channels in the last layer, in place: trained on squared error, a mouth that is unsure moves too little.
    ValueError names a channel that the network does not have."""
    for channel, gain in gains.items():
        if channel not in channels:
            raise ValueError(f"no channel {channel!r}: expected names like {', '.join(channels[:4])}")
        row = channels.index(channel)
        for part in ("out.weight", "out.bias"):
            weights[part] = weights[part].clone()
            weights[part][row] *= gain


def export_run(run: Path, out: Path, gains: Mapping[str, float] = NO_GAINS) -> None:
    """Averaged weights of a run of pmmtalk-live, and the default face as its reference encoder sees it, into `out`."""
    write_weights(load_run(LivePMMTalk(load_config(run / checkpoint.CONFIG)), run), out, gains)


def make_checkpoint(run: Path, out: Path, gains: Mapping[str, float] = NO_GAINS) -> float:
    """The whole checkpoint folder of a run of pmmtalk-live; returns the largest difference of its graph and its
    network."""
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


def options() -> argparse.Namespace:
    """What was typed."""
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
    return chosen


def main() -> None:
    """The command."""
    chosen = options()
    with one_line():
        if chosen.graph_only:
            worst = make_graph(chosen.out)
        else:
            worst = make_checkpoint(chosen.run, chosen.out, gains_of(chosen.gain))
    sizes = {name: (chosen.out / name).stat().st_size for name in (checkpoint.WEIGHTS, checkpoint.GRAPH)}
    megabytes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
    print(f"graph equals network to {worst:.1e}; {megabytes}")


if __name__ == "__main__":
    main()
