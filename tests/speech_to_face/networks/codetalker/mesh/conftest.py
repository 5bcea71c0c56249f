"""Tiny mesh-sized networks of both corpora."""

from __future__ import annotations

import pytest
import torch

from speech_to_face.networks.codetalker.mesh.config import MeshConfig
from speech_to_face.networks.codetalker.mesh.network import MeshCodeTalker

SPEECH = {"speech_width": 32, "speech_layers": 1, "speech_heads": 2, "speech_feed": 16, "conv_width": 32}
VOCA = MeshConfig(
    vertices=4,
    hidden=16,
    prior_layers=2,
    prior_heads=2,
    prior_feed=12,
    codes=10,
    code_width=8,
    slots=2,
    width=16,
    layers=2,
    heads=2,
    period=3,
    styles=("a", "b", "c"),
    **SPEECH,
)
TWO_A_FRAME = MeshConfig(
    corpus="biwi",
    vertices=5,
    hidden=16,
    prior_layers=1,
    prior_heads=2,
    prior_feed=12,
    codes=10,
    code_width=6,
    slots=2,
    around_codes=True,
    width=16,
    layers=1,
    heads=2,
    period=3,
    styles=("a", "b"),
    **SPEECH,
)


def built(config: MeshConfig) -> MeshCodeTalker:
    torch.manual_seed(0)
    network = MeshCodeTalker(config).eval()
    with torch.no_grad():
        network.name.weight.normal_(0, 0.3)
        network.prior.codes.normal_(0, 0.5)
    return network


@pytest.fixture(params=[VOCA, TWO_A_FRAME], ids=["vocaset", "biwi"])
def config(request: pytest.FixtureRequest) -> MeshConfig:
    return request.param  # type: ignore[no-any-return]
