"""Lip closures: checks whether the lips close at every p, b and m of a recording.

The lip aperture is that of `arkit_mapping.character.lips`, as in `livelink-bridge evaluate`; its minimum around the
onset of the phone counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.closure import LipRule
from arkit_mapping.character.entries import Poses
from arkit_mapping.character.lips import SEALED, apertures, onset_window
from livelink_bridge.analysis.phones import Segment

BILABIAL = frozenset({"PB", "M"})
"""Phone classes with closed lips: p and b, which look alike, and m."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One p, b or m."""

    time_s: float
    """Time of the smallest lip aperture, seconds."""
    phone: str
    """Phone class: PB or M."""
    sealed: bool
    """Whether the lips close."""
    opening: float
    """Lip aperture at that time: combined weights of jaw and lips, 0 or less is closed."""
    start_s: float
    """Start of the recognized phone, seconds."""
    end_s: float
    """End of the recognized phone, seconds."""


def closures(phones: Sequence[Segment], poses: Poses, rule: LipRule = "metahuman") -> tuple[Mark, ...]:
    """Find every p, b and m within the frames.

    Parameters
    ----------
    phones : recognized phones
    poses : float32 (n, 61) at 60 Hz, with the character applied
    rule : the receiver's MouthClose rule; by default that of MetaHumans, for which 0.9 of JawOpen is closed
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
