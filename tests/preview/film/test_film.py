"""What a video may be, how long it gets, and which pose each of its frames has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livelink_bridge.errors import UsageError
from livelink_bridge.preview.film.film import RATES, Film


@pytest.mark.parametrize(
    "size, sides",
    [
        ("720p", (1280, 720)),
        (" 1080P ", (1920, 1080)),
        ("1080x1920", (1080, 1920)),
        ("64 x 64", (64, 64)),
        ("3840×2160", (3840, 2160)),
    ],
)
def test_a_size_is_a_name_or_width_and_height(size, sides):
    film = Film.of(size, 25)
    assert (film.width, film.height, film.rate) == (*sides, 25)


@pytest.mark.parametrize(
    "size",
    [
        "",
        "720",
        "big",
        "1281x720",
        "1280x719",
        "62x64",
        "3842x64",
        "-2x64",
        "1280x",
        "99999x99999",
        "1280x720x3",
        "1e3x720",
        "١٢٨٠x720",
    ],
)
def test_any_other_size_is_refused_in_one_line_that_says_what_is_expected(size):
    with pytest.raises(UsageError, match="^[^\n]*expected 720p, 1080p or WxH[^\n]*even numbers from 64 to 3840$"):
        Film.of(size, 30)


@pytest.mark.parametrize("rate", [0, -30, 23.976, 29, 120, float("nan")])
def test_any_other_rate_is_refused(rate):
    with pytest.raises(UsageError, match="expected 24, 25, 30 or 60"):
        Film.of("720p", rate)


@given(st.floats(0.1, 1800.0), st.sampled_from(RATES))
def test_a_video_is_as_long_as_its_sound_to_within_half_a_frame(seconds, rate):
    assert abs(Film(rate=rate).frames(seconds) / rate - seconds) <= 0.5 / rate + 1e-9


def test_the_shortest_sound_has_one_frame():
    assert Film().frames(0.001) == 1


@pytest.mark.parametrize("rate", RATES)
def test_frame_k_has_the_pose_of_the_curves_at_k_through_the_rate(rate):
    curves = np.random.default_rng(3).random((181, 61), np.float32)
    frames = Film(rate=rate).frames(3.0)
    poses = Film(rate=rate).poses(curves, frames)
    times_s = np.arange(frames) / rate
    wanted = np.stack([np.interp(times_s, np.arange(181) / 60, curves[:, channel]) for channel in range(61)], -1)
    assert poses.dtype == np.float32 and poses.shape == (3 * rate, 61)
    np.testing.assert_allclose(poses, wanted, atol=1e-5)


def test_at_the_rate_of_the_curves_the_poses_are_theirs_to_the_last_bit():
    curves = np.random.default_rng(4).random((60, 61), np.float32)
    np.testing.assert_array_equal(Film(rate=60).poses(curves, 60), curves)
    np.testing.assert_array_equal(Film(rate=30).poses(curves, 30), curves[::2])


def test_after_the_last_pose_the_face_keeps_still():
    curves = np.random.default_rng(5).random((10, 61), np.float32)
    np.testing.assert_array_equal(Film(rate=60).poses(curves, 14)[9:], np.repeat(curves[-1:], 5, 0))
