"""Colours of the skin and lips, point by point: warmer cheeks, nose and lids, lips that fade into the skin, lashes."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import Floats
from make_face.geometry.fields import bump, smooth
from make_face.geometry.part import linear
from make_face.skin.flesh import Flesh

SKIN, BLUSH, LID, LIP, MOUTH, LASH, RIM = (
    linear(tone) for tone in ("#f1bca0", "#e58f78", "#d99b82", "#cb6f68", "#4a1a1d", "#2a1a17", "#d79080")
)


def colours(flesh: Flesh) -> Floats:
    """(N, 3): linear."""
    both = np.abs(flesh.points) * [1, 0, 0] + flesh.points * [0, 1, 1]
    warm = 0.75 * bump(both, (4.6, -3.3, 6.0), (3.4, 2.8, 4.5)) + 0.7 * bump(both, (0.0, -2.8, 9.2), (2.0, 1.6, 2.5))
    warm += 0.3 * bump(both, (0.0, -9.0, 7.0), (2.5, 1.8, 3.0))
    lid = 0.8 * bump(both, (3.3, 0.6, 7.0), (3.0, 2.4, 4.0))
    tone = mixed(mixed(np.tile(SKIN, (len(both), 1)), BLUSH, warm), LID, lid)
    tone = mixed(tone, LIP, 0.3 * (1 - smooth(flesh.reach, 0.0, 0.35)))
    tone = mixed(tone, LIP, smooth(flesh.over, -0.12, 0.3) * (flesh.over > 0))
    tone = mixed(tone, MOUTH, smooth(flesh.over, 1.1, 1.7))
    tone = mixed(tone, LASH, (flesh.lash > 0).astype(float))
    return mixed(tone, RIM, (flesh.lash < 0).astype(float))


def mixed(base: Floats, tone: Floats, share: Floats) -> Floats:
    """(N, 3): from one colour to another by a share in [0, 1]."""
    return np.asarray(base + (tone - base) * np.clip(share, 0.0, 1.0)[:, None])
