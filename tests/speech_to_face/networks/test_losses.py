import math

import pytest
import torch

from speech_to_face.networks.pmmtalk.losses import band, motion, position, semantic_alignment, temporal_alignment


def test_position_is_the_weighted_mean_square():
    predicted, target = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]]), torch.zeros(1, 2, 2)
    assert position(predicted, target, torch.tensor([1.0, 4.0])) == pytest.approx(1.0)


def test_motion_ignores_a_constant_offset_and_sees_a_jump():
    target = torch.rand(2, 5, 3)
    assert motion(target + 0.3, target, torch.ones(3)) == pytest.approx(0, abs=1e-12)
    jump = target.clone()
    jump[:, 3:] += 0.4
    assert motion(jump, target, torch.ones(3)) == pytest.approx(0.4**2 / 4)


def test_band_rows_are_distributions_that_peak_on_the_diagonal():
    rows = band(9, torch.device("cpu"))
    torch.testing.assert_close(rows.sum(1), torch.ones(9))
    assert rows.argmax(1).tolist() == list(range(9))


def test_views_that_agree_in_time_cost_less_than_views_that_are_shifted():
    torch.manual_seed(0)
    same = 3 * torch.randn(1, 24, 16)
    target = band(24, same.device)
    together = temporal_alignment({"a": same, "b": same, "c": same}, target)
    shifted = temporal_alignment({"a": same, "b": same.roll(6, 1), "c": same.roll(12, 1)}, target)
    assert 0 <= together < shifted


def test_the_temporal_loss_nears_zero_where_the_similarity_is_the_band_itself():
    frames = 12
    target = band(frames, torch.device("cpu"))
    width = frames
    eye = torch.eye(frames)[None] * math.sqrt(width)
    views = {"a": target.log()[None], "b": eye}
    flat = {"a": torch.zeros_like(views["a"]), "b": eye}
    assert temporal_alignment(views, target) < 0.02 < 0.3 < temporal_alignment(flat, target)


def test_semantic_alignment_is_zero_for_parallel_averages_and_two_for_opposed_ones():
    view = torch.rand(2, 7, 4) + 0.1
    assert semantic_alignment({"a": view, "b": 5 * view}) == pytest.approx(0, abs=1e-6)
    assert semantic_alignment({"a": view, "b": -view}) == pytest.approx(2, abs=1e-6)
