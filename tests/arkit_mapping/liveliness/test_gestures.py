"""Brows on stresses, breath in pauses, nods with the voice."""

from __future__ import annotations

from random import Random

import numpy as np

from arkit_mapping.liveliness.breath import Breath
from arkit_mapping.liveliness.brows import Brows
from arkit_mapping.liveliness.head import Head
from arkit_mapping.liveliness.prosody import VoiceEvents


def heard(poses: int, *, talks: bool = True, **events: list) -> VoiceEvents:
    found = {"starts": [], "pauses": [], "stresses": []} | events
    return VoiceEvents(np.full(poses, talks), **found)


def test_brows_rise_soon_after_a_stress_and_come_back_to_neutral() -> None:
    stresses = [(300 * k, 1.0) for k in range(1, 40)]
    brows = Brows(Random(1)).step(0, heard(12_000, stresses=stresses))
    raised = [k for k, (pose, _) in enumerate(stresses) if brows[pose : pose + 30].max() > 0.05]
    assert 8 < len(raised) < 32
    for k in raised:
        curve = brows[300 * (k + 1) : 300 * (k + 1) + 200, 0]
        assert 4 <= curve.argmax() <= 25
        assert curve[-1] == 0
    assert brows[:300].max() == 0


def test_a_full_stress_lifts_the_brows_higher_than_a_weak_one_and_the_inner_ones_most() -> None:
    def tops(strength: float) -> np.ndarray:
        stresses = [(300 * k, strength) for k in range(1, 200)]
        brows = Brows(Random(1)).step(0, heard(60_300, stresses=stresses))
        return np.array(
            [brows[pose : pose + 120].max(axis=0) for pose, _ in stresses if brows[pose : pose + 120].any()]
        )

    weak, full = tops(0.0), tops(1.0)
    assert full[:, 0].mean() > 1.8 * weak[:, 0].mean()
    assert (full[:, 0] > full[:, 1:].max(axis=1)).all()
    assert full.max() < 0.6


def test_brows_move_smoothly_even_when_stresses_crowd() -> None:
    brows = Brows(Random(1)).step(0, heard(3000, stresses=[(pose, 1.0) for pose in range(100, 2900, 13)]))
    assert brows.max() > 0.1
    assert np.abs(np.diff(brows, axis=0)).max() < 0.1


def test_quiet_breaths_come_12_to_20_times_a_minute() -> None:
    air = Breath(Random(2)).step(0, heard(3600 * 10, talks=False))
    chest = air[:, 1]
    peaks = np.flatnonzero((chest[1:-1] > chest[:-2]) & (chest[1:-1] >= chest[2:]) & (chest[1:-1] > 0.1))
    assert 12 <= len(peaks) / 10 <= 20


def test_no_breath_goes_in_while_speaking_and_a_deep_one_does_where_speech_pauses() -> None:
    speech = heard(1200, pauses=[600])
    speech.speaking[600:690] = False
    air = Breath(Random(2)).step(0, speech)
    assert air[:600].max() == 0
    assert air[600:660, 0].max() > 0.7
    assert air[700:, 0].max() == 0
    quiet = Breath(Random(2)).step(0, heard(1200, talks=False))
    assert air[:, 1].max() > 1.4 * quiet[:, 1].max()


def test_the_head_nods_down_after_a_stress_and_returns() -> None:
    with_nod = Head(Random(1)).step(0, heard(240, stresses=[(100, 1.0)]))
    without = Head(Random(1)).step(0, heard(240))
    np.testing.assert_array_equal(with_nod[:100], without[:100])
    pitch = with_nod[100:160, 1] - without[100:160, 1]
    assert 0.02 < pitch.max() < 0.1
    assert 6 <= pitch.argmax() <= 25
    assert abs(pitch[-1]) < 0.005


def test_a_silent_head_stays_nearer_the_centre_than_a_speaking_one() -> None:
    speaking, silent = (Head(Random(1)).step(0, heard(36_000, talks=talks)) for talks in (True, False))
    assert (silent.std(axis=0) < 0.5 * speaking.std(axis=0)).all()
    assert (np.abs(silent.mean(axis=0)) < 0.01).all()
