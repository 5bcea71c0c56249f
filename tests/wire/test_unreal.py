"""Unreal's silent drop rules, one by one."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livelink_bridge.errors import WireError
from livelink_bridge.wire.livelink import MAX_DATAGRAM, Packet, decode, encode
from livelink_bridge.wire.unreal import TOO_SMALL, why_ignored

GOLDEN = Path(__file__).parents[1] / "golden"
A = bytes.fromhex((GOLDEN / "A_basic.hex").read_text())
D = bytes.fromhex((GOLDEN / "D_header_only_noface.hex").read_text())


def spoiled(at: int, new: bytes) -> bytes:
    return A[:at] + new + A[at + len(new) :]


@pytest.mark.parametrize("name", ["A_basic", "B_utf8_name_ramp", "C_left_right_probe"])
def test_unreal_shows_the_golden_packets(name: str) -> None:
    assert why_ignored(bytes.fromhex((GOLDEN / f"{name}.hex").read_text())) is None


def test_unreal_shows_a_packet_with_a_tail_and_one_as_short_or_long_as_can_be() -> None:
    def sized(device: str, subject: str) -> bytes:
        return encode(Packet(device, subject, 0, 0.0, Fraction(60), np.zeros(61, np.float32)))

    assert why_ignored(A + b"tail") is None
    assert why_ignored(sized("i", "n")) is None
    assert why_ignored(sized("i" * 36, "n" * 980)) is None


IGNORED = {
    "header only": (D, "no-face", "no face"),
    "266 bytes": (A[:TOO_SMALL], "too-small", "266 bytes"),
    "nothing": (b"", "too-small", "0 bytes"),
    "the other protocol's keep-alive": (b"\x06\x00", "too-small", "2 bytes"),
    "one byte too many": (A + bytes(MAX_DATAGRAM + 1 - len(A)), "too-big", "1287 bytes"),
    "version 5": (spoiled(0, b"\x05"), "version", "version 5"),
    "a negative id length": (spoiled(1, b"\x80\x00\x00\x00"), "string-length", "past the end"),
    "a name past the end": (spoiled(41, b"\x00\x00\xff\xff"), "string-length", "past the end"),
    "a name that leaves no room for the time": (spoiled(41, b"\x00\x00\x01\x00"), "string-length", "past the end"),
    "count 52": (spoiled(67, b"\x34"), "count", "52 values"),
    "60 values": (A[:-4], "short-values", "240 bytes"),
}


@pytest.mark.parametrize(("raw", "reason", "text"), IGNORED.values(), ids=IGNORED)
def test_unreal_ignores(raw: bytes, reason: str, text: str) -> None:
    ignored = why_ignored(raw)
    assert ignored is not None
    assert ignored.reason == reason
    assert text in ignored.text


@settings(deadline=None)
@given(st.data())
def test_what_unreal_shows_is_what_decodes_to_a_face_but_for_bad_text(data: st.DataObject) -> None:
    raw = bytearray(A)
    for at in data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 41, 42, 43, 44, 67]), max_size=3)):
        raw[at] = data.draw(st.sampled_from([0, 1, 6, 36, 61, 200, 255]))
    datagram = bytes(raw[: data.draw(st.integers(TOO_SMALL + 1, len(raw)))])
    try:
        face = decode(datagram).values is not None
    except WireError as error:
        if "UTF-8" in error.reason:
            return
        face = False
    assert (why_ignored(datagram) is None) == face
