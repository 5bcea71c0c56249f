"""Stage 2 as published: what a frame hears, and the loop."""

from __future__ import annotations

import pytest
import torch

from speech_to_face.base import ModelError
from speech_to_face.networks.codetalker.mesh.config import BIWI, VOCASET, MeshConfig, published
from speech_to_face.networks.codetalker.mesh.network import MeshCodeTalker, normalised, other_frames

from .conftest import TWO_A_FRAME, VOCA, built


def test_a_frame_hears_its_own_features_alone() -> None:
    assert other_frames(3, 3, 1).tolist() == [[False, True, True], [True, False, True], [True, True, False]]
    assert (~other_frames(2, 4, 2)).int().tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


@torch.no_grad()
@pytest.mark.parametrize(("config", "features"), [(VOCA, 29), (TWO_A_FRAME, 48)], ids=["vocaset", "biwi"])
def test_a_second_of_sound_is_29_frames_of_one_feature_or_24_of_two(config: MeshConfig, features: int) -> None:
    """16,000 samples are 49 features of wav2vec 2.0: 49 * 30 / 50 are 29, and 48 make 24 pairs."""
    assert built(config).listen(torch.randn(1, 16_000)).shape == (1, features, 16)
    assert built(config).listen(torch.randn(1, 16_000), 10).shape == (1, 10 if config is VOCA else 20, 16)


@torch.no_grad()
def test_later_tokens_and_other_sounds_do_not_reach_an_earlier_frame(config: MeshConfig) -> None:
    network = built(config)
    tokens, heard = torch.randn(1, 6, 16), torch.randn(1, 6 * network.per_frame, 16)
    before = network.latents(tokens, heard)
    tokens[:, 4:] += 1
    heard[:, 4 * network.per_frame :] += 1
    after = network.latents(tokens, heard)
    torch.testing.assert_close(before[:, :4], after[:, :4], atol=1e-6, rtol=1e-5)
    assert (before[:, 4] - after[:, 4]).abs().max() > 1e-3


@torch.no_grad()
def test_the_loop_reads_back_the_last_frame_and_returns_one_decoding_of_all_codes(config: MeshConfig) -> None:
    network, samples = built(config), torch.randn(2000)
    style, template = network.styles.weight[0], torch.randn(config.points)
    found = network.predict(samples, style, template)
    heard = network.listen(normalised(samples)[None])
    frames = heard.shape[1] // network.per_frame
    assert found.shape == (frames, config.points) and frames >= 3
    tokens = style[None, None]
    codes = network.prior.snap(network.latents(tokens, heard))[0]
    first = network.prior.decode(torch.cat([codes, codes], 1))[:, :1]
    tokens = torch.cat([tokens, network.feed(first) + style], 1)
    for _ in range(frames - 1):
        codes = network.prior.snap(network.latents(tokens, heard))[0]
        motion = network.prior.decode(codes)
        tokens = torch.cat([tokens, network.feed(motion[:, -1:]) + style], 1)
    torch.testing.assert_close(found, motion[0] + template, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_speech_too_short_for_two_frames_still_gives_one() -> None:
    assert built(VOCA).predict(torch.randn(400), torch.zeros(16), torch.zeros(12)).shape == (1, 12)


@torch.no_grad()
@pytest.mark.parametrize(("config", "least"), [(VOCA, 400), (TWO_A_FRAME, 720)], ids=["vocaset", "biwi"])
def test_speech_shorter_than_a_frame_is_refused(config: MeshConfig, least: int) -> None:
    network = built(config)
    style, template = torch.zeros(16), torch.zeros(config.points)
    assert len(network.predict(torch.randn(least), style, template)) == 1
    with pytest.raises(ModelError, match=f"got {least - 1} samples of audio, expected at least {least}"):
        network.predict(torch.randn(least - 1), style, template)


@torch.no_grad()
def test_the_terms_of_stage_two_are_squared_errors_of_motion_and_latents(config: MeshConfig) -> None:
    network, motion = built(config), torch.randn(1, 5, config.points)
    samples, style = torch.randn(1, 4000), torch.randn(1, 16)
    terms = network.terms(samples, motion, style)
    fed = torch.cat([torch.zeros(1, 1, config.points), motion[:, :-1]], 1)
    latent = network.latents(network.feed(fed) + style, network.listen(samples, 5))
    wanted = network.prior.codes[network.prior.snap(network.prior.encode(motion))[1]]
    spoken = network.prior.decode(network.prior.snap(latent)[0])
    assert float(terms["latent"]) == pytest.approx(float(((latent - wanted) ** 2).mean()), rel=1e-5)
    assert float(terms["motion"]) == pytest.approx(float(((spoken - motion) ** 2).mean()), rel=1e-5)


def test_the_prior_and_the_convolutions_of_the_speech_network_stay_as_they_are() -> None:
    network = built(VOCA)
    trained = {id(parameter) for parameter in network.trained()}
    names = {name for name, parameter in network.named_parameters() if id(parameter) not in trained}
    assert names and all(name.startswith(("prior.", "speech.feature_extractor.")) for name in names)


def test_the_published_sizes_are_told_by_their_vertices() -> None:
    assert published(5023) is VOCASET and published(23370) is BIWI
    with pytest.raises(ModelError, match="expected 5023"):
        published(100)


@pytest.mark.parametrize("config", [VOCASET, BIWI], ids=["vocaset", "biwi"])
def test_full_size_counts_follow_from_the_layout(config: MeshConfig) -> None:
    """Made without memory; each part against the arithmetic of its layers."""
    with torch.device("meta"):
        network = MeshCodeTalker(config)
    d, f, x = config.hidden, config.prior_feed, config.points
    layer = 3 * d * d + d * d + d + 2 * d * f + f + d + 4 * d
    trunk = 5 * d * d + d + d * d + d + config.prior_layers * layer
    around = 2 * (config.latent * d) + config.latent + d if config.around_codes else 0
    prior = (
        x * d + d + d * x + (0 if config.around_codes else x) + 2 * trunk + around + config.codes * config.code_width
    )
    assert sum(p.numel() for p in network.prior.parameters()) == prior
    w = config.width
    decoder_layer = 2 * (4 * w * w + 4 * w) + 2 * (w * 2 * w) + 3 * w + 6 * w
    assert sum(p.numel() for p in network.decoder.parameters()) == config.layers * decoder_layer
    assert sum(p.numel() for p in network.speech.parameters()) == 94_371_712, "wav2vec2-base"


@pytest.mark.slow
@torch.no_grad()
def test_a_second_of_speech_runs_through_a_whole_network_of_full_size() -> None:
    torch.manual_seed(0)
    network = MeshCodeTalker(VOCASET).eval()
    network.name.weight.normal_(0, 0.02)
    motion = 0.01 * torch.randn(1, 29, VOCASET.points)
    terms = network.terms(torch.randn(1, 16_000), motion, network.styles.weight[:1])
    assert all(torch.isfinite(term) and term > 0 for term in terms.values())
    vertices = network.predict(torch.randn(1_700), network.styles.weight[0], torch.zeros(VOCASET.points))
    assert vertices.shape == (3, VOCASET.points) and bool(torch.isfinite(vertices).all())
