"""Response curves: exponents and points, and lips that keep closing under a bent jaw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arkit_mapping import CHANNELS_61
from arkit_mapping.character.curves import Curve, Response
from arkit_mapping.character.entries import CharacterError

JAW, CLOSE, PUCKER = (CHANNELS_61.index(name) for name in ("JawOpen", "MouthClose", "MouthPucker"))
RAMP = np.linspace(0, 1, 101, dtype=np.float32)


def bent(curve: Curve, weights: np.ndarray = RAMP) -> np.ndarray:
    """What a curve of MouthPucker makes of weights."""
    poses = np.zeros((len(weights), 61), np.float32)
    poses[:, PUCKER] = weights
    return Response({"MouthPucker": curve})(poses)[:, PUCKER]


def lips(jaw: float, close: float, curve: Curve) -> tuple[float, float]:
    pose = np.zeros(61, np.float32)
    pose[[JAW, CLOSE]] = jaw, close
    after = Response({"JawOpen": curve})(pose)
    return float(after[JAW]), float(after[CLOSE])


def test_an_exponent_above_one_makes_small_weights_smaller_and_one_below_larger() -> None:
    np.testing.assert_allclose(bent(2), RAMP**2, atol=1e-6)
    np.testing.assert_allclose(bent(0.5), np.sqrt(RAMP), atol=1e-6)


def test_points_are_joined_by_straight_lines_from_nothing_to_all() -> None:
    np.testing.assert_allclose(bent([[0.5, 0.2]]), np.interp(RAMP, [0, 0.5, 1], [0, 0.2, 1]), atol=1e-6)


def test_points_may_say_where_the_curve_begins_and_ends() -> None:
    points = [[0, 0.1], [0.2, 0.1], [0.6, 0.7], [1, 0.8]]
    np.testing.assert_allclose(bent(points), np.interp(RAMP, *np.transpose(points)), atol=1e-6)


def test_channels_with_different_numbers_of_points_bend_at_once() -> None:
    curves: dict[str, Curve] = {
        "JawOpen": [[0.5, 0.2]],
        "MouthPucker": [[0.2, 0.1], [0.4, 0.6], [0.9, 0.7]],
        "MouthFunnel": 2,
    }
    poses = np.random.default_rng(0).random((40, 61), np.float32)
    together = Response(curves)(poses)
    for channel, curve in curves.items():
        at = CHANNELS_61.index(channel)
        np.testing.assert_allclose(together[:, at], Response({channel: curve})(poses)[:, at], atol=1e-6)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=16, unique_by=lambda point: round(point[0], 3)
    )
)
def test_any_accepted_curve_is_monotone_and_stays_in_range(points: list[tuple[float, float]]) -> None:
    rising = sorted(round(point[0], 3) for point in points)
    outputs = sorted(point[1] for point in points)
    made = bent(list(zip(rising, outputs, strict=True)))
    assert (np.diff(made) >= -1e-6).all()
    assert made.min() >= 0 and made.max() <= 1 + 1e-6


def test_weights_outside_the_range_count_as_its_ends() -> None:
    np.testing.assert_allclose(bent(0.5, np.array([-0.5, 1.5], np.float32)), [0, 1])
    np.testing.assert_allclose(bent([[0.5, 0.2]], np.array([-0.5, 1.5], np.float32)), [0, 1])


def test_channels_without_a_curve_and_the_input_stay_as_they_are() -> None:
    poses = np.random.default_rng(1).normal(size=(20, 61)).astype(np.float32)
    before = poses.copy()
    after = Response({"mouthPucker": 2})(poses)
    np.testing.assert_array_equal(np.delete(after, PUCKER, axis=1), np.delete(before, PUCKER, axis=1))
    np.testing.assert_array_equal(poses, before)


@pytest.mark.parametrize("curve", [2, 0.5, [[0.3, 0.1], [0.7, 0.9]]], ids=["narrow", "wide", "points"])
def test_a_closure_keeps_its_share_of_a_bent_jaw(curve: Curve) -> None:
    for share in (0.0, 0.5, 0.9, 1.0):
        jaw, close = lips(0.4, 0.4 * share, curve)
        assert jaw != pytest.approx(0.4)
        assert close == pytest.approx(jaw * share, abs=1e-6)


def test_a_closure_beyond_the_jaw_is_bent_as_the_jaw_would_be() -> None:
    assert lips(0.1, 0.5, 2) == pytest.approx((0.01, 0.25), abs=1e-6)
    assert lips(0.0, 0.0, 0.5) == (0.0, 0.0)


def test_mouth_close_bends_by_a_curve_of_its_own_when_it_has_one() -> None:
    pose = np.zeros(61, np.float32)
    pose[[JAW, CLOSE]] = 0.5
    after = Response({"JawOpen": 2, "MouthClose": 1})(pose)
    np.testing.assert_allclose(after[[JAW, CLOSE]], [0.25, 0.5], atol=1e-6)


BAD = {
    "an exponent of nothing": ({"JawOpen": 0}, "curve of JawOpen: got 0, expected a number from 0.1 to 10"),
    "a word": ({"JawOpen": "s-shape"}, "got 's-shape', expected an exponent such as 1.5 or points"),
    "a truth value": ({"JawOpen": True}, "got True"),
    "an unknown channel": ({"JawOpne": 1}, "curve: unknown channel 'JawOpne', did you mean JawOpen?"),
    "an angle": ({"HeadYaw": 2}, "curve of HeadYaw: an angle has no curve"),
    "no points": ({"JawOpen": []}, "got 0 points, expected 1 to 16"),
    "a point with one number": ({"JawOpen": [[0.5]]}, "got [0.5], expected points [in, out]"),
    "numbers for points": ({"JawOpen": [0.5, 0.3]}, "got 0.5, expected points [in, out]"),
    "a point out of range": ({"JawOpen": [[0.5, 1.3]]}, "got 1.3, expected a number from 0 to 1"),
    "a falling curve": (
        {"JawOpen": [[0.2, 0.5], [0.4, 0.3]]},
        "got [0.4, 0.3] after [0.2, 0.5], expected rising inputs",
    ),
    "two outputs for one input": ({"JawOpen": [[0.2, 0.5], [0.2, 0.6]]}, "expected rising inputs"),
}


@pytest.mark.parametrize(("curves", "reason"), BAD.values(), ids=BAD)
def test_a_curve_that_is_none_is_refused(curves: dict[str, Curve], reason: str) -> None:
    with pytest.raises(CharacterError) as caught:
        Response(curves)
    assert reason in str(caught.value)
