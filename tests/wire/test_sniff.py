"""Which wire a datagram is of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livelink_bridge.wire import ifacialmocap, livelink
from livelink_bridge.wire.sniff import WIRES, wire_of

ZEROS = np.zeros(61, np.float32)
KNOWN = {
    "a Live Link packet": (livelink.encode(livelink.Packet("id", "Ada", 0, 0.0, Fraction(60), ZEROS)), "livelink"),
    "an old one": (b"\x05\0\0\0\x24" + bytes(40), "livelink"),
    "a message": (b"/arkit/JawOpen\0\0,f\0\0\0\0\0\0", "osc"),
    "a bundle": (b"#bundle\0" + bytes(7) + b"\x01\0\0\0\x08/arkit\0\0", "osc"),
    "a VMC bundle": (b"#bundle\0" + bytes(7) + b"\x01\0\0\0\x10/VMC/Ext/OK\0,\0\0\0", "vmc"),
    "iFacialMocap": (ifacialmocap.encode(ZEROS), "ifacialmocap"),
    "iFacialMocap, version 2": (ifacialmocap.encode(ZEROS, 2), "ifacialmocap"),
    "nothing": (b"", None),
    "a word": (b"hello there", None),
    "zeros": (bytes(300), None),
}


@pytest.mark.parametrize(("datagram", "wire"), KNOWN.values(), ids=KNOWN)
def test_a_wire_is_told_by_its_first_bytes(datagram: bytes, wire: str | None) -> None:
    assert wire_of(datagram) == wire


@given(st.binary(max_size=80))
def test_any_bytes_have_an_answer(datagram: bytes) -> None:
    assert wire_of(datagram) in (*WIRES, None)
