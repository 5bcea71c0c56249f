"""Moods: offsets per channel, added to speech, that keep closed lips closed.

    mood = Mood.parse("happy:0.4, surprised:0.2")
    poses = apply(poses, mood)

A mood is applied to the frames of a network, before a character's gain and limits. The numbers are in `moods.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Self

import numpy as np
import yaml
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, nearest
from arkit_mapping.character.lips import openness

Poses = NDArray[np.float32]
"""float32 (..., 61), wire order."""

DEFAULT_INTENSITY = 0.5
"""Intensity of a mood given without one."""
GLIDE_POSES = 24
"""Frames of a transition, 0.4 s; a spontaneous smile takes about half a second to its peak (Schmidt, Cohn & Tian
2003)."""

_EYE = CHANNELS_61.index("EyeBlinkRight")
_BLINKS = slice(CHANNELS_61.index("EyeBlinkLeft"), _EYE + 1, _EYE)
_WIDES = slice(CHANNELS_61.index("EyeWideLeft"), CHANNELS_61.index("EyeWideRight") + 1, _EYE)
_PART = re.compile(r"\s*(?P<name>[^:\s]+)\s*(?::\s*(?P<intensity>\S+)\s*)?")


class MoodError(ValueError):
    """An unknown mood, or an intensity out of range. The text is one line for the user; `expected` is the part that
    states what is valid."""

    def __init__(self, got: str, expected: str) -> None:
        super().__init__(f"mood: got {got!r}, expected {expected}")
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Mood:
    """One mood or several at once. `Mood()` is neutral and changes nothing. Raises MoodError for an unknown name or
    an invalid intensity."""

    parts: tuple[tuple[str, float], ...] = ()
    """(name, intensity): each name once, intensity 0 to 1."""

    def __post_init__(self) -> None:
        names = [name for name, _ in self.parts]
        for name, intensity in self.parts:
            if name not in names_of_moods():
                raise MoodError(
                    str(self), f"{', '.join(names_of_moods())}, alone or joined by commas{_suggestion(name)}"
                )
            if names.count(name) > 1:
                raise MoodError(str(self), f"each mood once, and {name} is there twice")
            if not 0 <= intensity <= 1:
                raise MoodError(str(self), f"an intensity from 0 to 1, as in {name}:0.4")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `happy`, `happy:0.4` or several joined by commas; 0.5 without an intensity. Letter case and spaces are
        ignored. Raises MoodError."""
        try:
            return cls(tuple(_parsed(part) for part in text.split(",")))
        except MoodError as error:
            raise MoodError(text, error.expected) from None  # with the complete text as given

    def __str__(self) -> str:
        """The mood in the format of `parse`."""
        return ",".join(f"{name}:{intensity:g}" for name, intensity in self.parts) or "neutral"

    @property
    def offsets(self) -> NDArray[np.float32]:
        """float32 (61,), wire order, 0 to 1, read-only: offsets for a neutral face, of open and of closed lips
        together."""
        return _offsets(self)


def names_of_moods() -> tuple[str, ...]:
    """The names that `Mood.parse` accepts."""
    return tuple(_data()["moods"])


def apply(poses: Poses, mood: Mood) -> Poses:
    """Apply a mood to frames.

    An offset is a fraction of the remaining range up to 1, so weights in [0, 1] stay there and a shape that speech
    already uses moves less. Where lips touch (`arkit_mapping.character.lips.openness` 0), shapes that would open them
    are suppressed, JawOpen above all, while corners, cheeks, eyes and brows still move; MouthClose never changes.
    Closing eyes do not widen.

    Parameters
    ----------
    poses
        float32 (61,) or (n, 61), wire order, MouthClose as predicted.
    mood
        The mood.

    Returns
    -------
    A new array of the same shape
    """
    return _with_offsets(poses, mood.offsets)


class MoodBlend:
    """A mood that may change at any frame, with a transition of 0.4 s. Not thread-safe: call `to` on the thread that
    applies it."""

    def __init__(self, mood: Mood | None = None) -> None:
        self.mood = mood or Mood()
        self._from = self._to = self.mood.offsets
        self._age = GLIDE_POSES

    @property
    def moving(self) -> bool:
        """Whether a transition is in progress."""
        return self._age < GLIDE_POSES

    def to(self, mood: Mood) -> None:
        """Start a transition to `mood` with the next frame, from the current state."""
        if mood == self.mood:
            return
        self._from = self._between(np.array([self._age]))[0]
        self.mood, self._to, self._age = mood, mood.offsets, 0

    def apply(self, poses: Poses) -> Poses:
        """Apply the current mood to the next frames, float32 (n, 61), wire order; returns a new array. Any chunking
        gives the same frames."""
        if self._age == GLIDE_POSES:
            return _with_offsets(poses, self._to)
        ages = self._age + np.arange(1, len(poses) + 1)
        self._age = min(self._age + len(poses), GLIDE_POSES)
        return _with_offsets(poses, self._between(ages))

    def _between(self, ages: NDArray[np.int64]) -> Poses:
        part = np.minimum(ages / GLIDE_POSES, 1)[:, None]
        part = (part * part * (3 - 2 * part)).astype(np.float32)
        blended: Poses = (1 - part) * self._from + part * self._to
        return blended


def _with_offsets(poses: Poses, offsets: Poses) -> Poses:
    if not offsets.any():
        return np.array(poses, np.float32)
    shut, opened = _shares()
    share = shut + opened * openness(poses)[..., None]
    left = 1 - poses
    share[..., _WIDES] *= left[..., _BLINKS]
    moody: Poses = poses + offsets * share * left
    return moody


def _parsed(part: str) -> tuple[str, float]:
    match = _PART.fullmatch(part)
    if not match:
        raise MoodError(part.strip(), "a name or name:intensity, such as happy:0.4, or several joined by commas")
    name, intensity = match["name"].lower(), match["intensity"]
    try:
        return name, DEFAULT_INTENSITY if intensity is None else float(intensity)
    except ValueError:
        raise MoodError(part.strip(), f"an intensity from 0 to 1, as in {name}:0.4") from None


def _suggestion(name: str) -> str:
    return nearest(name, names_of_moods()).replace(", did", "; did", 1)


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(
        (files("arkit_mapping.liveliness") / "moods.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def _shares() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Factor of each offset for closed lips, and its change for open ones: float32 (61,) each."""
    opens, closes = _spread(_data()["opens"]), _spread(_data()["closes"])
    return _frozen(1 - opens), _frozen(opens - closes)


@lru_cache(maxsize=64)
def _offsets(mood: Mood) -> NDArray[np.float32]:
    total = np.zeros(len(CHANNELS_61))
    for name, intensity in mood.parts:
        for unit, strength in _data()["moods"][name].items():
            total += intensity * strength * _spread(_data()["action_units"][unit])
    return _frozen(np.minimum(total, 1))


def _spread(shapes: dict[str, float]) -> NDArray[np.float64]:
    """Numbers by shape name in wire order; a name without a side sets both sides."""
    row = np.zeros(len(CHANNELS_61))
    for name, value in shapes.items():
        sides = [name] if name in CHANNELS_61 else [f"{name}Left", f"{name}Right"]
        row[[CHANNELS_61.index(side) for side in sides]] = value
    return row


def _frozen(row: NDArray[np.float64]) -> NDArray[np.float32]:
    frozen = row.astype(np.float32)
    frozen.flags.writeable = False
    return frozen
