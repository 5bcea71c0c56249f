"""A tiny network with every part, exported as the shipped one is: tests of loading and running need no training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from arkit_mapping.channels import MOUTH_32
from speech_to_face import checkpoint
from speech_to_face.networks.pmmtalk.config import Config, save_config
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.phones import CLASSES
from speech_to_face_lab.corpus.visemes import STYLES
from speech_to_face_lab.training.export import export_run
from speech_to_face_lab.training.graph import write_graph
from speech_to_face_lab.training.loop.state import Average, Progress, save

torch.set_num_threads(1)


def tiny_config() -> Config:
    return Config(
        width=32,
        decoder_width=24,
        dilations=(1, 2),
        text_dilations=(1,),
        branch_width=16,
        image_size=16,
        period=60,
        window=24,
        heads=2,
        phones=CLASSES,
        styles=STYLES,
        channels=MOUTH_32,
    )


def tiny_network(config: Config, seed: int = 0) -> PMMTalk:
    """Random weights, the last layer included: an untrained one is zero and every frame would be equal."""
    torch.manual_seed(seed)
    network = PMMTalk(config).eval()
    with torch.no_grad():
        network.out.weight.normal_(0, 0.2)
        network.out.bias.fill_(0.4)
    return network


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    config = tiny_config()
    network = tiny_network(config)
    optimiser = torch.optim.AdamW(network.parameters())
    for p in network.parameters():
        optimiser.state[p] = {
            "step": torch.tensor(1.0),
            "exp_avg": torch.zeros_like(p),
            "exp_avg_sq": torch.zeros_like(p),
        }
    save(folder / "state.safetensors", network, Average(network), optimiser, Progress(step=1))
    save_config(config, folder / checkpoint.CONFIG)
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from speech_to_face.networks.pmmtalk.config import load_config
    from speech_to_face.networks.pmmtalk.loading import load_network

    folder = tmp_path_factory.mktemp("models") / "tiny"
    export_run(tiny_run, folder)
    write_graph(load_network(folder, load_config(folder / checkpoint.CONFIG)), folder / checkpoint.GRAPH)
    checkpoint.write_sums(folder)
    return folder
