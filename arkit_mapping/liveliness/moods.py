"""A mood worn over speech: offsets per channel that leave closed lips closed.

    mood = Mood.parse("happy:0.4, surprised:0.2")
    poses = apply(poses, mood)

Moods add to the poses a network made, before a character's own gain and limits. The numbers are in `moods.yaml`.
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
GLIDE_POSES = 24
"""A mood takes 0.4 s to come; a spontaneous smile takes about half a second to its height (Schmidt, Cohn & Tian
2003)."""

_EYE = CHANNELS_61.index("EyeBlinkRight")
_BLINKS = slice(CHANNELS_61.index("EyeBlinkLeft"), _EYE + 1, _EYE)
_WIDES = slice(CHANNELS_61.index("EyeWideLeft"), CHANNELS_61.index("EyeWideRight") + 1, _EYE)
_PART = re.compile(r"\s*(?P<name>[^:\s]+)\s*(?::\s*(?P<intensity>\S+)\s*)?")


class MoodError(ValueError):
    """A mood that is not known or not in range. The text is one line for the user; `expected` is the part that says
    what is right."""

    def __init__(self, got: str, expected: str) -> None:
        super().__init__(f"mood: got {got!r}, expected {expected}")
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Mood:
    """One mood or several at once. `Mood()` is neutral and changes nothing. MoodError for an unknown name or
    intensity."""

    parts: tuple[tuple[str, float], ...] = ()
    """(name, intensity): each name once, intensity 0 to 1."""

    def __post_init__(self) -> None:
        names = [name for name, _ in self.parts]
        for name, intensity in self.parts:
            if name not in names_of_moods():
                raise MoodError(str(self), f"{', '.join(names_of_moods())}, alone or joined by commas{_meant(name)}")
            if names.count(name) > 1:
                raise MoodError(str(self), f"each mood once, and {name} is there twice")
            if not 0 <= intensity <= 1:
                raise MoodError(str(self), f"an intensity from 0 to 1, as in {name}:0.4")

    @classmethod
    def parse(cls, text: str) -> Self:
        """`happy`, `happy:0.4` or several joined by commas; 0.5 where no intensity is given. Letter case and spaces do
        not matter."""
        try:
            return cls(tuple(_parsed(part) for part in text.split(",")))
        except MoodError as error:
            raise MoodError(text, error.expected) from None  # as it was written, and whole

    def __str__(self) -> str:
        """As `parse` reads it."""
        return ",".join(f"{name}:{intensity:g}" for name, intensity in self.parts) or "neutral"

    @property
    def offsets(self) -> NDArray[np.float32]:
        """float32 (61,), wire order, 0 to 1, read-only: what the mood adds to a face at rest, were its lips apart and
        shut at once."""
        return _offsets(self)


def names_of_moods() -> tuple[str, ...]:
    """The names that `Mood.parse` knows."""
    return tuple(_data()["moods"])


def apply(poses: Poses, mood: Mood) -> Poses:
    """The poses, float32 (61,) or (n, 61) with MouthClose as predicted, in that mood: a new array of the same shape.

    An offset takes its part of what is left up to 1, so weights in [0, 1] stay there and a shape that speech already
    uses moves less. Where lips touch (`arkit_mapping.character.lips.openness` 0), what would part them is left out,
    JawOpen first of all, while corners, cheeks, eyes and brows go on; MouthClose is never touched. Closing eyes do not
    widen.
    """
    return _wear(poses, mood.offsets)


class MoodBlend:
    """A mood that may change at any pose and then glides over in 0.4 s. Not locked: `to` belongs on the thread that
    applies."""

    def __init__(self, mood: Mood | None = None) -> None:
        self.mood = mood or Mood()
        self._from = self._to = self.mood.offsets
        self._age = GLIDE_POSES

    @property
    def moving(self) -> bool:
        """Whether it is still going over from another mood."""
        return self._age < GLIDE_POSES

    def to(self, mood: Mood) -> None:
        """From the next pose on go over to this mood, from wherever the face is."""
        if mood == self.mood:
            return
        self._from = self._between(np.array([self._age]))[0]
        self.mood, self._to, self._age = mood, mood.offsets, 0

    def apply(self, poses: Poses) -> Poses:
        """The next poses, float32 (n, 61), in the mood as it is by then; a new array. Any portions give the same
        poses."""
        if self._age == GLIDE_POSES:
            return _wear(poses, self._to)
        ages = self._age + np.arange(1, len(poses) + 1)
        self._age = min(self._age + len(poses), GLIDE_POSES)
        return _wear(poses, self._between(ages))

    def _between(self, ages: NDArray[np.int64]) -> Poses:
        part = np.minimum(ages / GLIDE_POSES, 1)[:, None]
        part = (part * part * (3 - 2 * part)).astype(np.float32)
        blended: Poses = (1 - part) * self._from + part * self._to
        return blended


def _wear(poses: Poses, offsets: Poses) -> Poses:
    if not offsets.any():
        return np.array(poses, np.float32)
    shut, opened = _shares()
    share = shut + opened * openness(poses)[..., None]
    left = 1 - poses
    share[..., _WIDES] *= left[..., _BLINKS]
    worn: Poses = poses + offsets * share * left
    return worn


def _parsed(part: str) -> tuple[str, float]:
    match = _PART.fullmatch(part)
    if not match:
        raise MoodError(part.strip(), "a name or name:intensity, such as happy:0.4, or several joined by commas")
    name, intensity = match["name"].lower(), match["intensity"]
    try:
        return name, DEFAULT_INTENSITY if intensity is None else float(intensity)
    except ValueError:
        raise MoodError(part.strip(), f"an intensity from 0 to 1, as in {name}:0.4") from None


def _meant(name: str) -> str:
    return nearest(name, names_of_moods()).replace(", did", "; did", 1)


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(
        (files("arkit_mapping.liveliness") / "moods.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def _shares() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much of each offset shut lips leave, and how much more or less than that open ones do: float32 (61,) each."""
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
    """Numbers by shape, both sides where none is named, in wire order."""
    row = np.zeros(len(CHANNELS_61))
    for name, value in shapes.items():
        sides = [name] if name in CHANNELS_61 else [f"{name}Left", f"{name}Right"]
        row[[CHANNELS_61.index(side) for side in sides]] = value
    return row


def _frozen(row: NDArray[np.float64]) -> NDArray[np.float32]:
    frozen = row.astype(np.float32)
    frozen.flags.writeable = False
    return frozen
