"""Equations 8 to 12 against values computed by hand."""

import math

import pytest
import torch

from speech_to_face.networks.pmmtalk.losses import (
    motion,
    position,
    semantic_alignment,
    temporal,
    temporal_alignment,
    temporal_target,
)

EVEN = torch.ones(())


def test_equation_9_is_the_mean_square_over_frames_and_coefficients():
    predicted = torch.tensor([[[0.1, 0.5], [0.3, 0.0]]])
    target = torch.tensor([[[0.0, 0.5], [0.0, 0.4]]])
    assert position(predicted, target, EVEN) == pytest.approx((0.01 + 0 + 0.09 + 0.16) / 4)


def test_equation_10_compares_neighbours_that_exist():
    predicted = torch.tensor([[[0.0], [0.2], [0.2]]])
    target = torch.tensor([[[0.5], [0.5], [0.9]]])
    assert motion(predicted, target, EVEN) == pytest.approx((0.2**2 + 0.4**2) / 2)


def test_the_printed_target_is_almost_uniform():
    rows = temporal_target("softmax_identity", 90, torch.device("cpu"))
    assert rows[5, 5] == pytest.approx(math.e / (math.e + 89))
    assert rows[5, 6] == pytest.approx(1 / (math.e + 89))
    assert (-(rows * rows.log()).sum(-1)).mean() == pytest.approx(4.489, abs=5e-4)


def test_the_other_targets_are_the_identity_and_a_band_two_frames_wide():
    assert torch.equal(temporal_target("identity", 4, torch.device("cpu")), torch.eye(4))
    band = temporal_target("band", 40, torch.device("cpu"))
    assert band[20, 22] / band[20, 20] == pytest.approx(math.exp(-0.5))
    with pytest.raises(ValueError, match="'diagonal', expected softmax_identity, identity or band"):
        temporal_target("diagonal", 4, torch.device("cpu"))


def two_frames(gap: float) -> dict[str, torch.Tensor]:
    """Three equal views of two frames, of width 2, whose similarities are [[gap, 0], [0, gap]]."""
    x = torch.eye(2)[None] * math.sqrt(gap * math.sqrt(2))
    return {"audio": x, "text": x, "image": x}


def test_equation_11_with_the_printed_target_by_hand():
    gap = 3.0
    p = [math.exp(gap) / (math.exp(gap) + 1), 1 / (math.exp(gap) + 1)]
    q = [math.e / (math.e + 1), 1 / (math.e + 1)]
    there = sum(b * math.log(b / a) for a, b in zip(p, q, strict=True))
    back = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert temporal(two_frames(gap), "softmax_identity", "mean") == pytest.approx((there + back) / 2, rel=1e-5)
    assert temporal(two_frames(gap), "softmax_identity", "sum") == pytest.approx(there + back, rel=1e-5)


def test_the_printed_target_is_met_by_a_gap_of_one_between_diagonal_and_rest():
    assert temporal(two_frames(1.0), "softmax_identity", "sum") == pytest.approx(0, abs=1e-6)
    assert temporal(two_frames(2.0), "softmax_identity", "sum") > 0.01
    assert temporal(two_frames(1.0), "identity", "sum") > temporal(two_frames(4.0), "identity", "sum")


def test_equation_11_with_the_identity_is_the_cross_entropy_of_rows_and_columns_by_hand():
    x, y = torch.tensor([[[1.0], [0.0]]]), torch.tensor([[[2.0], [1.0]]])
    # D = [[2, 1], [0, 0]]: rows want its first and its second column, columns want its first and its second row.
    rows = math.log(1 + math.exp(-1)) + math.log(2)
    columns = math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))
    assert temporal({"audio": x, "text": y}, "identity", "sum") == pytest.approx((rows + columns) / 2, rel=1e-5)
    assert temporal({"audio": x, "text": y}, "identity", "mean") == pytest.approx((rows + columns) / 4, rel=1e-5)


def test_the_band_is_the_live_networks_loss_and_a_sum_is_as_many_means_as_there_are_frames():
    torch.manual_seed(0)
    views = {name: torch.randn(2, 12, 8) for name in ("audio", "text", "image")}
    mean = temporal(views, "band", "mean")
    torch.testing.assert_close(mean, temporal_alignment(views, temporal_target("band", 12, torch.device("cpu"))))
    torch.testing.assert_close(temporal(views, "band", "sum"), 12 * mean)


def test_equation_12_is_one_less_the_cosine_of_the_averages_over_time_of_every_pair():
    a = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    b = torch.tensor([[[0.0, 2.0], [0.0, 4.0]]])
    c = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    cosine = 1 / math.sqrt(2)
    wanted = ((1 - 0) + (1 - cosine) + (1 - cosine)) / 3
    assert semantic_alignment({"audio": a, "text": b, "image": c}) == pytest.approx(wanted, rel=1e-5)
