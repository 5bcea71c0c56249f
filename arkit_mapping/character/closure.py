"""Lip rules: the two ways in which receivers interpret MouthClose."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.entries import Poses

LipRule = Literal["arkit", "metahuman"]
"""MouthClose as a shape of its own ("arkit"), or as a ratio of JawOpen ("metahuman")."""

NOISE_GATE = 0.02
"""Weights below this are noise for the lip rule: a fiftieth of the range, less than 1 mm at the lips. At this value and
above, nothing is suppressed."""
SEALED_AT = 0.9
"""A mouthClose of this fraction of jawOpen counts as closed: a network's closures are slightly incomplete, and a gap in
a p is visible."""

JAW_OPEN = CHANNELS_61.index("JawOpen")
MOUTH_CLOSE = CHANNELS_61.index("MouthClose")


def closed_lips(poses: Poses, rule: LipRule) -> Poses:
    """Convert MouthClose to the receiver's rule; every other channel is unchanged.

    `arkit`: MouthClose is a shape of its own and stays as predicted.

    `metahuman`: the MetaHuman rig uses MouthClose / JawOpen, clamped to [0, 1], as the degree of closure, whatever the
    opening, and ignores it at JawOpen 0. As predicted, the noise of a neutral mouth (0.003 over 0.004, then 0.002 over
    0.009) would make that ratio jump. Therefore the ratio is stabilized here, and MouthClose is sent as ratio x
    JawOpen:

    - MouthClose below the gate is attenuated, down to 0, and the ratio is computed with at least the gate's value of
      JawOpen: for a neutral mouth it stays near 0, whatever the noise of both.
    - In the lower half of the gate JawOpen fades the ratio to 0. The rig's own ratio is 0 at JawOpen 0, and a jaw that
      touches 0 occasionally during a closure would make it jump. Nothing is lost: the remaining gap is
      JawOpen x (1 - ratio), less than 0.003 wherever MouthClose seals and is above its own gate.
    - From `SEALED_AT` of JawOpen on the lips are sealed: ratio 1, so p, b and m close fully and stay closed while the
      jaw moves.

    The rule processes each frame independently, so live and offline, in any chunks, give the same lips.

    Parameters
    ----------
    poses
        float32 (..., 61), wire order, MouthClose as predicted.
    rule
        The receiver's rule; ValueError for an unknown one.

    Returns
    -------
    A new array of the same shape
    """
    if rule not in get_args(LipRule):
        raise ValueError(f"got lip rule {rule!r}, expected one of {', '.join(get_args(LipRule))}")
    closed = np.array(poses, dtype=np.float32)
    if rule == "metahuman":
        jaw, close = closed[..., JAW_OPEN], closed[..., MOUTH_CLOSE]
        gated = close * _ease(close / NOISE_GATE)
        ratio = np.minimum(gated / (SEALED_AT * np.maximum(jaw, NOISE_GATE)), 1) * _ease(jaw / (NOISE_GATE / 2))
        closed[..., MOUTH_CLOSE] = ratio * jaw
    return closed


def _ease(part: Poses) -> Poses:
    """Smoothstep: 0 at 0 and below, 1 at 1 and above, flat at both ends."""
    part = np.clip(part, 0, 1)
    smooth: Poses = part * part * (3 - 2 * part)
    return smooth
