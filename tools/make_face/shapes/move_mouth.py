"""The lips: each blend shape as a movement of the lip line, the red and the skin that follows. The left of each
pair."""

from __future__ import annotations

import numpy as np

from make_face.geometry.anatomy import LOWER_LIP, MOUTH_WIDTH, UPPER_LIP, Floats, seam
from make_face.geometry.fields import bump, smooth
from make_face.skin.flesh import Flesh

Triple = tuple[float, float, float]


class Mouth:
    """The values of a flesh that this file uses: all (N,)."""

    def __init__(self, flesh: Flesh) -> None:
        self.points = flesh.points
        self.across, self.above, self.reach = flesh.across, flesh.above, flesh.reach
        self.fade = flesh.fade
        self.over = np.minimum(flesh.over, 1.0)
        self.behind = np.maximum(flesh.over - 1.0, 0.0)
        self.arch = np.abs(self.above) ** 0.7
        self.upper, self.lower = self.arch * (self.above > 0), self.arch * (self.above < 0)
        self.corner = np.maximum(self.across, 0.0) ** 1.7
        self.left = smooth(self.across, -0.45, 0.95)
        self.height = np.clip(flesh.points[:, 1] - seam(MOUTH_WIDTH * flesh.across), -1.6, 1.6)

    def near(self, reach: float) -> Floats:
        """1 on the lips, 0 from `reach` cm outside on and deep in the mouth."""
        return np.asarray((1.0 - smooth(self.reach, 0.0, reach)) * self.fade)

    def move(self, reach: float, x: Floats | float = 0.0, y: Floats | float = 0.0, z: Floats | float = 0.0) -> Floats:
        """(N, 3): a movement of the lips that fades over `reach` cm of skin."""
        near = self.near(reach)
        return np.stack([near * x, near * y, near * z], axis=1)

    def swell(self, centre: Triple, radii: Triple, move: Triple) -> Floats:
        """(N, 3): a soft bump of the skin moved; nothing on the lips."""
        outside = smooth(self.reach, 0.0, 0.8)
        return np.asarray((bump(self.points, centre, radii) * outside)[:, None] * np.asarray(move))


def moves(flesh: Flesh) -> dict[str, Floats]:
    """(N, 3) by name: the movements of the lips and the skin around them."""
    mouth = Mouth(flesh)
    return rounding(mouth) | corners(mouth) | rolls(mouth) | shrugs(mouth) | parting(mouth) | cheeks(mouth)


def rounding(m: Mouth) -> dict[str, Floats]:
    """Pucker: small closed lips pushed out. Funnel: an open ring, the lips turned outwards. mouthLeft: all to the
    left."""
    ring = 1.0 - 0.35 * np.abs(m.across)
    droop = 0.26 * m.across**2
    pucker = m.move(3.4, -1.27 * m.across, 0.25 * m.height - 0.05 * m.arch - droop) + m.move(4.6, 0.0, 0.0, ring)
    inner = smooth(m.over, 0.3, 1.0)
    part = 0.36 * m.upper - 0.6 * m.lower
    flare = part * (1.0 - 0.12 * m.over) + 0.05 * m.height - droop
    funnel = m.move(3.3, -0.65 * m.across, flare) + m.move(
        4.4, 0.0, 0.0, ring * (0.85 + 0.22 * inner) - 0.15 * m.behind
    )
    bend = -0.12 * m.across - 0.12 * m.across**2
    left = m.move(3.4, 0.95 - 0.12 * m.across, 0.1 * m.across, bend)
    return {"mouthPucker": pucker, "mouthFunnel": funnel, "mouthLeft": left}


def corners(m: Mouth) -> dict[str, Floats]:
    """(N, 3) by name: smile, frown, dimple, stretch and press of the left side."""
    thin = -0.18 * m.height * m.left
    bow = np.maximum(m.across, 0.0) ** 2.3
    smile = m.move(3.2, 0.95 * m.corner, 1.0 * bow + 0.6 * thin, -0.5 * m.corner - 0.08 * m.left)
    smile += m.swell((4.3, -3.2, 6.0), (2.6, 2.2, 3.0), (0.12, 0.42, 0.3))
    frown = m.move(3.0, 0.12 * m.corner, -0.95 * bow + 0.6 * thin, -0.2 * m.corner)
    dimple = m.move(2.4, 0.62 * m.corner, 0.12 * m.corner + thin, -0.5 * m.corner)
    dimple += m.swell((3.7, -5.7, 6.5), (1.2, 1.5, 2.5), (-0.05, 0.0, -0.6))
    stretch = m.move(3.2, 1.1 * m.corner, -0.3 * m.corner + 1.4 * thin, -0.5 * m.corner)
    press = m.move(1.6, 0.12 * m.corner, -0.75 * m.height * m.left, -0.2 * m.left * m.arch)
    press += m.swell((1.5, -7.4, 8.0), (1.6, 0.8, 2.0), (0.0, 0.05, 0.14))
    named = {"Smile": smile, "Frown": frown, "Dimple": dimple, "Stretch": stretch, "Press": press}
    return {f"mouth{name}Left": move for name, move in named.items()}


def rolls(m: Mouth) -> dict[str, Floats]:
    """A lip turned in over its teeth: its border comes to the line where the lips meet, its red goes behind that."""
    back = np.sin(np.pi * np.minimum(0.5, m.over))
    lower = m.move(1.5, 0.0, m.lower * LOWER_LIP * (0.25 + 0.77 * (1 - m.over)), -m.lower * (0.1 + 0.62 * back))
    upper = m.move(1.3, 0.0, -m.upper * UPPER_LIP * (0.9 * (1 - m.over)), -m.upper * (0.08 + 0.55 * back))
    return {"mouthRollLower": lower, "mouthRollUpper": upper}


def shrugs(m: Mouth) -> dict[str, Floats]:
    """The chin pushes the lower lip up and out; the upper lip is drawn up. The lips stay together."""
    meet = smooth(m.over, 0.0, 1.0)
    rise = 0.5 * m.lower + (0.22 + 0.28 * meet) * m.upper
    lower = m.move(2.0, 0.0, rise, 0.34 * m.lower * (1 - meet) + (0.08 + 0.14 * meet) * m.arch)
    lower += m.swell((0.0, -8.6, 7.2), (2.4, 1.8, 3.0), (0.0, 0.5, 0.18))
    rise = 0.5 * m.upper + (0.15 + 0.35 * meet) * m.lower
    upper = m.move(1.8, 0.0, rise, 0.32 * m.upper * (1 - meet) + (0.06 + 0.14 * meet) * m.arch)
    return {"mouthShrugLower": lower, "mouthShrugUpper": upper}


def parting(m: Mouth) -> dict[str, Floats]:
    """One side of the lower lip drawn down, of the upper lip drawn up, so that teeth show."""
    side = smooth(m.across, -0.6, 0.6) * m.arch ** (0.5)
    down = m.move(2.2, 0.1 * side * m.lower, -0.95 * side * m.lower, -0.08 * side * m.lower)
    up = m.move(2.2, 0.08 * side * m.upper, 0.85 * side * m.upper, 0.05 * side * m.upper)
    up += m.swell((1.5, -3.6, 8.0), (1.6, 1.5, 2.5), (0.1, 0.22, 0.06))
    return {"mouthLowerDownLeft": down, "mouthUpperUpLeft": up}


def cheeks(m: Mouth) -> dict[str, Floats]:
    """Blown cheeks, a cheek raised under the eye, a wrinkled nose."""
    puff = m.swell((4.6, -5.6, 5.0), (3.4, 3.0, 4.0), (0.95, 0.0, 0.75))
    puff += m.swell((-4.6, -5.6, 5.0), (3.4, 3.0, 4.0), (-0.95, 0.0, 0.75))
    puff += m.move(2.0, -0.1 * m.across, 0.0, 0.22)
    squint = m.swell((4.0, -2.6, 6.5), (3.0, 2.1, 4.0), (0.1, 0.75, 0.55))
    sneer = m.swell((1.25, -2.7, 8.4), (1.5, 1.5, 2.6), (0.15, 0.8, 0.1)) + m.swell(
        (1.1, -0.4, 8.0), (1.5, 2.0, 2.5), (-0.05, 0.3, 0.2)
    )
    side = smooth(m.across, -0.5, 0.6)
    sneer += m.move(1.8, 0.0, 0.28 * side * m.upper, 0.0)
    return {"cheekPuff": puff, "cheekSquintLeft": squint, "noseSneerLeft": sneer}
