"""Every measure on small curves whose answer is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from arkit_mapping.character.lips import aperture
from speech_to_face_lab import metrics
from speech_to_face_lab.training.objectives import terms as objective


def wave(frames: int = 240, *, late: int = 0, hz: float = 2.0) -> np.ndarray:
    """A curve with enough shape for one lag alone to fit, `late` frames late."""
    times = (np.arange(frames) - late) / FRAME_RATE
    return np.sin(2 * np.pi * hz * times) + 0.5 * np.sin(2 * np.pi * 0.37 * times)


def test_the_aperture_is_the_one_that_the_network_is_trained_on():
    mouth = np.random.default_rng(0).random((50, len(MOUTH_32)))
    face = {name: mouth[:, column] for column, name in enumerate(MOUTH_32)}
    assert aperture(face) == pytest.approx(objective.aperture(torch.from_numpy(mouth)).numpy(), abs=1e-6)


def test_rounding_is_funnel_and_pucker_and_nothing_else():
    face = {"mouthFunnel": np.array([0.2]), "mouthPucker": np.array([0.3]), "jawOpen": np.ones(1)}
    assert metrics.rounding(face) == pytest.approx(0.5)
    assert metrics.rounding({"jawOpen": np.ones(3)}).tolist() == [0, 0, 0]


def test_correlation_forgets_scale_and_offset_but_not_sign():
    assert metrics.correlation(wave(), 3 * wave() + 7) == pytest.approx(1)
    assert metrics.correlation(wave(), -wave()) == pytest.approx(-1)
    assert metrics.correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])) == pytest.approx(0.8)
    assert np.isnan(metrics.correlation(wave(), np.zeros(240)))


@pytest.mark.parametrize("late", [-6, -1, 0, 2, 9])
def test_the_lag_is_how_many_frames_the_prediction_comes_later(late):
    r, lag = metrics.best_lag([(wave(late=late), wave()), (wave(late=late) + 5, wave())])
    assert (round(r, 6), lag) == (1, late)


def test_a_face_that_stands_still_has_no_correlation_and_no_lag():
    r, lag = metrics.best_lag([(np.zeros(100), wave(100))])
    assert np.isnan(r) and lag == 0


def test_at_its_lag_each_clip_is_centred_by_itself_and_at_no_lag_it_is_not():
    low_and_high = [(wave(60), wave(60)), (wave(60) + 100, wave(60))]
    assert metrics.best_lag(low_and_high)[0] == pytest.approx(1)
    assert metrics.correlation(*metrics.pooled(low_and_high)) < 0.2


def test_a_clip_that_is_too_short_for_a_lag_counts_at_the_others():
    r, lag = metrics.best_lag([(wave(4, late=2), wave(4)), (wave(late=2), wave())])
    assert lag == 2 and r == pytest.approx(1, abs=1e-3)
    assert metrics.best_lag([(wave(4, late=1), wave(4))], earliest=-6, latest=-5)[1] == 0


def test_clips_count_as_far_as_both_curves_reach():
    predicted, captured = metrics.pooled([(np.arange(3.0), np.arange(5.0)), (np.arange(4.0), np.arange(2.0))])
    assert predicted.tolist() == captured.tolist() == [0, 1, 2, 0, 1]


def test_the_amplitude_ratio_is_the_predictions_spread_over_the_captures():
    assert metrics.amplitude_ratio([(0.6 * wave() + 3, wave())]) == pytest.approx(0.6)


@pytest.mark.parametrize("still", [0.0, 0.1])
def test_over_a_capture_that_stands_still_there_is_no_amplitude_ratio(still):
    assert np.isnan(metrics.amplitude_ratio([(wave(), np.full(240, still))]))


def test_errors_are_of_the_worst_channel_and_of_all_squared_and_not():
    found = metrics.errors(np.array([[0.1, 0.3], [0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.2]]))
    assert found.lve_absolute == pytest.approx((0.3 + 0.2) / 2)
    assert found.ale_absolute == pytest.approx((0.1 + 0.3 + 0.0 + 0.2) / 4)
    assert found.lve_squared == pytest.approx((0.09 + 0.04) / 2)
    assert found.ale_squared == pytest.approx((0.01 + 0.09 + 0.04) / 4)


def test_a_constant_face_explains_nothing_a_perfect_one_all_and_a_wrong_one_less_than_nothing():
    captured = np.stack([wave(), 2 * wave(hz=3)], 1)
    captured -= captured.mean(0)
    assert metrics.explained(metrics.constant_face(captured), captured) == pytest.approx(0)
    assert metrics.explained(captured, captured) == 1
    assert metrics.explained(-captured, captured) == pytest.approx(-3)
    assert np.isnan(metrics.explained(captured, np.ones_like(captured)))


def test_jitter_is_the_second_difference_so_that_a_steady_move_has_none():
    ramp = np.arange(20.0)[:, None] / 20
    assert metrics.jitter(ramp) == pytest.approx(0, abs=1e-9)
    zigzag = (np.arange(20) % 2)[:, None] * 0.01
    assert metrics.jitter(zigzag) == pytest.approx(0.02 * 3600)
    assert metrics.jitter(ramp[:2]) == 0


def test_auc_counts_couples_in_the_right_order_and_ties_half():
    assert metrics.closure_auc(np.array([0.0, 0.1]), np.array([0.5, 0.6])) == 1
    assert metrics.closure_auc(np.array([0.5, 0.6]), np.array([0.0, 0.1])) == 0
    assert metrics.closure_auc(np.array([0.2, 0.2]), np.array([0.2, 0.3])) == 0.75


def test_recall_is_read_where_a_tenth_of_the_others_is_taken_for_closed():
    others = np.arange(1, 101) / 100
    assert metrics.closure_recall(np.array([0.05, 0.095, 0.5, 0.9]), others) == pytest.approx(0.5)
    assert metrics.closure_recall(np.array([-1.0, -2.0]), others) == 1
    assert metrics.closure_recall(np.array([2.0, 3.0]), others) == 0


def test_lips_that_are_always_the_same_recall_what_chance_does():
    assert metrics.closure_recall(np.zeros(10), np.zeros(50)) == pytest.approx(0.1)


def test_travel_leaves_out_the_narrowest_2_and_the_widest_5_percent():
    assert metrics.travel(np.linspace(0, 1, 1001)) == pytest.approx(0.93)


def test_moving_is_farther_from_rest_than_a_tenth_of_the_travel_either_way():
    gap = np.array([0.5, 0.52, 0.48, 0.57, 0.43])
    assert metrics.moving_share(gap, 0.5, span=0.5) == pytest.approx(0.4)


def test_curves_of_any_rate_land_on_sixtieths_of_a_second():
    ramp, times = np.arange(10.0), np.arange(10) / 30  # frame k is worth k, at k / 30 s
    assert metrics.resample_to_60(ramp, times, 7).tolist() == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3])
    both = metrics.resample_to_60(np.stack([ramp, -ramp], 1), times, 40)
    assert both.shape == (40, 2) and both[-1].tolist() == [9, -9]


def test_right_share_of_no_frames_is_no_number():
    assert metrics.right_share(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0])) == 0.5
    assert np.isnan(metrics.right_share(np.array([], int), np.array([], int)))
