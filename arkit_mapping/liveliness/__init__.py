"""Liveliness: procedural motion for the channels that a speech network leaves at 0: blinks, gaze, brows, breath and,
optionally, the head.

    life = Liveliness(seed=7, head=HeadMotion(yaw=-1.0))
    poses = life.apply(poses, level_dbfs)

All motion consists of events (a blink, a gaze shift, a breath, a stress). Each is drawn from a seeded generator of its
part and stored as a curve when it begins, so frame k is the same for any chunking.
"""

from __future__ import annotations

from arkit_mapping.liveliness.face import Amounts, Liveliness
from arkit_mapping.liveliness.head import HeadMotion

__all__ = ["Amounts", "HeadMotion", "Liveliness"]
