"""At the paper's own sizes, with random weights: how many numbers each part has, and one second of sound."""

import gc

import pytest
import torch

from speech_to_face.networks.parts import parts_of
from speech_to_face.networks.pmmtalk.paper.config import Config
from speech_to_face.networks.pmmtalk.paper.network import PaperPMMTalk


@pytest.mark.slow
def test_parts_have_as_many_numbers_as_their_public_counterparts_and_680_million_in_all():
    with torch.device("meta"):
        counts = parts_of(PaperPMMTalk(Config()))
    millions = {part: count / 1e6 for part, count in counts.items()}
    assert millions["psi_AE"] + millions["psi_AD"] == pytest.approx(315.4, abs=0.1)  # wav2vec2-large-xlsr-53
    assert millions["psi_TD"] == pytest.approx(
        311.2 + 1024 * 3503 / 1e6, abs=0.1
    )  # its transformer, and the head to 3503 characters
    assert millions["psi_HG"] == pytest.approx(36.3, abs=0.01)  # Wav2Lip
    assert millions["psi_IE"] == pytest.approx(8, abs=0.5)
    assert millions["psi_PD"] == pytest.approx(4.16 + (1024 + 3503 + 512) * 256 / 1e6, abs=0.1)
    assert sum(millions.values()) == pytest.approx(680, abs=5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_second_of_sound_becomes_thirty_frames():
    network = PaperPMMTalk(Config()).eval()
    with torch.inference_mode():
        network.psi_PD.out.weight.normal_(0, 0.02)
        out = network(0.1 * torch.randn(1, 16_000), 30, network.styles(torch.tensor([1])))
    assert out.shape == (1, 30, 32)
    assert torch.isfinite(out).all() and out.std(1).min() > 0
    del network
    gc.collect()
