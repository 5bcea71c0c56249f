import numpy as np
import pytest

from livelink_bridge.core.whole_numbers import as_whole


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (24000, 24000),
        (24000.0, 24000),
        (-0.0, 0),
        (1e300, int(1e300)),
        (np.float64(7.0), 7),
        (np.float32(7.0), 7),
        (np.int16(7), 7),
    ],
)
def test_a_whole_number_is_one_however_it_is_written(value, whole):
    assert as_whole(value) == whole
    assert type(as_whole(value)) is int


@pytest.mark.parametrize("value", [24000.5, float("nan"), float("inf"), True, False, "24000", "24000.0", None, [1], {}])
def test_anything_else_is_none(value):
    assert as_whole(value) is None
