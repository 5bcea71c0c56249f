"""Lint for packets: values and names that Unreal accepts silently although they are wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT
from livelink_bridge.wire.livelink import COUNT, Packet

ID_BYTES = 36
"""Length of a UUID's text. Several receivers other than Unreal read only this length."""
WIDEST_ANGLE = math.pi / 2
"""Radians. Neither head nor eyes turn further from straight ahead, so a larger number is in degrees."""

_HEADER_AND_VALUES = 1 + 4 + 4 + 16 + 1 + 4 * COUNT


class Oddity(NamedTuple):
    """One finding about a packet, to report to the user."""

    reason: str
    """Stable key."""
    text: str
    """What was found, one line of plain text."""
    remedy: str
    """How to fix it."""


def oddities(packet: Packet, size: int) -> Iterator[Oddity]:
    """Findings about a packet with values that arrived in a datagram of `size` bytes."""
    id_bytes, name_bytes = len(packet.device_id.encode()), len(packet.subject.encode())
    if id_bytes != ID_BYTES:
        text = f"device id {packet.device_id!r} is {id_bytes} bytes, some receivers read only {ID_BYTES}"
        yield Oddity("id-length", text, "give the sender a UUID as its device id")
    yield from name_oddities(packet.subject)
    if "\0" in packet.subject + packet.device_id:
        yield Oddity(
            "nul",
            f"{packet.subject!r}: Unreal cuts a name or id at its NUL",
            "take the NUL out of the sender's name or id",
        )
    if not packet.rate:
        text = "frame rate has a zero or negative part: unusable for timecode and Take Recorder"
        yield Oddity("rate", text, "leave the source's Evaluation Mode at Engine Time, or mend the sender")
    if packet.frame < 0 or not 0 <= packet.subframe < 1:
        text = f"frame {packet.frame}, sub-frame {packet.subframe:g}: expected 0 or more, and [0, 1)"
        yield Oddity("time", text, "leave the source's Evaluation Mode at Engine Time, or mend the sender")
    spare = size - _HEADER_AND_VALUES - id_bytes - name_bytes
    if spare > 0:
        text = f"{spare} bytes after the values: Unreal ignores them"
        yield Oddity("trailing-bytes", text, "nothing to do for Unreal; other receivers may refuse the packet")
    assert packet.values is not None, "Unreal shows nothing without values"
    yield from value_oddities(packet.values, "Unreal")


def name_oddities(subject: str) -> Iterator[Oddity]:
    """Findings about a subject name: Unreal's FName has no name `None` and no empty one (docs/protocol.md, section
    1.4)."""
    if not subject.strip("\0 ") or subject.strip().lower() == "none":
        yield Oddity(
            "no-name", f"subject name {subject!r} is not a valid name in Unreal", "give the sender another subject name"
        )


def value_oddities(values: NDArray[np.float32], receiver: str) -> Iterator[Oddity]:
    """Findings about one frame: values not finite, weights outside 0 to 1, angles that cannot be radians.

    Parameters
    ----------
    values : float32 (61,) in wire order: weights, then angles in radians
    receiver : name of the receiving program, for the texts
    """
    finite = np.isfinite(values)
    if not finite.all():
        text = f"{CHANNELS_61[int(np.argmin(finite))]} is not a finite number: {receiver} passes it to the rig"
        yield Oddity("not-finite", text, "stop this sender: its model or calibration is broken")
    shapes, angles = values[:SHAPE_COUNT], values[SHAPE_COUNT:]
    outside = (shapes < 0) | (shapes > 1)
    if outside.any():
        at = int(np.argmax(outside))
        text = f"{CHANNELS_61[at]} is {shapes[at]:g}, expected 0 to 1: {receiver} clamps nothing"
        yield Oddity("out-of-range", text, "lower the sender's gain; values up to 100 are another scale")
    wide = np.abs(angles) > WIDEST_ANGLE
    if wide.any():
        at = int(np.argmax(wide))
        text = f"{CHANNELS_61[SHAPE_COUNT + at]} is {angles[at]:g}, expected radians: degrees spin the head"
        yield Oddity("angle", text, "switch the sender to radians, or its head rotation off")
