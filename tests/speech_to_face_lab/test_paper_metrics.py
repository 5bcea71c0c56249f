from __future__ import annotations

import numpy as np
import pytest

from speech_to_face.base import ModelError
from speech_to_face_lab import paper_metrics

CAPTURED = np.array([[0.0, 0.2, 0.4], [0.4, 0.2, 0.0]])
PREDICTED = np.array([[0.1, 0.2, 0.2], [0.4, 0.5, 0.1]])


def test_pmmtalk_takes_the_worst_channel_and_the_mean_channel_in_both_readings() -> None:
    found = paper_metrics.pmmtalk_errors([(PREDICTED, CAPTURED)])
    assert found.lve_sq == pytest.approx((0.2**2 + 0.3**2) / 2)
    assert found.lve_abs == pytest.approx((0.2 + 0.3) / 2)
    assert found.ale_sq == pytest.approx((0.1**2 + 0.2**2 + 0.3**2 + 0.1**2) / 6)
    assert found.ale_abs == pytest.approx((0.1 + 0.2 + 0.3 + 0.1) / 6)
    assert found.r2 == pytest.approx(1 - 0.15 / 0.16)


def test_frames_of_all_clips_are_pooled_and_cut_to_the_shorter() -> None:
    clips = [(PREDICTED[:1], CAPTURED), (PREDICTED[1:], CAPTURED[1:])]
    assert paper_metrics.pmmtalk_errors(clips).lve_sq == pytest.approx((0.2**2 + 0.3**2) / 2)
    unequal = [(PREDICTED[[0, 0, 0]], CAPTURED[[0, 0, 0]]), (PREDICTED[1:], CAPTURED[1:])]
    assert paper_metrics.pmmtalk_errors(unequal).lve_sq == pytest.approx((3 * 0.2**2 + 0.3**2) / 4), (
        "frames count, not clips"
    )


def test_facediffuser_takes_a_norm_over_the_channels_of_the_mouth() -> None:
    value = paper_metrics.facediffuser_blendshape_lve([(PREDICTED, CAPTURED)], [1, 2])
    assert value == pytest.approx((0.2 + np.hypot(0.3, 0.1)) / 2)


MESH = np.zeros((2, 3, 3))
MOVED = MESH.copy()
MOVED[0, 0], MOVED[0, 1], MOVED[1, 1], MOVED[1, 2] = (3, 4, 0), (1, 0, 0), (0, 0, 2), (9, 0, 0)


def test_codetalker_does_not_take_the_root_and_looks_only_at_the_lips() -> None:
    assert paper_metrics.codetalker_lve([(MOVED, MESH)], [0, 1]) == pytest.approx((25 + 4) / 2)


def test_mve_is_the_mean_distance_of_every_vertex() -> None:
    assert paper_metrics.facediffuser_mve([(MOVED, MESH)]) == pytest.approx((5 + 1 + 2 + 9) / 6)


def test_fdd_is_signed_and_falls_with_a_livelier_prediction() -> None:
    template = np.zeros((3, 3))
    reference = np.zeros((2, 3, 3))
    reference[1, 0] = (2, 0, 0)  # squared distance 0 then 4: standard deviation 2; of vertex 1 it is 0
    assert paper_metrics.codetalker_fdd([(MESH, reference)], [template], [0, 1]) == pytest.approx(1.0)
    assert paper_metrics.codetalker_fdd([(reference, MESH)], [template], [0, 1]) == pytest.approx(-1.0)
    both = [(MESH, reference), (MESH, MESH)]
    assert paper_metrics.codetalker_fdd(both, [template, template], [0, 1]) == pytest.approx(0.5), (
        "the mean over sequences"
    )


def test_fdd_is_measured_from_the_template() -> None:
    template = np.zeros((3, 3))
    template[0] = (1, 0, 0)
    reference = np.zeros((2, 3, 3))
    reference[1, 0] = (2, 0, 0)  # as far from the template before as after: it does not move in FDD's sense
    assert paper_metrics.codetalker_fdd([(MESH, reference)], [template], [0]) == pytest.approx(0.0)


def test_a_mean_face_of_the_reference_explains_nothing() -> None:
    face = paper_metrics.mean_face([CAPTURED[:1], CAPTURED[1:]])
    assert face.tolist() == pytest.approx([0.2, 0.2, 0.2])
    found = paper_metrics.pmmtalk_errors(paper_metrics.mean_predictions(face, [CAPTURED[:1], CAPTURED[1:]]))
    assert found.r2 == pytest.approx(0.0)
    assert found.lve_abs == pytest.approx(0.2)


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ModelError, match="no frames"):
        paper_metrics.pmmtalk_errors([])
    with pytest.raises(ModelError, match="no frames"):
        paper_metrics.mean_face([])
    with pytest.raises(ModelError, match="no sequence"):
        paper_metrics.codetalker_fdd([], [], [0])


def test_other_channels_or_a_mask_of_another_mesh_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"got shapes \(2, 2\) and \(2, 3\)"):
        paper_metrics.pmmtalk_errors([(PREDICTED[:, :2], CAPTURED)])
    with pytest.raises(ModelError, match="expected at least one from 0 to 2; are they of another mesh"):
        paper_metrics.codetalker_lve([(MOVED, MESH)], [0, 4995])
