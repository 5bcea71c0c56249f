"""A tiny DualTalker with random weights, the last layers included, and the folder it is loaded from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from speech_to_face import checkpoint
from speech_to_face.config_file import save_config
from speech_to_face.networks.dualtalker.config import Config
from speech_to_face.networks.dualtalker.network import DualTalker

torch.set_num_threads(1)


def built(**changes: object) -> DualTalker:
    sizes = dict(
        width=12,
        dilations=(1, 2),
        motion_width=8,
        motion_dilations=(1, 2),
        decoder_width=8,
        style_width=4,
        shared_width=6,
    )
    whole = sizes | dict(heads=2, window=9, reader_window=7, period=10, read_delay=2, styles=("anna", "ben")) | changes
    torch.manual_seed(0)
    network = DualTalker(Config(**whole)).eval()
    with torch.no_grad():
        for last in (network.draft, network.out):
            last.weight.normal_(0, 0.2)
            last.bias.fill_(0.3)
    return network


@pytest.fixture
def tiny() -> Callable[..., DualTalker]:
    """Builds one, with other sizes where they are given."""
    return built


@pytest.fixture(scope="session")
def tiny_dualtalker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, network = tmp_path_factory.mktemp("models") / "tiny-dualtalker", built()
    folder.mkdir()
    save_file(network.state_dict(), folder / checkpoint.WEIGHTS)
    save_config(network.config, folder / checkpoint.CONFIG)
    checkpoint.write_sums(folder)
    return folder
