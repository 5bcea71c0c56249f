"""Each term of the two stages against a value computed by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from speech_to_face.networks.codetalker import objective
from speech_to_face.networks.codetalker.objective import TrainableCodeTalker

from .conftest import TINY


def batch(windows: int = 3, frames: int = 12) -> SimpleNamespace:
    torch.manual_seed(2)
    known = torch.ones(windows, 1, 32)
    known[0, 0, 5] = 0
    return SimpleNamespace(
        mel=torch.randn(windows, frames, 160),
        curves=torch.rand(windows, frames, 32) * known,
        known=known,
        style=torch.tensor([0, 2, 1])[:windows],
    )


def test_errors_are_averaged_over_what_is_known() -> None:
    errors, known = (
        torch.tensor([[[1.0, 5.0], [3.0, 5.0]], [[2.0, 6.0], [4.0, 8.0]]]),
        torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]]),
    )
    assert float(objective.mean_over_known(errors, known)) == pytest.approx((1 + 3 + 2 + 6 + 4 + 8) / 6)
    assert float(objective.mean_over_known(errors, 0 * known)) == 0


def test_the_latent_term_is_the_squared_distance_of_unit_vectors() -> None:
    latent, codes = torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    assert float(objective.latent_loss(latent, codes)) == pytest.approx((0.36 + 0.04) / 2)


def test_the_choice_term_is_the_cross_entropy_of_sharpened_cosines() -> None:
    likeness = torch.tensor([[0.2, -0.1]])
    sharp = objective.SHARPNESS
    wanted = -math.log(math.exp(sharp * 0.2) / (math.exp(sharp * 0.2) + math.exp(sharp * -0.1)))
    assert float(objective.choice_loss(likeness, torch.tensor([0]))) == pytest.approx(wanted, rel=1e-5)


def test_what_is_read_back_is_late_and_begins_with_nothing() -> None:
    motion = torch.arange(1.0, 6.0)[None, :, None]
    assert objective.read_back(motion, 2).flatten().tolist() == [0, 0, 1, 2, 3]


def test_windows_read_back_their_own_motion_nothing_or_the_truth_by_lot(network: TrainableCodeTalker) -> None:
    one = batch()
    manner = network.parts(network.styles(one.style))[0].detach()
    audio = network.audio(one.mel, network.initial_states(3)[:2])[0].detach()
    truth = objective.read_back(one.curves, 1)
    fed = objective.untrue(network, truth, manner, audio, torch.tensor([0.1, objective.OWN + 0.01, 0.99]))
    with torch.no_grad():
        own = objective._spoken(network, truth[:1], manner[:1], audio[:1])[1]
    torch.testing.assert_close(fed[0], objective.read_back(own, 1)[0], atol=1e-5, rtol=1e-4)
    assert fed[1].abs().max() == 0
    assert torch.equal(fed[2], truth[2])


def test_motion_is_what_departs_from_the_subjects_mean_in_known_channels(network: TrainableCodeTalker) -> None:
    one = batch()
    style = network.styles(one.style)
    mean = network.styles.weight[one.style][:, TINY.style_width :]
    found = objective.motion_of(network, one, style)
    torch.testing.assert_close(found, (one.curves - mean[:, None]) * one.known)
    assert found[0, :, 5].abs().max() == 0 and not found.requires_grad


@torch.no_grad()
def test_the_terms_of_the_prior_are_l1_the_codebooks_loss_and_the_mean_faces(network: TrainableCodeTalker) -> None:
    one = batch()
    terms = network.terms(one, "prior")
    motion = objective.motion_of(network, one, network.styles(one.style))
    rebuilt, latent, indices = network.prior.rebuild(motion)
    wanted = (torch.abs(rebuilt - motion) * one.known).sum() / (12 * one.known.sum())
    assert float(terms["rebuilt"]) == pytest.approx(float(wanted), rel=1e-5)
    assert float(terms["codebook"]) == pytest.approx(float(network.prior.codebook.loss(latent, indices)), rel=1e-5)
    apart = network.styles.weight[one.style][:, TINY.style_width :] - one.curves.mean(1)
    assert float(terms["mean"]) == pytest.approx(float((apart**2 * one.known[:, 0]).sum() / one.known.sum()), rel=1e-5)


@torch.no_grad()
def test_the_terms_of_speech_compare_step_n_with_frame_n_less_the_delay(network: TrainableCodeTalker) -> None:
    one = batch()
    terms, late = network.terms(one, "speech"), TINY.delay
    style = network.styles(one.style)
    motion = objective.motion_of(network, one, style)
    audio = network.audio(one.mel, network.initial_states(3)[:2])[0]
    latent, spoken = objective._spoken(network, objective.read_back(motion, late + 1), network.parts(style)[0], audio)
    wanted = network.prior.codebook.nearest(network.prior.encoder(motion))
    squared = ((spoken[:, late:] - motion[:, :-late]) ** 2 * one.known).sum() / (one.known.sum() * (12 - late))
    assert float(terms["motion"]) == pytest.approx(float(squared), rel=1e-5)
    codes = F.normalize(network.prior.codebook.codes, dim=-1)[wanted[:, :-late]]
    distance = ((F.normalize(latent[:, late:], dim=-1) - codes) ** 2).sum(-1).mean()
    assert float(terms["latent"]) == pytest.approx(objective.LATENT * float(distance), rel=1e-5)
    logits = objective.SHARPNESS * network.prior.codebook.likeness(latent[:, late:])
    entropy = F.cross_entropy(logits.flatten(0, 2), wanted[:, :-late].flatten())
    assert float(terms["choice"]) == pytest.approx(objective.CHOICE * float(entropy), rel=1e-5)


@pytest.mark.parametrize("stage", ["prior", "speech"])
def test_a_stage_reaches_every_parameter_that_it_trains(network: TrainableCodeTalker, stage: str) -> None:
    network.train()
    trained = list(network.trained(stage))
    network.requires_grad_(False)
    for parameter in trained:
        parameter.requires_grad_(True)
    torch.manual_seed(3)
    torch.stack(list(network.terms(batch(), stage).values())).sum().backward()
    missed = [
        name for name, p in network.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.abs().sum())
    ]
    assert missed == []
