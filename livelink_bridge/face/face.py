"""One subject's face: liveliness, then mood, then character are applied to the mouth that the network predicts."""

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

NEUTRAL_FADE_FRAMES = 24
"""Frames from the whole face to neutral, and back: 0.4 s."""


class CharacterProvider(Protocol):
    """A character that may change while it is used: a file or a page that is being edited."""

    def current(self) -> Character:
        """The character to apply now; the same object until it changes."""
        ...


class Face:
    """Predicted frames to frames as they are sent, except for the lip rule. Chunks of any size give the same frames.

    `set_mood` and `hold_neutral` may be called from any thread, the others from the thread that animates.
    """

    def __init__(
        self,
        character: Character | CharacterProvider = _PLAIN,
        *,
        liveliness: Liveliness | None = None,
        mood: Mood | None = None,
    ) -> None:
        """
        Parameters
        ----------
        character : what is applied to every frame, or what provides it
        liveliness : blinks, gaze, brows, breath and head; None adds none
        mood : at first; None is neutral
        """
        self._provider = character
        self._liveliness = liveliness
        self._blend = MoodBlend(mood)
        self._mood = self._blend.mood
        self._character = self._current()
        self._stream = self._character.stream()
        self._held_neutral, self._there = False, 1.0

    @property
    def closure(self) -> Closure:
        """The lip rule that the character asks for; `auto` is what each receiver expects."""
        return self._character.closure

    @property
    def mood(self) -> Mood:
        """The mood it has, or is blending to."""
        return self._mood

    @property
    def held_neutral(self) -> bool:
        """Whether it is held at neutral, or decaying to it."""
        return self._held_neutral

    def set_mood(self, mood: Mood) -> None:
        """Blend to another mood."""
        self._mood = mood

    def hold_neutral(self, on: bool) -> None:
        """Decay to neutral and stay there, or go on."""
        self._held_neutral = on

    def reset(self) -> None:
        """Begin a new source: the same audio gives the same face again."""
        if self._liveliness:
            self._liveliness.reset()
        self._stream.reset()

    def push(
        self, poses: Weights, level_dbfs: NDArray[np.float32], speaking: NDArray[np.bool_] | None = None
    ) -> Weights:
        """The next frames.

        Parameters
        ----------
        poses : float32 (n, 61) in wire order, 0 where speech moves nothing; closed lips keep the tongue in
        level_dbfs : float32 (n,), RMS of the 1/60 s of audio of each frame
        speaking : bool (n,), whether there is speech; None where that is not known

        Returns
        -------
        float32 (n, 61): with liveliness, mood and character, MouthClose as predicted.
        """
        if self._mood is not self._blend.mood:
            self._blend.to(self._mood)
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
        """The frames fading to neutral, or back; smooth at both ends."""
        step = (-1 if self._held_neutral else 1) / NEUTRAL_FADE_FRAMES
        there = np.clip(self._there + step * np.arange(1, len(poses) + 1), 0.0, 1.0)
        if not len(poses) or there.min() == 1.0 == self._there:
            return poses
        self._there = float(there[-1])
        return np.asarray(poses * (there * there * (3 - 2 * there))[:, None], np.float32)

    def _current(self) -> Character:
        return self._provider if isinstance(self._provider, Character) else self._provider.current()
