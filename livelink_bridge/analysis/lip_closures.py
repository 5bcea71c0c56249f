"""Where lips have to meet: every p, b and m of a recording, and whether they do.

How far lips are apart is measured as in `livelink-bridge evaluate`: `speech_to_face_lab.metrics.aperture`, at its
narrowest around the onset of the phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arkit_mapping.channels import ARKIT_52, SHAPE_COUNT
from arkit_mapping.character.closure import NOISE_GATE, LipRule, closed_lips
from arkit_mapping.character.entries import Poses
from livelink_bridge.analysis.phones import Segment
from speech_to_face_lab.metrics import ONSET_AFTER_S, ONSET_BEFORE_S, RATE, aperture

BILABIAL = frozenset({"PB", "M"})
"""The phone classes whose lips meet: p and b, which look alike, and m."""
SEALED = NOISE_GATE
"""Aperture up to which lips count as sealed: a fiftieth of the range, under a millimetre, which is what the lip rule
takes for noise of a jaw at rest. At 0, where `aperture` puts the seal itself, a network's tremble of some thousandths
would open every second m."""

_PIECE = 3600
_CHANNELS = tuple((at, name) for at, name in enumerate(ARKIT_52[:SHAPE_COUNT]) if name.startswith(("jawOpen", "mouth")))


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


def openings(poses: Poses, rule: LipRule = "metahuman") -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """float32 (n,): how far the lips are apart in poses (n, 61), as a curve to draw."""
    parts = [_apertures(poses[first : first + _PIECE], rule) for first in range(0, len(poses), _PIECE)]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def _mark(phone: Segment, poses: Poses, rule: LipRule) -> Mark | None:
    first = max(0, int((phone.start_s - ONSET_BEFORE_S) * RATE))
    end = min(len(poses), int((phone.start_s + ONSET_AFTER_S) * RATE))
    if end <= first:
        return None
    gap = _apertures(poses[first:end], rule)
    narrowest = int(gap.argmin())
    opening = float(gap[narrowest])
    return Mark((first + narrowest) / RATE, phone.label, opening <= SEALED, opening, phone.start_s, phone.end_s)


def _apertures(poses: Poses, rule: LipRule) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    worn = np.nan_to_num(closed_lips(poses, rule), nan=0.0, posinf=1.0, neginf=0.0)
    return aperture({name: worn[:, at].astype(np.float64) for at, name in _CHANNELS}).astype(np.float32)
