"""One subject's face: what it makes of the mouth that the network predicts. Liveliness, then mood, then character."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.character.character import Character, Closure
from arkit_mapping.character.tongue import behind_lips
from arkit_mapping.liveliness import Liveliness
from arkit_mapping.liveliness.moods import Mood, MoodBlend
from livelink_bridge.core.frames import Weights

_PLAIN = Character()

REST_POSES = 24
"""Poses from the whole face to neutral, and back: 0.4 s."""


class CharacterProvider(Protocol):
    """A character that is being worked on."""

    def current(self) -> Character:
        """The one to wear now; the same object until it changes."""
        ...


class Face:
    """Poses as predicted to poses as they are sent, but for the lip rule. Chunks of any size give the same poses.

    `worn` may be a file, or a page, that is being worked on. `feel` and `rest` may be called from any thread, the
    others from the one that animates.
    """

    def __init__(
        self,
        worn: Character | CharacterProvider = _PLAIN,
        *,
        liveliness: Liveliness | None = None,
        mood: Mood | None = None,
    ) -> None:
        self._worn = worn
        self._liveliness = liveliness
        self._blend = MoodBlend(mood)
        self._wanted = self._blend.mood
        self._character = self._current()
        self._stream = self._character.stream()
        self._resting, self._there = False, 1.0

    @property
    def closure(self) -> Closure:
        """The lip rule this face needs; `auto` is what each receiver expects."""
        return self._character.closure

    @property
    def mood(self) -> Mood:
        """What it goes over to, or is in."""
        return self._wanted

    @property
    def resting(self) -> bool:
        """Whether it is held at neutral, or on its way there."""
        return self._resting

    def feel(self, mood: Mood) -> None:
        """Go over to another mood."""
        self._wanted = mood

    def rest(self, on: bool) -> None:
        """Ease to neutral and stay there, or go on."""
        self._resting = on

    def reset(self) -> None:
        """Begin a new source: the same sound gives the same face again."""
        if self._liveliness:
            self._liveliness.reset()
        self._stream.reset()

    def push(
        self, poses: Weights, level_dbfs: NDArray[np.float32], speaking: NDArray[np.bool_] | None = None
    ) -> Weights:
        """The next poses.

        Parameters
        ----------
        poses : float32 (n, 61) in wire order, what speech does not move at 0; closed lips keep the tongue in
        level_dbfs : float32 (n,), how loud the 1/60 s of sound of each pose is
        speaking : bool (n,), whether somebody speaks, where that is known
        """
        if self._wanted is not self._blend.mood:
            self._blend.to(self._wanted)
        poses = behind_lips(poses)
        if self._liveliness:
            poses = self._liveliness.apply(poses, level_dbfs, speaking)
        if self._blend.moving or self._blend.mood.parts:
            poses = self._blend.apply(poses)
        if self._current() is not self._character:
            self._character = self._current()
            self._stream = self._character.stream()
        return self._rested(self._stream.push(poses))

    def _rested(self, poses: Weights) -> Weights:
        """Poses on their way to neutral, or back; smooth at both ends."""
        step = (-1 if self._resting else 1) / REST_POSES
        there = np.clip(self._there + step * np.arange(1, len(poses) + 1), 0.0, 1.0)
        if not len(poses) or there.min() == 1.0 == self._there:
            return poses
        self._there = float(there[-1])
        return np.asarray(poses * (there * there * (3 - 2 * there))[:, None], np.float32)

    def _current(self) -> Character:
        return self._worn if isinstance(self._worn, Character) else self._worn.current()
