"""Symmetry of a character: moves left and right channels to their mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, pascal
from arkit_mapping.character.entries import Poses, entries, known, number

_SHAPES = CHANNELS_61[:SHAPE_COUNT]
_DIRECTIONS = ("Jaw", "Mouth")
"""JawLeft and JawRight are two directions of one jaw, not two sides of a face; MouthLeft and MouthRight likewise."""

PAIRS: dict[str, tuple[int, int]] = {
    name.removesuffix("Left"): (at, CHANNELS_61.index(name.removesuffix("Left") + "Right"))
    for at, name in enumerate(_SHAPES)
    if name.endswith("Left") and not name.startswith("EyeLook")
}
"""Common part of the names of left and right -> both wire indices: `MouthSmile`, `BrowDown`, `Jaw`. Gaze is not
included, as it is not an asymmetry."""


class Symmetry:
    """Moves each pair of channels to its mean by a factor: 0 as predicted, 1 both sides equal.

    For sideways movements (`Jaw`, `Mouth`) the factor reduces the movement: the mean of both directions is the middle.
    `all` applies to every pair that is not named. Raises CharacterError for an unknown pair or a number outside [0, 1].
    """

    def __init__(self, pulls: Mapping[str, float]) -> None:
        self._own = np.ones(len(CHANNELS_61), np.float32)
        self._others = np.zeros(len(CHANNELS_61), np.float32)
        self._partner = np.arange(len(CHANNELS_61))
        for pair, pull in by_pair(pulls).items():
            left_right = PAIRS[pair]
            self._partner[[*left_right]] = left_right[::-1]
            sideways = pair in _DIRECTIONS
            self._own[[*left_right]] = 1 - pull if sideways else 1 - pull / 2
            self._others[[*left_right]] = 0 if sideways else pull / 2

    def __bool__(self) -> bool:
        """Whether any pair is changed."""
        return bool((self._own != 1).any())

    def __call__(self, poses: Poses) -> Poses:
        """Apply the symmetry: float32 (61,) or (frames, 61), wire order, to a new array of the same shape."""
        pulled: Poses = poses * self._own + np.take(poses, self._partner, axis=-1) * self._others
        return pulled


def by_pair(pulls: object) -> dict[str, float]:
    """Parse a `symmetry` entry, one number or a number per pair: a factor in [0, 1] for each pair that it sets."""
    if isinstance(pulls, int | float) and not isinstance(pulls, bool):
        pulls = {"all": pulls}
    given = entries(
        "symmetry", dict(pulls) if isinstance(pulls, Mapping) else pulls, "a number from 0 to 1, or pairs and theirs"
    )
    names = {known("symmetry: unknown pair", _spelled(name), ("all", *PAIRS)): name for name in given}
    checked = {name: number(f"symmetry of {name}", given[written], 0, 1) for name, written in names.items()}
    everywhere = checked.pop("all", None)
    return checked if everywhere is None else {**dict.fromkeys(PAIRS, everywhere), **checked}


def _spelled(name: object) -> str:
    return "all" if name == "all" else pascal(str(name))
