"""Each loss against a value worked out by hand."""

import math

import pytest
import torch

from speech_to_face.networks.dualtalker import losses
from speech_to_face.networks.pmmtalk.losses import band


def test_primary_is_the_squared_error_and_ten_times_that_of_the_differences():
    face, truth = torch.tensor([[[0.1], [0.4], [0.3]]]), torch.tensor([[[0.1], [0.2], [0.3]]])
    by_hand = 0.2**2 / 3 + 10 * (0.2**2 + 0.2**2) / 2
    assert losses.primary(face, truth, torch.ones(1, 1, 1), (1.0, 10.0)).item() == pytest.approx(by_hand)
    assert losses.primary(face, truth, torch.zeros(1, 1, 1), (1.0, 10.0)).item() == 0


def test_dual_is_the_cross_entropy_of_known_phones_and_the_squared_error_of_the_sound():
    log_phones = torch.tensor([[[0.25, 0.75], [0.5, 0.5], [0.1, 0.9]]]).log()
    labels = torch.tensor([[1, -100, 0]])
    sound, audio = torch.tensor([[[1.0], [0.0], [0.0]]]), torch.tensor([[[0.0], [0.0], [2.0]]], requires_grad=True)
    by_hand = -(math.log(0.75) + math.log(0.1)) / 2 + (1 + 4) / 3
    assert losses.dual(log_phones, labels, sound, audio).item() == pytest.approx(by_hand, rel=1e-5)
    assert not losses.dual(log_phones, labels, sound, audio).requires_grad


def test_cycle_is_what_the_motion_differs_by_and_how_badly_the_lips_are_read():
    made = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], requires_grad=True)
    moved = torch.tensor([[[0.0, 0.0], [0.0, 2.0]]], requires_grad=True)
    log_phones, labels = torch.tensor([[[0.5, 0.5], [0.2, 0.8]]]).log(), torch.tensor([[0, 1]])
    loss = losses.cycle(made, moved, log_phones, labels)
    assert loss.item() == pytest.approx((1 + 4) / 4 - (math.log(0.5) + math.log(0.8)) / 2, rel=1e-5)
    loss.backward()
    assert made.grad is not None and moved.grad is None


def test_consistency_of_orthogonal_frames_is_the_divergence_of_the_band_from_their_own_softmax():
    frames = 5
    same = torch.eye(frames)[None]
    target = band(frames, same.device)
    rows = torch.softmax(torch.eye(frames) / losses.TEMPERATURE, -1)
    by_hand = float((target * (target / rows).log()).sum(-1).mean())
    assert losses.consistency(3 * same, same).item() == pytest.approx(by_hand, rel=1e-4)
    opposed = losses.consistency(-same, same).item()
    rows = torch.softmax(-torch.eye(frames) / losses.TEMPERATURE, -1)
    assert opposed == pytest.approx(2 + float((target * (target / rows).log()).sum(-1).mean()), rel=1e-4)


def test_views_that_agree_in_time_cost_less_than_shifted_ones_and_only_the_newest_frames_count():
    torch.manual_seed(0)
    view = torch.randn(1, losses.NEIGHBOURHOOD + 40, 8).cumsum(1)
    assert losses.consistency(view, view) < losses.consistency(view, view.roll(9, 1))
    old = view.clone()
    old[:, :40] = 0
    assert torch.equal(losses.consistency(view, view), losses.consistency(old, old))
