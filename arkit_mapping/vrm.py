"""Computes the preset expressions of VRM 0 avatars from ARKit's shapes, for models without the 52 ("Perfect Sync").

The vowels share one mouth: its roundness selects between U, O and the others, the opening of the jaw between U and O
and between I, E and A, the width between A and E. Their sum never exceeds 1, and closed lips give no vowel but U. The
formulas are this project's own and were set by eye, not measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import index_of

EXPRESSIONS: tuple[str, ...] = ("A", "I", "U", "E", "O", "Blink", "Blink_L", "Blink_R")
"""VRM 0's names. VRM 1 calls them aa, ih, ou, ee, oh, blink, blinkLeft and blinkRight."""

FULL_OPEN = 0.5
"""JawOpen minus MouthClose of a spoken A; jaws open further only in a shout or a yawn."""
FULL_ROUND = 0.7
"""MouthPucker plus MouthFunnel of a U or O."""
FULL_WIDE = 0.5
"""MouthStretch plus half of MouthSmile and MouthDimple, mean of both sides, of an I or E."""
FULL_PARTED = 0.25
"""MouthLowerDown and MouthUpperUp, mean of all four, of an I; a closed smile has less."""

_MOUTH = np.array([index_of(name) for name in ("JawOpen", "MouthClose", "MouthPucker", "MouthFunnel")], np.intp)
_PAIRS = ("MouthStretch", "MouthSmile", "MouthDimple", "MouthLowerDown", "MouthUpperUp", "EyeBlink")
_SIDES = np.array([index_of(name + side) for name in _PAIRS for side in ("Left", "Right")], np.intp)


def expressions(pose: NDArray[np.float32]) -> NDArray[np.float32]:
    """VRM expressions of one frame.

    Blink is the part common to both lids, Blink_L and Blink_R the excess of one lid, as avatars add the three.

    Parameters
    ----------
    pose
        float32 (61,) in wire order.

    Returns
    -------
    float32 (8,), in [0, 1], in the order of EXPRESSIONS
    """
    jaw, close, pucker, funnel = pose.take(_MOUTH).tolist()
    sides = pose.take(_SIDES).tolist()
    stretch, smile, dimple, lower, upper = (_mean(sides[at], sides[at + 1]) for at in range(0, 10, 2))
    left, right = sides[10:]
    both = min(left, right)
    vowels = _vowels(
        opened=_part(jaw - close, FULL_OPEN),
        rounded=_part(pucker + funnel, FULL_ROUND),
        wide=_part(stretch + (smile + dimple) / 2, FULL_WIDE),
        parted=_part(_mean(lower, upper), FULL_PARTED),
    )
    return np.array([*vowels, both, left - both, right - both], np.float32)


def _mean(one: float, other: float) -> float:
    return (one + other) / 2


def _part(value: float, full: float) -> float:
    return min(max(value / full, 0.0), 1.0)


def _vowels(*, opened: float, rounded: float, wide: float, parted: float) -> tuple[float, float, float, float, float]:
    """A, I, U, E and O of parts in [0, 1]."""
    spread = 1 - rounded
    return (
        spread * opened * (1 - wide),
        spread * (1 - opened) * wide * parted,
        rounded * (1 - opened),
        spread * opened * wide,
        rounded * opened,
    )
