"""How lips close: the two rules by which receivers understand MouthClose."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.entries import Poses

LipRule = Literal["arkit", "metahuman"]

NOISE_GATE = 0.02
"""Weights below this are noise to the lip rule: a fiftieth of the range, under 1 mm at the lips. At it, nothing is held
back."""
SEALED_AT = 0.9
"""A mouthClose of this share of jawOpen is meant as closed: a network's closures fall a little short, and a slit in a p
shows."""

JAW_OPEN = CHANNELS_61.index("JawOpen")
MOUTH_CLOSE = CHANNELS_61.index("MouthClose")


def closed_lips(poses: Poses, rule: LipRule) -> Poses:
    """The same poses with MouthClose as the receiver understands it; a new array, every other channel untouched.

    `arkit`: MouthClose is a shape of its own and stays as predicted.

    `metahuman`: the MetaHuman rig takes MouthClose / JawOpen, cut to [0, 1], as how far the lips are together, whatever
    the opening, and takes nothing from it at JawOpen 0. Sent as predicted, a resting mouth's noise (0.003 over 0.004,
    then 0.002 over 0.009) would throw that ratio about. So the ratio is made steady here and MouthClose is sent as
    ratio x JawOpen:

    - MouthClose below the gate counts for less, down to nothing, and the ratio is taken to no less than the gate's
      worth of
      jaw: at rest it stays near 0 however both tremble.
    - In the lower half of the gate JawOpen fades the ratio to 0. The rig's own ratio is 0 at JawOpen 0, and a jaw that
      touches 0 now and then during a closure would make it leap. Nothing is lost: what lips stay apart by is
      JawOpen x (1 - ratio), here under 0.003 wherever MouthClose seals and is above its own gate.
    - From `SEALED_AT` of JawOpen up the lips are sealed: ratio 1, so p, b and m close fully and stay closed while the
      jaw moves.

    The rule looks at one frame at a time, so live and offline, in any chunks, give the same lips.
    """
    if rule not in get_args(LipRule):
        raise ValueError(f"got lip rule {rule!r}, expected one of {', '.join(get_args(LipRule))}")
    closed = np.array(poses, dtype=np.float32)
    if rule == "metahuman":
        jaw, close = closed[..., JAW_OPEN], closed[..., MOUTH_CLOSE]
        meant = close * _ease(close / NOISE_GATE)
        ratio = np.minimum(meant / (SEALED_AT * np.maximum(jaw, NOISE_GATE)), 1) * _ease(jaw / (NOISE_GATE / 2))
        closed[..., MOUTH_CLOSE] = ratio * jaw
    return closed


def _ease(part: Poses) -> Poses:
    """0 at 0 and below, 1 at 1 and above, smooth and flat at both ends."""
    part = np.clip(part, 0, 1)
    smooth: Poses = part * part * (3 - 2 * part)
    return smooth
