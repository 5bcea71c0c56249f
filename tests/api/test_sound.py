"""Sound as programs hold it becomes float32 (n, channels), and what is none is refused; see test_animate.py for each
refusal's words."""

from __future__ import annotations

import numpy as np
import pytest

from livelink_bridge.api.sound import checked_rate, checked_sound
from livelink_bridge.errors import UsageError

WAVE = np.array([0.0, 0.5, -1.0, 0.25])


@pytest.mark.parametrize("dtype", ["f2", "<f4", ">f4", "<f8", ">f8"])
def test_floats_of_any_kind_keep_their_values(dtype):
    found = checked_sound(WAVE.astype(dtype), 2)
    assert found.dtype == np.float32 and found.dtype.isnative and found.shape == (4, 1)
    np.testing.assert_array_equal(found[:, 0], WAVE)


@pytest.mark.parametrize("dtype", ["<i2", ">i2"])
def test_sixteen_bits_are_of_full_scale_32768(dtype):
    whole = np.array([[0, 16384], [-32768, 8192]], dtype)
    np.testing.assert_array_equal(checked_sound(whole, 2), [[0, 0.5], [-1, 0.25]])


def test_channels_stay_where_they_are_and_strides_do_not_matter():
    stereo = np.stack([WAVE, -WAVE], axis=1)
    np.testing.assert_array_equal(checked_sound(np.asfortranarray(stereo), 2), stereo.astype(np.float32))
    np.testing.assert_array_equal(checked_sound(stereo[::2], 2), stereo[::2].astype(np.float32))


@pytest.mark.parametrize("empty", [np.zeros(0), np.zeros((0, 2)), np.zeros(0, np.int16), []])
def test_no_samples_are_no_mistake_here(empty):
    assert len(checked_sound(empty, 2)) == 0


@pytest.mark.parametrize("shape", [(0, 0), (4, 3), (4, 0), (2, 2, 2), ()])
def test_other_shapes_are_refused_with_theirs(shape):
    with pytest.raises(UsageError, match=rf"got shape \({', '.join(map(str, shape))},?\), expected \(samples,\)"):
        checked_sound(np.zeros(shape), 2)


@pytest.mark.parametrize("rate", [8000, 192_000, np.int32(24000), np.uint64(44100), 24000.0, np.float32(24000)])
def test_rates_are_whole_numbers_of_hertz(rate):
    found = checked_rate(rate)
    assert found == rate and type(found) is int


@pytest.mark.parametrize("rate", [7999, 192_001, -1, 0, True, 24000.5, "24000", None])
def test_other_rates_are_refused(rate):
    with pytest.raises(UsageError, match="rate: got .*, expected a whole number of Hz from 8000 to 192000"):
        checked_rate(rate)
