"""Ranges: what lies in them, and how they are written."""

from __future__ import annotations

from fractions import Fraction

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.core.limits import GAIN, PACKET_RATE, PORT, SEED


def test_both_ends_lie_in_a_range_and_nan_does_not() -> None:
    assert -40 in GAIN and 40.0 in GAIN and Fraction(1, 3) in GAIN
    assert 40.001 not in GAIN and float("nan") not in GAIN and 0 not in PORT


def test_a_range_is_written_with_its_unit_and_every_digit() -> None:
    assert (str(GAIN), str(PORT), str(SEED)) == ("-40 to 40 dB", "1 to 65535", "0 to 4294967295")


def test_no_more_packets_are_sent_than_there_are_frames() -> None:
    assert PACKET_RATE.highest == FRAME_RATE
