"""Messages whose values hardly moved are left out, and no value is further off than was asked for."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle

from livelink_bridge.wire.osc.deadband import Deadband
from livelink_bridge.wire.osc.encode import IMMEDIATELY, Bundle, Value, message


def values(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def addresses(datagram: bytes | None) -> list[str]:
    return [] if datagram is None else [each.address for each in OscBundle(datagram)]


def deadband(width: float = 0.1) -> Deadband:
    return Deadband(
        Bundle([message("/list", Value(0), Value(1)), message("/a", Value(0)), message("/b", Value(1))]), width
    )


def test_the_first_pose_is_whole() -> None:
    assert addresses(deadband().filled(values(0, 0), IMMEDIATELY, whole=False)) == ["/list", "/a", "/b"]


def test_only_what_moved_further_than_the_band_is_sent_and_lists_with_any_of_it() -> None:
    band = deadband()
    band.filled(values(0, 0), IMMEDIATELY, whole=False)
    assert band.filled(values(0.1, -0.1), IMMEDIATELY, whole=False) is None
    assert addresses(band.filled(values(0.1, -0.11), IMMEDIATELY, whole=False)) == ["/list", "/b"]


def test_a_slow_drift_is_sent_when_it_has_added_up() -> None:
    band = deadband()
    band.filled(values(0, 0), IMMEDIATELY, whole=False)
    sent = [addresses(band.filled(values(0, 0.04 * step), IMMEDIATELY, whole=False)) for step in range(1, 7)]
    assert sent == [[], [], ["/list", "/b"], [], [], ["/list", "/b"]]


def test_a_whole_pose_has_every_message_and_counts_as_sent() -> None:
    band = deadband()
    band.filled(values(0, 0), IMMEDIATELY, whole=False)
    assert addresses(band.filled(values(0.05, 0), IMMEDIATELY, whole=True)) == ["/list", "/a", "/b"]
    assert band.filled(values(0.14, 0), IMMEDIATELY, whole=False) is None


def test_a_band_of_0_leaves_out_what_stays_the_same() -> None:
    band = deadband(0.0)
    band.filled(values(0, 0), IMMEDIATELY, whole=False)
    assert band.filled(values(0, 0), IMMEDIATELY, whole=False) is None
    assert addresses(band.filled(values(1e-7, 0), IMMEDIATELY, whole=False)) == ["/list", "/a"]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1, max_size=30),
    st.floats(0, 0.5),
)
def test_a_receiver_is_never_further_off_than_the_band(poses: list[tuple[float, float]], width: float) -> None:
    band = deadband(width)
    received: dict[str, list[float]] = {}
    for pose in poses:
        datagram = band.filled(values(*pose), IMMEDIATELY, whole=False)
        received |= {} if datagram is None else {each.address: each.params for each in OscBundle(datagram)}
        for address, wanted in {"/a": pose[:1], "/b": pose[1:], "/list": pose}.items():
            assert np.abs(np.subtract(received[address], wanted)).max() <= width + 1e-6
