"""Combines the parts of liveliness and adds them to frames."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT
from arkit_mapping.liveliness import breath, brows, eyes, head
from arkit_mapping.liveliness.blinks import Blinks
from arkit_mapping.liveliness.breath import Breath
from arkit_mapping.liveliness.brows import Brows
from arkit_mapping.liveliness.gaze import Gaze
from arkit_mapping.liveliness.head import Head, HeadMotion
from arkit_mapping.liveliness.prosody import Prosody

Poses = NDArray[np.float32]
"""float32 (n, 61), wire order."""

_PITCH = CHANNELS_61.index("HeadPitch") - head.ANGLES.start


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amount of each part, 0 (none) to 3; 1 is human. Raises ValueError outside."""

    blinks: float = 1.0
    """Factor of the rate."""
    gaze: float = 1.0
    """Factor of the angles."""
    brows: float = 1.0
    """Factor of the height."""
    breath: float = 1.0
    """Factor of the depth."""

    def __post_init__(self) -> None:
        for part in fields(self):
            if not 0 <= getattr(self, part.name) <= 3:
                raise ValueError(
                    f"amount of {part.name}: got {getattr(self, part.name)!r}, expected a number from 0 to 3"
                )


class Liveliness:
    """Adds blinks, gaze, brows, breath and, optionally, head motion to the frames of a speech network.

    Deterministic: the same seed, frames and levels give the same face, for any chunking. It never changes JawOpen or
    any Mouth channel, so lips close as predicted.
    """

    def __init__(self, seed: int | None, *, amounts: Amounts | None = None, head: HeadMotion | None = None) -> None:
        """
        Parameters
        ----------
        seed
            Seed of the random generators; None turns liveliness off.
        amounts
            Amount of each part; default: 1.
        head
            Head motion; None keeps the head still.
        """
        self.seed = seed
        self._amounts = amounts or Amounts()
        self._motion = head
        self.reset()

    def reset(self) -> None:
        """Restart at frame 0, as new."""
        self._next = 0
        self._prosody = Prosody()
        self._blinks = Blinks(self._rng("blinks"), self._amounts.blinks)
        self._gaze = Gaze(self._rng("gaze"), self._amounts.gaze)
        self._brows = Brows(self._rng("brows"), self._amounts.brows)
        self._breath = Breath(self._rng("breath"), self._amounts.breath)
        self._head = Head(self._rng("head"))

    def apply(
        self,
        poses: Poses,
        level_dbfs: NDArray[np.floating],
        speaking: NDArray[np.bool_] | None = None,
        *,
        gain: float | NDArray[np.floating] = 1.0,
    ) -> Poses:
        """Add liveliness to the next frames; returns a new array, or `poses` itself when it is off.

        Parameters
        ----------
        poses
            float32 (n, 61), wire order, as remapped from the network; n may be 0.
        level_dbfs
            float (n,): RMS level of the 1/60 s of audio of each frame, dBFS; -inf is silence.
        speaking
            bool (n,): voice activity, if known; otherwise it is detected from the level. Gaps under 0.2 s are bridged
            here.
        gain
            0 to 1, one number or float (n,): factor of the motion added. Time advances at 0 too.

        Raises
        ------
        ValueError
            The shapes do not match.
        """
        if self.seed is None or not len(poses):
            return poses
        _check(poses, level_dbfs=level_dbfs, speaking=speaking)
        motion = self._motion_of(level_dbfs, speaking)
        motion *= np.asarray(gain, np.float32)[..., None]
        alive = poses + motion
        # Use the larger of both weights: two raises of the brows do not add up to a higher one.
        np.maximum(poses[:, :SHAPE_COUNT], motion[:, :SHAPE_COUNT], out=alive[:, :SHAPE_COUNT])
        return alive

    def _motion_of(self, level_dbfs: NDArray[np.floating], speaking: NDArray[np.bool_] | None) -> Poses:
        """Motion of a neutral face during the next frames, float32 (n, 61)."""
        first = self._next
        self._next += len(level_dbfs)
        motion = np.zeros((len(level_dbfs), len(CHANNELS_61)), np.float32)
        voice = self._prosody.push(first, level_dbfs, speaking)
        look, shifts = self._gaze.step(first, voice)
        motion[:, eyes.SHAPES], motion[:, eyes.ANGLES] = look[:, :14], look[:, 14:]
        closure = self._blinks.step(first, voice, shifts)
        if closure.any():
            eyes.close(motion[:, eyes.SHAPES], closure)
        motion[:, brows.SHAPES] = self._brows.step(first, voice)
        air = self._breath.step(first, voice)
        motion[:, breath.NOSE] = breath.NOSTRILS * air[:, :1]
        if self._motion:
            angles = self._head.step(first, voice)
            angles[:, _PITCH] -= breath.LIFT_RAD * air[:, 1]
            motion[:, head.ANGLES] = self._motion.limited(angles)
        return motion

    def _rng(self, part: str) -> Random:
        """A separate generator per part: changing or disabling one part does not change the others."""
        return Random(f"{self.seed} {part}")


def _check(poses: Poses, **tracks: NDArray[np.generic] | None) -> None:
    if poses.ndim != 2 or poses.shape[1] != len(CHANNELS_61):
        raise ValueError(f"got poses of shape {poses.shape}, expected (n, {len(CHANNELS_61)})")
    for name, track in tracks.items():
        if track is not None and track.shape != (len(poses),):
            raise ValueError(f"got {name} of shape {track.shape}, expected ({len(poses)},) as there are poses")
