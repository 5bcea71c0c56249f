"""The rest of a living face: what a speech network leaves at 0. Blinks, gaze, brows, breath and, where asked, the head.

    life = Liveliness(seed=7, head=HeadMotion(yaw=-1.0))
    poses = life.apply(poses, level_dbfs)

Everything happens at events (a blink, a shift of the eyes, a breath, a stress), each drawn from a seeded generator of
its part and written down as a curve when it begins. So pose k is the same in whatever portions the poses come.
"""

from __future__ import annotations

from arkit_mapping.liveliness.face import Amounts, Liveliness
from arkit_mapping.liveliness.head import HeadMotion

__all__ = ["Amounts", "HeadMotion", "Liveliness"]
