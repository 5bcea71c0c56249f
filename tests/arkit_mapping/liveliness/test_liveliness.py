"""The whole living face: reproducible in any portions, inside its ranges, and never at the lips."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.liveliness import Amounts, HeadMotion, Liveliness

SECONDS = 40
MOUTH = [at for at, name in enumerate(CHANNELS_61) if name.startswith(("Mouth", "Jaw", "Cheek"))]


def channel(poses: np.ndarray, name: str) -> np.ndarray:
    return poses[:, CHANNELS_61.index(name)]


def still(seconds: float = SECONDS) -> np.ndarray:
    return np.zeros((round(60 * seconds), 61), np.float32)


def voice(seconds: float = SECONDS, seed: int = 5) -> np.ndarray:
    """Levels of a talker: phrases of 3 s of syllables at 4 Hz, a second of quiet after each, stresses here and
    there."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(60 * seconds)) / 60
    syllables = np.maximum(0, np.sin(2 * np.pi * 4 * t)) ** 0.5
    loud = -38 + 18 * syllables + np.repeat(rng.uniform(-6, 6, len(t) // 15 + 1), 15)[: len(t)]
    return np.where(t % 4 < 3, loud, -70) + rng.normal(0, 0.5, len(t))


def in_portions(life: Liveliness, poses: np.ndarray, level: np.ndarray, sizes: list[int]) -> np.ndarray:
    parts, start = [], 0
    while start < len(poses):
        size = sizes[len(parts) % len(sizes)]
        parts.append(life.apply(poses[start : start + size], level[start : start + size]))
        start += size
    return np.concatenate(parts)


@pytest.mark.parametrize("sizes", [[1], [2, 1, 0, 5], [97]])
@pytest.mark.parametrize("seed", [1, 2])
def test_pose_k_is_the_same_in_any_portions(seed: int, sizes: list[int]) -> None:
    poses, level = still(), voice()
    whole = Liveliness(seed, head=HeadMotion()).apply(poses, level)
    np.testing.assert_array_equal(in_portions(Liveliness(seed, head=HeadMotion()), poses, level, sizes), whole)


def test_what_comes_later_changes_nothing_before() -> None:
    poses, level = still(), voice()
    whole = Liveliness(1, head=HeadMotion()).apply(poses, level)
    other = np.concatenate([level[:1000], np.full(len(level) - 1000, -80.0)])
    np.testing.assert_array_equal(Liveliness(1, head=HeadMotion()).apply(poses, other)[:1000], whole[:1000])


def test_reset_begins_again_and_another_seed_is_another_face() -> None:
    poses, level = still(), voice()
    life = Liveliness(1)
    first = life.apply(poses, level)
    assert not np.array_equal(life.apply(poses, level), first)
    life.reset()
    np.testing.assert_array_equal(life.apply(poses, level), first)
    assert not np.array_equal(Liveliness(2).apply(poses, level), first)


def test_off_gives_back_what_it_gets() -> None:
    poses = np.random.default_rng(0).uniform(0, 1, (10, 61)).astype(np.float32)
    assert Liveliness(None).apply(poses, voice()[:10]) is poses


def test_the_mouth_is_never_touched_and_the_input_stays_as_it_was() -> None:
    poses = np.random.default_rng(0).uniform(0, 1, still().shape).astype(np.float32)
    before = poses.copy()
    alive = Liveliness(1, head=HeadMotion()).apply(poses, voice())
    np.testing.assert_array_equal(alive[:, MOUTH], before[:, MOUTH])
    np.testing.assert_array_equal(poses, before)


def test_weights_are_in_range_even_with_the_largest_amounts() -> None:
    amounts = Amounts(blinks=3, gaze=3, brows=3, breath=3)
    alive = Liveliness(1, amounts=amounts, head=HeadMotion(4, -4, 4)).apply(still(), voice())
    assert alive.dtype == np.float32
    assert ((alive[:, :52] >= 0) & (alive[:, :52] <= 1)).all()


def test_a_silent_face_blinks_looks_about_and_breathes() -> None:
    alive = Liveliness(1).apply(still(60), np.full(3600, -np.inf))
    assert channel(alive, "EyeBlinkLeft").max() > 0.9
    assert np.ptp(channel(alive, "LeftEyeYaw")) > 0.03
    assert channel(alive, "NoseSneerLeft").max() > 0.01
    assert channel(alive, "BrowInnerUp").max() == 0


def test_levels_that_are_no_numbers_are_silence() -> None:
    silent = Liveliness(1).apply(still(), np.full(len(still()), -90.0))
    for nothing in (np.nan, -np.inf):
        np.testing.assert_array_equal(Liveliness(1).apply(still(), np.full(len(still()), nothing)), silent)


def test_gain_fades_everything_out_and_time_goes_on_meanwhile() -> None:
    poses, level = still(), voice()
    whole = Liveliness(1, head=HeadMotion()).apply(poses, level)
    ramp = np.linspace(1, 0, len(poses))
    faded = Liveliness(1, head=HeadMotion()).apply(poses, level, gain=ramp)
    np.testing.assert_allclose(faded, whole * ramp[:, None], atol=1e-6)
    life = Liveliness(1, head=HeadMotion())
    np.testing.assert_array_equal(life.apply(poses[:600], level[:600], gain=0.0), poses[:600])
    np.testing.assert_array_equal(life.apply(poses[600:], level[600:]), whole[600:])


def test_what_the_network_gave_stays_where_it_is_larger() -> None:
    poses = still()
    poses[:, CHANNELS_61.index("BrowInnerUp")] = 0.8
    alive = Liveliness(1).apply(poses, voice())
    np.testing.assert_array_equal(channel(alive, "BrowInnerUp"), np.float32(0.8))


def test_each_part_can_be_none_and_leaves_the_others_as_they_were() -> None:
    poses, level = still(), voice()
    whole = Liveliness(1).apply(poses, level)
    without = Liveliness(1, amounts=Amounts(brows=0)).apply(poses, level)
    assert channel(without, "BrowInnerUp").max() == 0
    kept = [at for at, name in enumerate(CHANNELS_61) if not name.startswith("Brow")]
    np.testing.assert_array_equal(without[:, kept], whole[:, kept])
    nothing = Liveliness(1, amounts=Amounts(0, 0, 0, 0)).apply(poses, level)
    np.testing.assert_array_equal(nothing, poses)


def test_the_head_is_still_unless_asked() -> None:
    alive = Liveliness(1).apply(still(), voice())
    for name in ("HeadYaw", "HeadPitch", "HeadRoll"):
        assert not channel(alive, name).any()


def test_a_negative_gain_turns_an_axis_round_and_0_keeps_it_still() -> None:
    one = Liveliness(1, head=HeadMotion()).apply(still(), voice())
    other = Liveliness(1, head=HeadMotion(yaw=-1, roll=0)).apply(still(), voice())
    np.testing.assert_array_equal(channel(other, "HeadYaw"), -channel(one, "HeadYaw"))
    np.testing.assert_array_equal(channel(other, "HeadPitch"), channel(one, "HeadPitch"))
    assert not channel(other, "HeadRoll").any()
    assert channel(one, "HeadRoll").any()


def test_the_head_moves_smoothly_within_its_limit_around_the_centre() -> None:
    motion = HeadMotion(limit_rad=0.08)
    alive = Liveliness(3, head=motion).apply(still(240), voice(240))
    for name in ("HeadYaw", "HeadPitch", "HeadRoll"):
        angle = channel(alive, name)
        assert 0.01 < np.abs(angle).max() < motion.limit_rad
        assert abs(angle.mean()) < 0.012
        assert np.abs(np.diff(angle)).max() < 0.02  # 1.2 rad/s
        assert np.abs(np.diff(angle, n=2)).max() < 0.006


def test_shapes_that_do_not_fit_are_refused() -> None:
    life = Liveliness(1)
    with pytest.raises(ValueError, match=r"got poses of shape \(4, 32\), expected \(n, 61\)"):
        life.apply(np.zeros((4, 32), np.float32), np.zeros(4))
    with pytest.raises(ValueError, match=r"got level_dbfs of shape \(3,\), expected \(4,\)"):
        life.apply(np.zeros((4, 61), np.float32), np.zeros(3))


@pytest.mark.parametrize(
    "make", [lambda: Amounts(blinks=-1), lambda: Amounts(gaze=float("nan")), lambda: HeadMotion(yaw=5)]
)
def test_numbers_out_of_range_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"got .*, expected a number from"):
        make()  # type: ignore[operator]


def test_a_head_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="head limit: got 0 rad"):
        HeadMotion(limit_rad=0)
