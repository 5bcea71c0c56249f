"""A character: per-channel gain, offset, curve, limits and smoothing for one face, and its lip rule.

`Character.apply` processes each frame independently; `Character.stream` also smooths and keeps state. A character file
is YAML; every key is optional, channel names may begin with either case. `arkit_mapping/character/starter.yaml` shows
all keys.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT
from arkit_mapping.character.closure import JAW_OPEN, MOUTH_CLOSE, LipRule, closed_lips
from arkit_mapping.character.curves import Curve, Response
from arkit_mapping.character.entries import CharacterError, Poses, channel_index, known, number
from arkit_mapping.character.file import fields_of, read_yaml
from arkit_mapping.character.groups import by_channel
from arkit_mapping.character.head import Head
from arkit_mapping.character.smoothing import Smoother, Smoothing
from arkit_mapping.character.symmetry import Symmetry

__all__ = [
    "Character",
    "CharacterError",
    "CharacterStream",
    "Closure",
    "Head",
    "LipRule",
    "Poses",
    "Smoothing",
    "closed_lips",
    "load_character",
]

Closure = Literal["auto", "arkit", "metahuman"]
"""Lip rule of a character: `auto` is the one that each receiver expects, the others apply to every receiver."""

SENSELESS = np.float32(1e6)
"""Values at or beyond this are treated like NaN: they are neither weights nor angles, and products with them would
exceed float32."""


@dataclass(frozen=True, slots=True)
class Character:
    """How a face shows a frame, by channel name; channels not named pass as predicted, with weights clamped to [0, 1].

    Order of application: symmetry, gain and head, offset, curve, limits; a stream smooths after that.

    `Character()` removes only what no receiver should get: non-finite values and weights outside [0, 1]. Raises
    CharacterError for an unknown channel or a number out of its range.
    """

    name: str = ""
    """Name of the character, for display."""
    gain: Mapping[str, float] = field(default_factory=dict)
    """Factor, -10 to 10, negative for angles only. MouthClose uses JawOpen's unless it has its own: it closes what the
    jaw opens, so a wider jaw with the same mouthClose would open closed lips."""
    offset: Mapping[str, float] = field(default_factory=dict)
    """Added after the gain: weights -1 to 1, angles radians within pi."""
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(lowest, highest): weights within [0, 1], angles radians within pi."""
    curve: Mapping[str, Curve] = field(default_factory=dict)
    """Response of a weight after gain and offset: an exponent, 0.1 to 10, or points [in, out]; see
    `curves.Response`."""
    smoothing: Mapping[str, Smoothing | None] = field(default_factory=dict)
    """By channel or group (all, mouth, eyes, brows, head), with at most 10 ms delay; None is unsmoothed. Only a stream
    smooths."""
    symmetry: Mapping[str, float] = field(default_factory=dict)
    """How far a pair, or `all`, is moved to its mean: 0 as predicted, 1 both sides equal; see `symmetry.PAIRS`."""
    closure: Closure = "auto"
    """The lip rule that this face needs. Only data: `apply` does not change the lips, as the rule depends on the
    receiver."""
    head: Head = field(default_factory=Head)
    """Signs and gain of the head's angles."""
    _gain: Poses = field(init=False, repr=False, compare=False)
    _offset: Poses = field(init=False, repr=False, compare=False)
    _lowest: Poses = field(init=False, repr=False, compare=False)
    _highest: Poses = field(init=False, repr=False, compare=False)
    _response: Response = field(init=False, repr=False, compare=False)
    _symmetry: Symmetry = field(init=False, repr=False, compare=False)
    _smoothings: Mapping[int, Smoothing] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known("closure: unknown rule", self.closure, get_args(Closure))
        lowest, highest = self._limits()
        smoothings = {channel_index("smoothing", name): given for name, given in by_channel(self.smoothing).items()}
        for name, value in (
            ("_gain", self._gains() * self.head.factors()),
            ("_offset", self._offsets()),
            ("_lowest", lowest),
            ("_highest", highest),
            ("_response", Response(self.curve)),
            ("_symmetry", Symmetry(self.symmetry)),
            ("_smoothings", {at: given for at, given in smoothings.items() if given is not None}),
        ):
            object.__setattr__(self, name, value)

    def apply(self, poses: Poses) -> Poses:
        """Apply the character to frames; values that are not finite first become 0, neutral.

        Parameters
        ----------
        poses
            float32 (61,) or (frames, 61), wire order, as predicted.

        Returns
        -------
        A new array of the same shape, finite
        """
        predicted = np.asarray(poses, dtype=np.float32)
        sane = np.zeros_like(predicted)
        np.copyto(sane, predicted, where=np.abs(predicted) < SENSELESS)
        if self._symmetry:
            sane = self._symmetry(sane)
        scaled: Poses = sane * self._gain + self._offset
        if self._response:
            scaled = self._response(scaled)
        within: Poses = np.minimum(np.maximum(scaled, self._lowest), self._highest)
        return within

    def stream(self) -> CharacterStream:
        """A new stream: `apply`, then smoothing."""
        return CharacterStream(self, Smoother(self._smoothings))

    def _gains(self) -> Poses:
        gain = np.ones(len(CHANNELS_61), np.float32)
        for channel, value in self.gain.items():
            at = channel_index("gain", channel)
            gain[at] = number(f"gain of {channel}", value, 0 if at < SHAPE_COUNT else -10, 10)
        if not {"MouthClose", "mouthClose"} & self.gain.keys():
            gain[MOUTH_CLOSE] = gain[JAW_OPEN]
        return gain

    def _offsets(self) -> Poses:
        offset = np.zeros(len(CHANNELS_61), np.float32)
        for channel, value in self.offset.items():
            at = channel_index("offset", channel)
            bound = 1 if at < SHAPE_COUNT else math.pi
            offset[at] = number(f"offset of {channel}", value, -bound, bound)
        return offset

    def _limits(self) -> tuple[Poses, Poses]:
        lowest, highest = np.full((2, len(CHANNELS_61)), [[-np.inf], [np.inf]], np.float32)
        lowest[:SHAPE_COUNT], highest[:SHAPE_COUNT] = 0, 1
        for channel, pair in self.limits.items():
            at = channel_index("limits", channel)
            lowest[at], highest[at] = _pair(channel, pair, (0, 1) if at < SHAPE_COUNT else (-math.pi, math.pi))
        return lowest, highest


class CharacterStream:
    """Applies a character to a stream of frames. Any chunking gives the same frames; after `reset` it is as new."""

    def __init__(self, character: Character, smoother: Smoother) -> None:
        self._character = character
        self._smoother = smoother

    def push(self, poses: Poses) -> Poses:
        """Apply the character and smooth the next frames.

        Parameters
        ----------
        poses
            float32 (61,) or (frames, 61) at 60 per second, wire order, as predicted.

        Returns
        -------
        A new array of the same shape
        """
        return self._smoother.push(self._character.apply(poses))

    def reset(self) -> None:
        """Clear the state: the next frame is not smoothed."""
        self._smoother.reset()


def load_character(path: str | Path) -> Character:
    """Read a character from a YAML file. Raises CharacterError: one line with the file and, for an unknown word, the
    nearest known one."""
    content = read_yaml(path)
    try:
        return Character(**fields_of(content))
    except CharacterError as error:
        raise CharacterError(f"character file {path}: {error}") from None


def _pair(channel: str, pair: object, bounds: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise CharacterError(f"limits of {channel}: got {pair!r}, expected [lowest, highest]")
    lowest, highest = (number(f"limits of {channel}", value, *bounds) for value in pair)
    if lowest > highest:
        raise CharacterError(f"limits of {channel}: got lowest {lowest} above highest {highest}")
    return lowest, highest
