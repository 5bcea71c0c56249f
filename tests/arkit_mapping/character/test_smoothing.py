"""The one-euro filter: still at rest, quick in motion, the same however the stream is cut, and never too late for
speech."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arkit_mapping import CHANNELS_61
from arkit_mapping.character.delay import MAX_MS, REFERENCE_SIZE, added_delay, check_delay
from arkit_mapping.character.entries import CharacterError
from arkit_mapping.character.groups import GROUPS, by_channel, read_smoothings
from arkit_mapping.character.smoothing import SPEED_CUTOFF_HZ, Smoother, Smoothing

JAW, CLOSE, PUCKER = (CHANNELS_61.index(name) for name in ("JawOpen", "MouthClose", "MouthPucker"))
QUICK = Smoothing(3, 30)
ALL = dict.fromkeys(range(61), QUICK)


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((frames, 61), np.float32)


def by_the_paper(values: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """The published filter for one channel at 60 Hz, written out in doubles."""

    def share(cutoff_hz: float) -> float:
        tau_s = 1 / (2 * math.pi * cutoff_hz)
        return 1 / (1 + tau_s * 60)

    smooth, speed, out = float(values[0]), 0.0, [float(values[0])]
    for before, value in zip(values[:-1].astype(float), values[1:].astype(float), strict=True):
        speed += share(SPEED_CUTOFF_HZ) * ((value - before) * 60 - speed)
        smooth += share(smoothing.min_cutoff_hz + smoothing.beta * abs(speed)) * (value - smooth)
        out.append(smooth)
    return np.array(out)


def test_a_channel_is_filtered_as_the_paper_says() -> None:
    poses = noise(200)
    expected = by_the_paper(poses[:, PUCKER], QUICK)
    np.testing.assert_allclose(Smoother(ALL).push(poses)[:, PUCKER], expected, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 40), max_size=6))
def test_any_cutting_into_chunks_gives_the_same_poses(cuts: list[int]) -> None:
    poses = noise(100)
    stream = Smoother(ALL)
    edges = [0, *sorted(cuts), 100]
    parts = [stream.push(poses[start:end]) for start, end in zip(edges, edges[1:], strict=False)]
    np.testing.assert_array_equal(np.concatenate(parts), Smoother(ALL).push(poses))


def test_one_pose_at_a_time_with_or_without_a_frame_axis_is_the_same_stream() -> None:
    poses = noise(50)
    flat, stream = Smoother(ALL), Smoother(ALL)
    np.testing.assert_array_equal(
        [flat.push(pose) for pose in poses], np.concatenate([stream.push(pose[None]) for pose in poses])
    )


def test_no_pose_depends_on_those_after_it() -> None:
    poses = noise(80)
    np.testing.assert_array_equal(Smoother(ALL).push(poses[:50]), Smoother(ALL).push(poses)[:50])


def test_reset_is_as_good_as_new_and_the_first_pose_passes() -> None:
    poses, stream = noise(30), Smoother(ALL)
    stream.push(noise(30, seed=1))
    stream.reset()
    after = stream.push(poses)
    np.testing.assert_array_equal(after, Smoother(ALL).push(poses))
    np.testing.assert_array_equal(after[0], poses[0])


def test_channels_that_are_not_smoothed_and_the_input_stay_as_they_are() -> None:
    poses = noise(30)
    before = poses.copy()
    after = Smoother({PUCKER: QUICK}).push(poses)
    np.testing.assert_array_equal(np.delete(after, PUCKER, axis=1), np.delete(before, PUCKER, axis=1))
    assert (after[1:, PUCKER] != before[1:, PUCKER]).any()
    np.testing.assert_array_equal(poses, before)


def test_weights_stay_in_their_range() -> None:
    after = Smoother(ALL).push(np.round(noise(2000)))
    assert after.min() >= 0 and after.max() <= 1


def test_a_trembling_rest_is_steadier() -> None:
    rest = 0.3 + 0.003 * np.random.default_rng(2).standard_normal((600, 61)).astype(np.float32)
    after = Smoother(ALL).push(rest)
    assert after[60:].std() < 0.65 * rest[60:].std()


def test_sealed_lips_stay_sealed_on_the_way() -> None:
    poses = np.zeros((300, 61), np.float32)
    poses[:, JAW] = np.repeat(np.random.default_rng(3).random(60), 5)
    poses[:, CLOSE] = 0.9 * poses[:, JAW]
    after = Smoother(ALL).push(poses)
    assert (after[:, CLOSE] >= 0.9 * after[:, JAW] - 1e-6).all()
    apart = np.stack([Smoother({at: QUICK}).push(poses)[:, at] for at in (JAW, CLOSE)])
    assert (apart[1] < 0.9 * apart[0] - 1e-3).any(), "each with a cutoff of its own, they come apart"


def test_a_plain_low_pass_is_as_late_as_the_textbook_says() -> None:
    share = 16 / (16 + 60 / (2 * math.pi))
    turn = np.exp(-1j * math.tau * 3 / 60)
    phase_s = -np.angle(share / (1 - (1 - share) * turn)) / (math.tau * 3)
    assert added_delay(Smoothing(16)).syllable_ms == pytest.approx(1000 * phase_s, abs=0.05)


def test_a_higher_cutoff_and_a_higher_beta_are_never_later() -> None:
    by_cutoff = [added_delay(Smoothing(value, 5)).most_ms for value in (1, 2, 4, 8, 16, 32, 60)]
    by_beta = [added_delay(Smoothing(3, value)).most_ms for value in (0, 5, 10, 20, 40, 80, 160)]
    assert by_cutoff == sorted(by_cutoff, reverse=True)
    assert by_beta == sorted(by_beta, reverse=True)


def test_what_is_allowed_delays_a_movement_that_is_drawn_here_by_ten_milliseconds_at_most() -> None:
    t_s = np.arange(600) / 60
    poses = np.zeros((600, 61), np.float32)
    poses[:, PUCKER] = 0.3 + REFERENCE_SIZE / 2 * np.sin(math.tau * 3 * t_s)
    check_delay("mouth", QUICK)
    after = Smoother(ALL).push(poses)[:, PUCKER]
    fine_s = np.arange(100 * 60, 500 * 60) / 3600
    shifts_ms = np.arange(0, 40, 0.5)
    went = np.interp(fine_s, t_s, after)
    errors = [np.square(went - np.interp(fine_s - shift / 1000, t_s, poses[:, PUCKER])).sum() for shift in shifts_ms]
    assert shifts_ms[int(np.argmin(errors))] <= MAX_MS


def test_late_smoothing_is_refused_and_the_numbers_it_names_are_the_least_allowed() -> None:
    with pytest.raises(CharacterError) as caught:
        check_delay("mouth", Smoothing(2, 5))
    told = str(caught.value)
    assert told.startswith("smoothing of mouth: got min_cutoff_hz 2 and beta 5, which delay speech by ")
    assert f"{added_delay(Smoothing(2, 5)).most_ms:.1f} ms, expected at most 10; nearest allowed: " in told
    words = told.replace("beta", "min_cutoff_hz").split("min_cutoff_hz ")
    cutoff_hz, beta = float(words[-2].split()[0]), float(words[-1])
    for allowed, refused in (
        (Smoothing(cutoff_hz, 5), Smoothing(cutoff_hz - 0.1, 5)),
        (Smoothing(2, beta), Smoothing(2, beta - 0.1)),
    ):
        assert added_delay(allowed).most_ms <= MAX_MS < added_delay(refused).most_ms


@pytest.mark.parametrize(("cutoff_hz", "beta"), [(0.05, 0), (61, 0), (3, -1), (3, 201), (math.nan, 0)])
def test_numbers_out_of_range_are_refused(cutoff_hz: float, beta: float) -> None:
    with pytest.raises(CharacterError, match="expected a number from"):
        Smoothing(cutoff_hz, beta)


def test_the_groups_are_the_61_without_overlap() -> None:
    parts = [name for group, names in GROUPS.items() if group != "all" for name in names]
    assert sorted(parts) == sorted(CHANNELS_61)


def test_a_channel_goes_before_its_group_and_a_group_before_all() -> None:
    first, second, third = Smoothing(20), Smoothing(30), Smoothing(40)
    spread = by_channel({"mouthPucker": third, "all": first, "mouth": second, "brows": None})
    assert (spread["HeadYaw"], spread["JawOpen"], spread["MouthPucker"], spread["BrowInnerUp"]) == (
        first,
        second,
        third,
        None,
    )


def test_mouth_close_goes_with_the_jaw_unless_it_is_named() -> None:
    assert by_channel({"mouth": QUICK, "JawOpen": None})["MouthClose"] is None
    assert by_channel({"JawOpen": QUICK, "MouthClose": None}) == {"JawOpen": QUICK, "MouthClose": None}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"moth": {"min_cutoff_hz": 20}}, "smoothing: unknown channel or group 'moth', did you mean mouth?"),
        (
            {"mouth": {"min_cutof_hz": 20}},
            "smoothing of mouth: unknown key 'min_cutof_hz', did you mean min_cutoff_hz?",
        ),
        ({"mouth": {"beta": 20}}, "smoothing of mouth: got no min_cutoff_hz"),
        (
            {"mouth": {"min_cutoff_hz": 90}},
            "smoothing of mouth: min_cutoff_hz: got 90, expected a number from 0.1 to 60",
        ),
        ({"mouth": 5}, "smoothing of mouth: got 5, expected {min_cutoff_hz: 3, beta: 30} or off"),
        ({"mouth": {"min_cutoff_hz": 1}}, "expected at most 10"),
        (5, "smoothing: got 5, expected groups or channels"),
    ],
)
def test_an_entry_that_is_none_is_refused(entry: object, reason: str) -> None:
    with pytest.raises(CharacterError) as caught:
        by_channel(read_smoothings(entry))
    assert reason in str(caught.value)
