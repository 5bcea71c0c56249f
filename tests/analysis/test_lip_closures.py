"""Lips that must meet, and whether they do."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.lips import SEALED, aperture, apertures, narrowest
from livelink_bridge.analysis.lip_closures import closures
from livelink_bridge.analysis.phones import Segment
from livelink_bridge.preview.editor.character_edit import Adjustments

JAW, CLOSE, PRESS_L, PRESS_R, LOWER_L = (
    CHANNELS_61.index(name)
    for name in ("JawOpen", "MouthClose", "MouthPressLeft", "MouthPressRight", "MouthLowerDownLeft")
)
SPOKEN = (
    Segment("AA", 0.0, 0.5),
    Segment("M", 0.5, 0.6),
    Segment("AA", 0.6, 1.2),
    Segment("PB", 1.2, 1.3),
    Segment("S", 1.3, 1.6),
)


def talking(close_at: float | None = 0.55, share: float = 1.0) -> np.ndarray:
    poses = np.zeros((96, 61), np.float32)
    poses[:, JAW] = 0.4
    if close_at is not None:
        poses[round((close_at - 0.03) * 60) : round((close_at + 0.03) * 60), CLOSE] = 0.4 * share
    return poses


def test_every_p_b_and_m_has_a_mark_at_its_narrowest():
    marks = closures(SPOKEN, talking())
    assert [(mark.phone, mark.sealed) for mark in marks] == [("M", True), ("PB", False)]
    assert marks[0].time_s == pytest.approx(0.55, abs=0.035) and marks[0].opening == pytest.approx(0, abs=1e-6)
    assert marks[1].opening == pytest.approx(0.4)
    assert (marks[0].start_s, marks[0].end_s) == (0.5, 0.6)


def test_a_metahuman_closes_from_nine_tenths_of_the_jaw_and_a_plain_face_does_not():
    poses = talking(share=0.91)
    assert closures(SPOKEN, poses, "metahuman")[0].sealed
    plain = closures(SPOKEN, poses, "arkit")[0]
    assert not plain.sealed and plain.opening == pytest.approx(0.036, abs=1e-3)


def test_pressed_lips_are_sealed_and_a_lifted_lip_is_not():
    poses = talking()
    poses[:, LOWER_L] = 0.2
    assert not closures(SPOKEN, poses)[0].sealed
    poses[:, [PRESS_L, PRESS_R]] = 0.3
    assert closures(SPOKEN, poses)[0].sealed


def test_the_measure_is_the_evaluation_s():
    poses = np.random.default_rng(1).random((60, 61), np.float32)
    face = {name[:1].lower() + name[1:]: poses[:, at].astype(float) for at, name in enumerate(CHANNELS_61)}
    np.testing.assert_allclose(apertures(poses, "arkit"), aperture(face), atol=1e-6)
    phone = Segment("M", 0.5, 0.55)
    assert closures([phone], poses, "arkit")[0].opening == pytest.approx(narrowest(aperture(face), 0.5), abs=1e-6)


def test_the_tremble_of_closed_lips_is_no_gap():
    poses = talking()
    poses[:, JAW] += SEALED * 0.9
    assert closures(SPOKEN, poses, "arkit")[0].sealed
    poses[:, JAW] += SEALED
    assert not closures(SPOKEN, poses, "arkit")[0].sealed


def test_a_slider_that_pulls_lips_apart_is_seen():
    sealed = talking()
    assert closures(SPOKEN, Adjustments().with_("JawOpen", gain=1.5).apply(sealed))[0].sealed, "MouthClose follows"
    assert not closures(SPOKEN, Adjustments().with_("MouthClose", gain=0.5).apply(sealed))[0].sealed


def test_phones_outside_the_poses_and_empty_input_give_no_mark():
    assert closures(SPOKEN, np.zeros((0, 61), np.float32)) == ()
    assert closures((), talking()) == ()
    assert closures([Segment("M", 99.0, 99.1)], talking()) == ()
    assert len(apertures(np.zeros((0, 61), np.float32))) == 0


def test_a_p_at_the_very_beginning_or_end_is_marked_within_the_poses():
    marks = closures([Segment("PB", 0.0, 0.05), Segment("M", 1.58, 1.6)], talking())
    assert [mark.sealed for mark in marks] == [False, False]
    assert all(0 <= mark.time_s < 1.6 for mark in marks)


def test_what_is_no_number_counts_as_rest():
    poses = talking(None)
    poses[30:40, JAW] = np.nan
    assert closures(SPOKEN, poses, "arkit")[0].opening == 0
