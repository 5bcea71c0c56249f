"""Head motion from the voice: small nods on stresses, another posture now and then, always around the centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.liveliness.prosody import Heard
from arkit_mapping.liveliness.track import Curve, Track, glide, lognormal, poses_of

ANGLES = slice(CHANNELS_61.index("HeadYaw"), CHANNELS_61.index("HeadRoll") + 1)

NOD_RAD = (0.015, 0.045)
"""Pitch of a nod on a weak and on a full stress, 1 to 2.5 degrees. Heads move with a voice's pitch and loudness
(Munhall et al. 2004) and nods come with and after the word that stands out (Kim, Cvejic & Davis 2014); the sizes are
ours."""
NOD_S, BACK_S = (0.20, 0.04), (0.45, 0.10)
APART_S = 0.5
"""From one nod to the next."""
POSTURE_RAD = (0.045, 0.022, 0.020)
"""Standard deviation of a speaker's posture: yaw, pitch, roll."""
LISTENING = 0.35
"""A silent head keeps this much nearer the centre."""
TURN_S, STAYS_S = (1.6, 0.4), (2.6, 1.2)
"""How long a turn to another posture takes and how long until the next one begins; pauses and beginnings bring one
too."""


@dataclass(frozen=True, slots=True)
class HeadMotion:
    """Gain and sign of each axis, and how far the head may go.

    Which way is positive is not certain for every receiver: Unreal's MetaHuman is said to turn the head by -50, 50 and
    50 degrees per unit of yaw, pitch and roll. A negative gain turns an axis round. Raises ValueError outside the
    ranges.
    """

    yaw: float = 1.0
    pitch: float = 1.0
    roll: float = 1.0
    """Times the movement, -4 to 4; 0 keeps the axis still. At 1, positive pitch is meant as down."""
    limit_rad: float = 0.15
    """No angle is larger, 0 to 0.6 radians; it is neared smoothly."""

    def __post_init__(self) -> None:
        for name in ("yaw", "pitch", "roll"):
            if not abs(getattr(self, name)) <= 4:
                raise ValueError(f"head {name} gain: got {getattr(self, name)!r}, expected a number from -4 to 4")
        if not 0 < self.limit_rad <= 0.6:
            raise ValueError(f"head limit: got {self.limit_rad!r} rad, expected more than 0 and at most 0.6")

    def limited(self, angles: Curve) -> Curve:
        """Yaw, pitch and roll, float32 (poses, 3), with gains and limit."""
        gained = angles * np.array([self.yaw, self.pitch, self.roll], np.float32)
        # Roots and quotients are exact to the last bit for one pose and for many; tanh is not.
        return np.asarray(gained / np.sqrt(1 + (gained / self.limit_rad) ** 2), np.float32)


class Head:
    """Yaw, pitch and roll, radians, before gains and limit."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._nods = Track(1)
        self._posture = Track(3)
        self._nod_from = 0
        self._next = poses_of(lognormal(rng, *STAYS_S))

    def step(self, first: int, heard: Heard) -> Curve:
        """float32 (poses, 3)."""
        events = [(pose, 0, strength) for pose, strength in heard.stresses]
        events += [(pose, 1, 1.0) for pose in heard.starts] + [(pose, 1, LISTENING) for pose in heard.pauses]
        for pose, turns, size in sorted(events):
            self._until(pose, first, heard)
            if turns:
                self._turn(pose, size)
            elif pose >= self._nod_from:
                self._nod(pose, size)
        end = first + len(heard.speaking)
        self._until(end, first, heard)
        head = self._posture.read(first, end - first).copy()
        head[:, 1:2] += self._nods.read(first, end - first)
        return head

    def _until(self, end: int, first: int, heard: Heard) -> None:
        while self._next < end:
            self._turn(self._next, 1.0 if heard.speaking[self._next - first] else LISTENING)

    def _turn(self, at: int, size: float) -> None:
        target = [size * self._rng.gauss(0.0, spread) for spread in POSTURE_RAD]
        self._posture.follow(at, _onwards(self._posture, at, target, lognormal(self._rng, *TURN_S)))
        self._next = at + poses_of(max(1.0, lognormal(self._rng, *STAYS_S)))

    def _nod(self, at: int, strength: float) -> None:
        depth = (NOD_RAD[0] + (NOD_RAD[1] - NOD_RAD[0]) * strength) * lognormal(self._rng, 1.0, 0.3)
        down, back = (lognormal(self._rng, *spread) for spread in (NOD_S, BACK_S))
        self._nods.follow(
            at, np.concatenate([_onwards(self._nods, at, [depth], down), glide(depth, 0.0, poses_of(back))])
        )
        self._nod_from = at + math.ceil(APART_S * FRAME_RATE)


def _onwards(track: Track, at: int, target: list[float], seconds: float) -> Curve:
    """From where the track is and as fast as it moves there, to the target."""
    now = track.value(at - 1)
    return glide(now, np.array(target, np.float32), poses_of(max(seconds, 0.1)), now - track.value(at - 2))
