"""Live Link packets of a talker, sound and unsound, and what a monitor lists of them."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from arkit_mapping import CHANNELS_61
from livelink_bridge.wire.livelink import Packet, encode

ID = "00000000-0000-0000-0000-00000000000"
FACE = Packet(ID + "1", "Talker", 0, 0.0, Fraction(60), np.zeros(61, np.float32))


def face(frame: int = 0, **changed: Any) -> bytes:
    return encode(replace(FACE, frame=frame, **changed))


def posed(**named: float) -> bytes:
    """A packet with these values, even those that our encoder refuses to send."""
    raw = bytearray(face())
    for name, value in named.items():
        struct.pack_into(">f", raw, len(raw) - 244 + 4 * CHANNELS_61.index(name), value)
    return bytes(raw)


def reasons(listed: list[dict[str, Any]]) -> dict[str, int]:
    assert all("\n" not in entry["text"] and entry["remedy"] for entry in listed)
    return {entry["reason"]: entry["count"] for entry in listed}
