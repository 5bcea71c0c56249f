"""Detects the protocol of a datagram by its first bytes."""

from __future__ import annotations

import re
from typing import Literal, get_args

Wire = Literal["livelink", "osc", "vmc", "ifacialmocap"]
WIRES: tuple[Wire, ...] = get_args(Wire)

WIRE_OF_PORT: dict[int, Wire] = {11111: "livelink", 39539: "vmc", 39540: "vmc", 49983: "ifacialmocap"}
"""Default port of each protocol's receivers (docs/protocol.md, sections 1.5, 4.1, 4.2)."""
WIRE_NAMES: dict[Wire, str] = {"livelink": "Live Link", "osc": "OSC", "vmc": "VMC", "ifacialmocap": "iFacialMocap"}

_LONGEST_LIVELINK_TEXT = 1016
_IFACIALMOCAP = re.compile(rb"(=?head#|[A-Za-z][A-Za-z_]*[-&]-?\d)")
_SNIFFED_BYTES = 64
"""A bundle's first address begins at byte 20."""


def wire_of(datagram: bytes) -> Wire | None:
    """The protocol that a datagram resembles, valid or not; None when it resembles none.

    Live Link begins with its version, a byte of 6 or below, and the length of an id; OSC with `/` or `#bundle`, VMC
    being OSC whose addresses begin with /VMC/; iFacialMocap with a shape's name and its number, or with `head#`.
    """
    head = datagram[:_SNIFFED_BYTES]
    if head.startswith((b"/", b"#bundle\0")):
        return "vmc" if b"/VMC/" in head else "osc"
    if 5 <= len(head) and 1 <= head[0] <= 6 and int.from_bytes(head[1:5], "big") <= _LONGEST_LIVELINK_TEXT:
        return "livelink"
    if _IFACIALMOCAP.match(head):
        return "ifacialmocap"
    return None
