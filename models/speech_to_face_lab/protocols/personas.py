"""Faces that differ as people do, made by us for a corpus whose mouths all follow one table.

The synthetic corpus has many voices and one way of moving. Real subjects differ in how far they open, round and spread
their lips and in what their face does at rest, which is what the papers' style vectors learn. So every speaker is given
a persona: a gain for each group of channels and small offsets at rest, drawn from its name alone. None of it is
measured on people.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import MOUTH_32
from speech_to_face_lab.protocols.clips import Curves

LEAST_GAIN, MAX_GAIN = 0.8, 1.25
MAX_OFFSET = 0.04
OFFSETS = 4
"""How many of `RESTING` a persona moves at rest."""

GROUPS: tuple[tuple[str, ...], ...] = (
    ("jawOpen", "mouthClose", "mouthLowerDown", "mouthUpperUp"),
    ("mouthFunnel", "mouthPucker", "jawForward"),
    ("mouthSmile", "mouthStretch", "mouthDimple", "mouthFrown"),
    ("mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    ("jawLeft", "jawRight", "mouthLeft", "mouthRight", "cheekPuff", "cheekSquint", "noseSneer"),
)
"""What one gain scales, left and right alike. Jaw and mouthClose are in one group: lips are sealed where the two are
equal, and remain so under any common gain."""
RESTING = (
    "mouthSmile",
    "mouthFrown",
    "mouthDimple",
    "mouthPucker",
    "mouthPress",
    "mouthShrugUpper",
    "cheekSquint",
    "noseSneer",
)
"""Channels that may rest off zero. None of them parts the lips."""


@dataclass(frozen=True, slots=True, eq=False)
class Persona:
    """How one speaker's face differs from the table."""

    gain: NDArray[np.float32]
    """float32 (32,) in [0.8, 1.25], equal within a group."""
    offset: NDArray[np.float32]
    """float32 (32,) in [0, 0.04], 0 but on a few channels."""

    def applied(self, curves: Curves) -> Curves:
        """Curves of the table as this speaker moves them, in [0, 1]. Frames with sealed lips stay sealed."""
        return np.asarray(np.clip(curves * self.gain + self.offset, 0, 1), np.float32)


def persona(subject: str) -> Persona:
    """The persona of a speaker: the same for the same name, on every machine."""
    rng = np.random.default_rng(crc32(subject.encode()))
    gain, offset = np.ones(len(MOUTH_32), np.float32), np.zeros(len(MOUTH_32), np.float32)
    for group in GROUPS:
        gain[_columns(group)] = rng.uniform(LEAST_GAIN, MAX_GAIN)
    for name in rng.choice(RESTING, OFFSETS, replace=False):
        offset[_columns((str(name),))] = rng.uniform(0, MAX_OFFSET)
    return Persona(gain, offset)


def _columns(bases: tuple[str, ...]) -> list[int]:
    return [
        column
        for column, name in enumerate(MOUTH_32)
        if name in bases or name.removesuffix("Left").removesuffix("Right") in bases
    ]
