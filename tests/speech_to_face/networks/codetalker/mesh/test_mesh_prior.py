"""The published prior, quirks included, against plain arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from speech_to_face.networks.codetalker.mesh.config import MeshConfig
from speech_to_face.networks.codetalker.mesh.prior import MeshPrior, PriorLayer, ScaledAttention, Trunk, row_zero

from .conftest import VOCA, built


@torch.no_grad()
def test_scores_are_divided_by_the_root_of_the_whole_width() -> None:
    attention, x = ScaledAttention(8, 2), torch.randn(1, 5, 8)
    assert attention.to_qkv.bias is None
    q, k, v = (part.reshape(5, 2, 4).transpose(0, 1) for part in attention.to_qkv(x)[0].chunk(3, -1))
    scores = torch.softmax(q @ k.transpose(1, 2) / 8**0.5, -1)
    wanted = attention.to_out((scores @ v).transpose(0, 1).reshape(5, 8))
    torch.testing.assert_close(attention(x)[0], wanted)


@torch.no_grad()
def test_the_feed_forward_layer_bends_by_the_older_formula_with_a_tangent() -> None:
    layer, x = PriorLayer(8, 2, 12), 3 * torch.randn(1, 5, 8)
    layer.attention.to_out.weight.zero_()
    layer.attention.to_out.bias.zero_()
    wide = 4 * layer.widen(layer.norm_feed(x))
    layer.widen.weight.mul_(4)
    layer.widen.bias.mul_(4)
    bent = wide / 2 * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (wide + 0.044715 * wide**3)))
    torch.testing.assert_close(layer(x), x + layer.narrow(bent), atol=1e-6, rtol=1e-6)


def test_every_frame_is_given_the_first_row_of_the_positions() -> None:
    assert row_zero(6).tolist() == [0, 1, 0, 1, 0, 1]


@torch.no_grad()
def test_channels_are_normalised_over_the_sequence_after_the_convolution() -> None:
    trunk, x = Trunk(VOCA).eval(), torch.randn(1, 6, 16)
    trunk.layers = torch.nn.ModuleList()
    heard = F.pad(x.transpose(1, 2), (2, 2), mode="replicate")
    conv = F.leaky_relu(F.conv1d(heard, trunk.conv.weight, trunk.conv.bias), 0.2)[0].T
    level = (conv - conv.mean(0)) / torch.sqrt(conv.var(0, unbiased=False) + 1e-5)
    torch.testing.assert_close(trunk(x)[0], trunk.embed(level) + row_zero(16), atol=1e-5, rtol=1e-4)


def test_a_latent_becomes_the_code_at_the_smallest_distance_and_passes_its_gradient_on() -> None:
    prior = built(VOCA).prior
    latent = torch.randn(1, 3, 2, 8, requires_grad=True)
    snapped, indices = prior.snap(latent)
    distance = ((latent[..., None, :] - prior.codes) ** 2).sum(-1)
    assert torch.equal(indices, distance.argmin(-1))
    torch.testing.assert_close(snapped, prior.codes[indices])
    pull = torch.randn_like(latent)
    (snapped * pull).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(latent.grad, pull)
    assert prior.codes.grad is None


@torch.no_grad()
def test_the_terms_of_stage_one_are_l1_and_the_codebooks_loss(config: MeshConfig) -> None:
    prior, motion = built(config).prior, torch.randn(1, 6, config.points)
    latent = prior.encode(motion)
    chosen = prior.codes[prior.snap(latent)[1]]
    terms = prior.terms(motion)
    assert float(terms["codebook"]) == pytest.approx(1.25 * float(((chosen - latent) ** 2).mean()), rel=1e-5)
    assert float(terms["rebuilt"]) == pytest.approx(float((prior.decode(chosen) - motion).abs().mean()), rel=1e-4)


def test_biwi_has_linear_layers_around_its_codes_and_no_bias_behind(config: MeshConfig) -> None:
    names = set(MeshPrior(config).state_dict())
    biwi = config.corpus == "biwi"
    assert ("post.weight" in names, "pre.weight" in names, "write.bias" in names) == (biwi, biwi, not biwi)
