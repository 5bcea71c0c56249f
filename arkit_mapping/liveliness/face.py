"""The parts together on a pose."""

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
    """How much of each part, 0 (none) to 3; 1 is human. ValueError outside."""

    blinks: float = 1.0
    """Times the rate."""
    gaze: float = 1.0
    """Times the angles."""
    brows: float = 1.0
    """Times the height."""
    breath: float = 1.0
    """Times the depth."""

    def __post_init__(self) -> None:
        for part in fields(self):
            if not 0 <= getattr(self, part.name) <= 3:
                raise ValueError(
                    f"amount of {part.name}: got {getattr(self, part.name)!r}, expected a number from 0 to 3"
                )


class Liveliness:
    """Blinks, gaze, brows, breath and, if asked, head motion over poses that a speech network made.

    Seeded: the same seed, poses and levels give the same face, in whatever portions they come. With seed None it is off
    and gives back what it gets. It never touches JawOpen or any Mouth channel, so lips close as they were predicted.
    """

    def __init__(self, seed: int | None, *, amounts: Amounts | None = None, head: HeadMotion | None = None) -> None:
        self.seed = seed
        self._amounts = amounts or Amounts()
        self._motion = head
        self.reset()

    def reset(self) -> None:
        """Begin again at pose 0, as new."""
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
        """The next poses, alive; a new array, unless off.

        Parameters
        ----------
        poses
            float32 (n, 61), wire order, as remapped from the network; n may be 0.
        level_dbfs
            float (n,): RMS level of the 1/60 s of sound that belongs to each pose, dB below full scale; -inf is
            silence.
        speaking
            bool (n,): where there is voice, if it is known; else the level tells. Gaps under 0.2 s are bridged here.
        gain
            0 to 1, one number or float (n,): how much of all this is added. Time goes on at 0.

        Raises
        ------
        ValueError
            The shapes do not fit.
        """
        if self.seed is None or not len(poses):
            return poses
        _check(poses, level_dbfs=level_dbfs, speaking=speaking)
        more = self._more(level_dbfs, speaking)
        more *= np.asarray(gain, np.float32)[..., None]
        alive = poses + more
        # Whatever the network gave stays where it is the larger: two raised brows do not make a higher one.
        np.maximum(poses[:, :SHAPE_COUNT], more[:, :SHAPE_COUNT], out=alive[:, :SHAPE_COUNT])
        return alive

    def _more(self, level_dbfs: NDArray[np.floating], speaking: NDArray[np.bool_] | None) -> Poses:
        """What a face at rest does during the next poses, float32 (n, 61)."""
        first = self._next
        self._next += len(level_dbfs)
        more = np.zeros((len(level_dbfs), len(CHANNELS_61)), np.float32)
        heard = self._prosody.hear(first, level_dbfs, speaking)
        look, shifts = self._gaze.step(first, heard)
        more[:, eyes.SHAPES], more[:, eyes.ANGLES] = look[:, :14], look[:, 14:]
        closure = self._blinks.step(first, heard, shifts)
        if closure.any():
            eyes.close(more[:, eyes.SHAPES], closure)
        more[:, brows.SHAPES] = self._brows.step(first, heard)
        air = self._breath.step(first, heard)
        more[:, breath.NOSE] = breath.NOSTRILS * air[:, :1]
        if self._motion:
            turned = self._head.step(first, heard)
            turned[:, _PITCH] -= breath.LIFT_RAD * air[:, 1]
            more[:, head.ANGLES] = self._motion.limited(turned)
        return more

    def _rng(self, part: str) -> Random:
        """A generator of the part's own: switching one part off, or changing its numbers, leaves the others as they
        were."""
        return Random(f"{self.seed} {part}")


def _check(poses: Poses, **tracks: NDArray[np.generic] | None) -> None:
    if poses.ndim != 2 or poses.shape[1] != len(CHANNELS_61):
        raise ValueError(f"got poses of shape {poses.shape}, expected (n, {len(CHANNELS_61)})")
    for name, track in tracks.items():
        if track is not None and track.shape != (len(poses),):
            raise ValueError(f"got {name} of shape {track.shape}, expected ({len(poses)},) as there are poses")
