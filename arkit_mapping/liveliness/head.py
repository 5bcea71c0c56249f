"""Head motion from the voice: small nods on stresses and occasional changes of posture around the centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.liveliness.prosody import VoiceEvents
from arkit_mapping.liveliness.track import Curve, Track, glide, lognormal, poses_of

ANGLES = slice(CHANNELS_61.index("HeadYaw"), CHANNELS_61.index("HeadRoll") + 1)

NOD_RAD = (0.015, 0.045)
"""Pitch of a nod on a weak and on a full stress, radians, 1 to 2.5 degrees. Heads move with a voice's pitch and
loudness (Munhall et al. 2004), and nods accompany and follow the stressed word (Kim, Cvejic & Davis 2014); the sizes
are this project's own choice."""
NOD_S, BACK_S = (0.20, 0.04), (0.45, 0.10)
"""Mean and standard deviation of a nod's way down and back, seconds."""
APART_S = 0.5
"""Shortest time from one nod to the next."""
POSTURE_RAD = (0.045, 0.022, 0.020)
"""Standard deviation of a speaker's posture, radians: yaw, pitch, roll."""
LISTENING = 0.35
"""Factor of the posture of a silent head."""
TURN_S, STAYS_S = (1.6, 0.4), (2.6, 1.2)
"""Duration of a change of posture and time until the next one (mean, standard deviation), seconds; pauses and the
beginning of speech cause one too."""


@dataclass(frozen=True, slots=True)
class HeadMotion:
    """Gain and sign of each axis, and the limit of head motion.

    The sign is not known for every receiver: Unreal's MetaHuman reportedly turns the head by -50, 50 and 50 degrees per
    unit of yaw, pitch and roll. A negative gain inverts an axis. Raises ValueError outside the ranges.
    """

    yaw: float = 1.0
    """Factor of the movement, -4 to 4; 0 keeps the axis still."""
    pitch: float = 1.0
    """As for yaw; at 1, positive pitch is down."""
    roll: float = 1.0
    """As for yaw."""
    limit_rad: float = 0.15
    """Largest angle, 0 to 0.6 radians, approached smoothly."""

    def __post_init__(self) -> None:
        for name in ("yaw", "pitch", "roll"):
            if not abs(getattr(self, name)) <= 4:
                raise ValueError(f"head {name} gain: got {getattr(self, name)!r}, expected a number from -4 to 4")
        if not 0 < self.limit_rad <= 0.6:
            raise ValueError(f"head limit: got {self.limit_rad!r} rad, expected more than 0 and at most 0.6")

    def limited(self, angles: Curve) -> Curve:
        """Apply gains and limit to yaw, pitch and roll, float32 (frames, 3), radians."""
        scaled = angles * np.array([self.yaw, self.pitch, self.roll], np.float32)
        # Roots and quotients are exact to the last bit for one frame and for many; tanh is not.
        return np.asarray(scaled / np.sqrt(1 + (scaled / self.limit_rad) ** 2), np.float32)


class Head:
    """Generates yaw, pitch and roll, radians, before gains and limit."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._nods = Track(1)
        self._posture = Track(3)
        self._nod_from = 0
        self._next = poses_of(lognormal(rng, *STAYS_S))

    def step(self, first: int, voice: VoiceEvents) -> Curve:
        """float32 (frames, 3), radians, for the frames of `voice`; `first` is the number of the first one."""
        events = [(pose, 0, strength) for pose, strength in voice.stresses]
        events += [(pose, 1, 1.0) for pose in voice.starts] + [(pose, 1, LISTENING) for pose in voice.pauses]
        for pose, turns, size in sorted(events):
            self._until(pose, first, voice)
            if turns:
                self._turn(pose, size)
            elif pose >= self._nod_from:
                self._nod(pose, size)
        end = first + len(voice.speaking)
        self._until(end, first, voice)
        head = self._posture.read(first, end - first).copy()
        head[:, 1:2] += self._nods.read(first, end - first)
        return head

    def _until(self, end: int, first: int, voice: VoiceEvents) -> None:
        while self._next < end:
            self._turn(self._next, 1.0 if voice.speaking[self._next - first] else LISTENING)

    def _turn(self, at: int, size: float) -> None:
        target = [size * self._rng.gauss(0.0, spread) for spread in POSTURE_RAD]
        self._posture.follow(at, _continued(self._posture, at, target, lognormal(self._rng, *TURN_S)))
        self._next = at + poses_of(max(1.0, lognormal(self._rng, *STAYS_S)))

    def _nod(self, at: int, strength: float) -> None:
        depth = (NOD_RAD[0] + (NOD_RAD[1] - NOD_RAD[0]) * strength) * lognormal(self._rng, 1.0, 0.3)
        down, back = (lognormal(self._rng, *spread) for spread in (NOD_S, BACK_S))
        self._nods.follow(
            at, np.concatenate([_continued(self._nods, at, [depth], down), glide(depth, 0.0, poses_of(back))])
        )
        self._nod_from = at + math.ceil(APART_S * FRAME_RATE)


def _continued(track: Track, at: int, target: list[float], seconds: float) -> Curve:
    """A curve to the target that continues the track's current value and velocity."""
    now = track.value(at - 1)
    return glide(now, np.array(target, np.float32), poses_of(max(seconds, 0.1)), now - track.value(at - 2))
