"""Signs and gain of a character's head rotation. Receivers differ in the signs, so the user can set them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.entries import CharacterError, Poses, entries, known, number

AXES = ("yaw", "pitch", "roll")
GAINS = (0.0, 10.0)


@dataclass(frozen=True, slots=True)
class Head:
    """Signs and gain of HeadYaw, HeadPitch and HeadRoll, in addition to the character's gain. Raises CharacterError for
    an invalid sign or gain."""

    yaw: int = 1
    """Sign: 1 as predicted, -1 inverted."""
    pitch: int = 1
    """Sign, as for yaw."""
    roll: int = 1
    """Sign, as for yaw."""
    gain: float = 1.0
    """Factor for all three, 0 to 10; 0 keeps the head still."""

    def __post_init__(self) -> None:
        for axis in AXES:
            sign = getattr(self, axis)
            if isinstance(sign, bool) or sign not in (1, -1):
                raise CharacterError(f"{axis} of head: got {sign!r}, expected 1 or -1")
        number("gain of head", self.gain, *GAINS)

    def factors(self) -> Poses:
        """float32 (61,): factors of the head's three angles, 1 for other channels."""
        factors = np.ones(len(CHANNELS_61), np.float32)
        for axis in AXES:
            factors[CHANNELS_61.index(f"Head{axis.title()}")] = getattr(self, axis) * self.gain
        return factors


def read_head(entry: object) -> dict[str, float]:
    """Parse the `head` entry of a file, by the names of Head's fields."""
    given = entries("head", entry, "signs and gain, such as {yaw: -1, gain: 0.5}")
    return {known("head: unknown key", key, (*AXES, "gain")): value for key, value in given.items()}
