from __future__ import annotations

import numpy as np
import pytest

from livelink_bridge.audio.noise_gate import Fade, NoiseGate, Thresholds
from livelink_bridge.errors import UsageError

USUAL = Thresholds(-50.0, -56.0)


def flags(*runs):
    """bool (n,) from runs of (value, count)."""
    return np.concatenate([np.full(count, bool(value)) for value, count in runs])


def decide(gate, levels, voice=1.0):
    levels = np.array(levels, float)
    return gate.decide(levels, np.broadcast_to(np.float32(voice), levels.shape))


def test_it_opens_at_one_level_and_closes_at_a_lower_one():
    moves, _ = decide(NoiseGate(USUAL, hold_s=0), [-53] * 5 + [-49] + [-55] * 5 + [-57] * 5)
    assert moves.tolist() == [False] * 5 + [True] * 8 + [False] * 3  # the level compared is the highest of three steps


def test_what_is_loud_but_no_voice_stays_shut():
    moves, sure = decide(NoiseGate(USUAL), [-10.0] * 60, voice=0.1)
    assert not moves.any() and not sure.any()


def test_a_voice_below_the_levels_stays_shut():
    assert not decide(NoiseGate(USUAL), [-60.0] * 60, voice=1.0)[0].any()


def test_what_was_surely_a_voice_is_held_through_a_pause():
    moves, sure = NoiseGate(USUAL, hold_s=0.25).decide(np.full(60, -20.0), np.float32([0.9] * 10 + [0.0] * 50))
    assert np.flatnonzero(sure).tolist() == list(range(10))
    assert np.flatnonzero(moves).tolist() == list(range(10 + 15))


def test_what_might_be_a_voice_opens_and_is_not_held():
    moves, sure = NoiseGate(USUAL, hold_s=0.25).decide(
        np.full(30, -20.0), np.float32([0.0] * 5 + [0.3, 0.2] + [0.0] * 23)
    )
    assert np.flatnonzero(moves).tolist() == [5, 6]
    assert not sure.any()


def test_decisions_do_not_depend_on_how_the_steps_come():
    rng = np.random.default_rng(0)
    levels, voice = rng.uniform(-70, -30, 400), rng.random(400, dtype=np.float32)
    whole, single = NoiseGate(USUAL), NoiseGate(USUAL)
    pieces = [single.decide(levels[at : at + 1], voice[at : at + 1]) for at in range(400)]
    for expected, found in zip(whole.decide(levels, voice), zip(*pieces, strict=True), strict=True):
        np.testing.assert_array_equal(expected, np.concatenate(found))


@pytest.mark.parametrize(
    ("opens", "closes"), [(1, -10), (-91, -92), (-40, -39), (-40, -97), (float("nan"), -50), (-40, float("nan"))]
)
def test_thresholds_that_cannot_be_are_refused(opens, closes):
    with pytest.raises(UsageError, match="calibrate again"):
        Thresholds(opens, closes)


def test_thresholds_move_with_a_gain_and_stay_possible():
    assert Thresholds(-50, -53).shifted(10) == Thresholds(-40, -43)
    assert Thresholds(-5, -8).shifted(20) == Thresholds(0, 0)
    assert Thresholds(-85, -88).shifted(-30) == Thresholds(-90, -96)


@pytest.mark.parametrize("hold_s", [-0.1, 5.1, float("nan")])
def test_a_hold_that_cannot_be_is_refused(hold_s):
    with pytest.raises(UsageError, match="0 to 5 seconds"):
        NoiseGate(USUAL, hold_s)


def test_a_pose_is_let_through_by_sound_three_steps_after_its_own():
    fade = Fade(lookahead_steps=3)
    weights = fade.push(flags((0, 10), (1, 20)), flags((0, 10), (1, 20)))
    assert len(weights) == 27
    assert np.flatnonzero(weights)[0] == 7
    np.testing.assert_allclose(weights[7:9], [1 / 1.8, 1])


def test_a_face_closes_over_150_ms_after_the_pose_of_the_last_sound():
    fade = Fade(lookahead_steps=3)
    weights = fade.push(flags((1, 20), (0, 40)), flags((1, 20), (0, 40)))
    assert len(weights) == 57
    assert np.all(weights[2:20] == 1)
    np.testing.assert_allclose(weights[20:30], np.maximum(0, 1 - np.arange(1, 11) / 9), atol=1e-6)


def test_what_was_never_surely_speech_is_gone_within_50_ms():
    fade = Fade(lookahead_steps=3)
    weights = fade.push(flags((0, 10), (1, 2), (0, 20)), flags((0, 32)))
    np.testing.assert_allclose(weights[6:13], [0, 1 / 1.8, 1, 2 / 3, 1 / 3, 0, 0], atol=1e-6)


def test_a_face_goes_on_from_where_it_is_after_a_gap():
    fade = Fade(lookahead_steps=3)
    fade.push(flags((1, 20)), flags((1, 20)))
    fade.resume()
    assert fade.weight == 1
    assert fade.push(flags((1, 3), (0, 1)), flags((1, 3), (0, 1))).tolist() == [1]
