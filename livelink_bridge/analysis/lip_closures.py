"""Where lips have to meet: every p, b and m of a recording, and whether they do.

How far lips are apart is `arkit_mapping.lip_aperture`, as in `livelink-bridge evaluate`, at its narrowest around the
onset of the phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.closure import LipRule
from arkit_mapping.character.entries import Poses
from arkit_mapping.lip_aperture import SEALED, apertures, onset_window
from livelink_bridge.analysis.phones import Segment

BILABIAL = frozenset({"PB", "M"})
"""The phone classes whose lips meet: p and b, which look alike, and m."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One p, b or m."""

    time_s: float
    """When the lips are nearest to each other."""
    phone: str
    """Its class: PB or M."""
    sealed: bool
    opening: float
    """The aperture then: weights of the jaw and the lips together, 0 or less is sealed."""
    start_s: float
    end_s: float
    """Of the phone as heard."""


def closures(phones: Sequence[Segment], poses: Poses, rule: LipRule = "metahuman") -> tuple[Mark, ...]:
    """A mark for every p, b and m that lies within the poses, float32 (n, 61) at 60 Hz, as they are worn.

    `rule` is how the receiver understands MouthClose; a MetaHuman's by default, for whom 0.9 of JawOpen is closed.
    """
    marks = (_mark(phone, poses, rule) for phone in phones if phone.label in BILABIAL)
    return tuple(mark for mark in marks if mark is not None)


def _mark(phone: Segment, poses: Poses, rule: LipRule) -> Mark | None:
    window = onset_window(phone.start_s, len(poses))
    if window is None:
        return None
    gap = apertures(poses[window], rule)
    narrowest = int(gap.argmin())
    opening = float(gap[narrowest])
    time_s = (window.start + narrowest) / FRAME_RATE
    return Mark(time_s, phone.label, opening <= SEALED, opening, phone.start_s, phone.end_s)
