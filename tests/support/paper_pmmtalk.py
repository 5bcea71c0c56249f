"""The paper's network at the sizes of `tiny.yaml`, with random weights, the last layer's included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from speech_to_face import checkpoint
from speech_to_face.config_file import load_config, save_config
from speech_to_face.networks.pmmtalk.paper.batch import ClipBatch
from speech_to_face.networks.pmmtalk.paper.config import TINY, Config
from speech_to_face.networks.pmmtalk.paper.network import PaperPMMTalk

torch.set_num_threads(1)


def tiny_config(**changes: Any) -> Config:
    return replace(load_config(TINY, Config), **changes)


def tiny_network(seed: int = 0, **changes: Any) -> PaperPMMTalk:
    torch.manual_seed(seed)
    network = PaperPMMTalk(tiny_config(**changes)).eval()
    with torch.no_grad():
        network.psi_PD.out.weight.normal_(0, 0.1)
        network.psi_PD.out.bias.fill_(0.4)
    return network


def clips(frames: int = 6, batch: int = 2, seed: int = 0) -> ClipBatch:
    g = torch.Generator().manual_seed(seed)
    samples = 0.1 * torch.randn(batch, frames * 1600 // 3, generator=g)
    curves, faces = torch.rand(batch, frames, 32, generator=g), torch.rand(batch, 3, 96, 96, generator=g)
    return ClipBatch(samples, curves, torch.ones(batch, 1, 32), torch.zeros(batch, dtype=torch.int64), faces)


def write(network: PaperPMMTalk, place: Path) -> None:
    save_config(network.config, place / checkpoint.CONFIG)
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, place / checkpoint.WEIGHTS)
    checkpoint.write_sums(place)
