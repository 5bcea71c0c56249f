"""Tiny CodeTalkers of both sizes, with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from speech_to_face import checkpoint
from speech_to_face.config_file import save_config
from speech_to_face.networks.codetalker.config import Config
from speech_to_face.networks.codetalker.objective import TrainableCodeTalker

TINY = Config(
    codes=12,
    code_width=6,
    slots=2,
    prior_width=16,
    prior_window=5,
    width=16,
    dilations=(1, 2),
    decoder_width=16,
    heads=2,
    window=7,
    period=9,
    style_width=5,
    styles=("anna", "ben"),
)


def built(config: Config) -> TrainableCodeTalker:
    torch.manual_seed(0)
    network = TrainableCodeTalker(config).eval()
    with torch.no_grad():
        network.styles.weight.normal_(0, 0.3)
        network.prior.decoder.write.bias.fill_(0.4)
    return network


@pytest.fixture
def network() -> TrainableCodeTalker:
    return built(TINY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint folder of the tiny network."""
    made = tmp_path / "codetalker-tiny"
    made.mkdir()
    save_config(TINY, made / checkpoint.CONFIG)
    save_file(built(TINY).state_dict(), made / checkpoint.WEIGHTS)
    checkpoint.write_sums(made)
    return made
