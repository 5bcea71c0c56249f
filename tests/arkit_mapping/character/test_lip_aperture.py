"""How far lips are apart, on small curves whose answer is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping.character.lips import aperture, narrowest, onset_window


def test_the_aperture_is_the_jaw_and_lifted_lips_less_all_that_closes_them():
    one = {
        name: np.ones(1)
        for name in ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight")
    }
    assert aperture({"jawOpen": np.array([0.5])}) == 0.5
    assert aperture({"jawOpen": np.zeros(1), **one}) == 1.0
    assert aperture({"jawOpen": np.array([0.4]), "mouthClose": np.array([0.3])}) == pytest.approx(0.1)
    assert aperture({"mouthPressLeft": np.ones(1), "mouthPressRight": np.zeros(1)}) == -0.25
    assert aperture({"mouthRollLower": np.ones(1)}) == -0.5
    assert aperture({"mouthRollUpper": np.ones(1)}) == -0.5


def test_of_a_pair_of_channels_the_one_that_is_there_counts_whole():
    assert aperture({"mouthUpperUpLeft": np.ones(1)}) == 0.5


@pytest.mark.parametrize("whole", [False, True])
def test_the_narrowest_aperture_is_looked_for_from_60_ms_before_an_onset_to_130_ms_after(whole):
    for at, seen in ((26, True), (37, False), (25, False), (36, True)):  # the onset is frame 30: frames 26 to 36
        gap = np.ones(100)
        gap[at] = 0
        assert narrowest(gap, 0.5, whole=whole) == (0 if seen else 1), at


@pytest.mark.parametrize("onset_s", [0.05, 1.6])
def test_of_clips_an_onset_whose_window_leaves_the_clip_is_not_judged(onset_s):
    assert narrowest(np.ones(100), onset_s, whole=True) is None


def test_of_a_recording_a_window_that_leaves_it_is_cut_at_its_edge():
    assert onset_window(0.05, 100) == slice(0, 10)
    assert onset_window(1.6, 100) == slice(92, 100)
    gap = np.ones(100)
    gap[99] = 0
    assert narrowest(gap, 1.6) == 0


@pytest.mark.parametrize("onset_s", [-0.2, 1.8, 99.0])
def test_a_window_without_a_frame_is_none(onset_s):
    assert onset_window(onset_s, 100) is None and narrowest(np.ones(100), onset_s) is None
    assert onset_window(0.0, 0) is None
