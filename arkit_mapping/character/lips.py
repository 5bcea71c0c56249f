"""How far a pose's lips are apart, for whatever must not come between lips that are meant to touch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61

APART = 0.1
"""JawOpen less MouthClose from which lips count as fully apart; the smallest vowels open by 0.1 or more."""
PRESSED, ROLLED = 0.25, 0.22
"""MouthPress, and MouthRollLower or MouthRollUpper, at which lips are shut whatever the jaw does: a p has 0.2 and
0.1-0.15 with hardly any opening, an f a rolled lower lip of 0.3 on the teeth."""

_JAW, _CLOSE, _ROLL_LOWER, _ROLL_UPPER, _PRESS_LEFT, _PRESS_RIGHT = (
    CHANNELS_61.index(name)
    for name in ("JawOpen", "MouthClose", "MouthRollLower", "MouthRollUpper", "MouthPressLeft", "MouthPressRight")
)


def openness(poses: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 where the lips touch or rest on each other, 1 where they are clearly apart: float32 (...) for float32 (...,
    61), MouthClose as predicted. Smooth in between, and a pose at a time."""
    apart = (poses[..., _JAW] - poses[..., _CLOSE]) / APART
    pressed = np.minimum(poses[..., _PRESS_LEFT], poses[..., _PRESS_RIGHT]) / PRESSED
    rolled = np.maximum(poses[..., _ROLL_LOWER], poses[..., _ROLL_UPPER]) / ROLLED
    part = np.minimum(np.maximum(np.array([apart, 1 - pressed, 1 - rolled]), 0), 1)
    part *= part * (3 - 2 * part)
    opened: NDArray[np.float32] = part[0] * part[1] * part[2]
    return opened
