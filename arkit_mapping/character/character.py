"""One character's way of wearing a pose: what the face makes of a prediction, and how its lips close.

`Character.apply` looks at one pose at a time; `Character.stream` smooths as well and remembers the poses before. A
character file is YAML; every key may be left out, channel names begin with either case.
`arkit_mapping/character/starter.yaml` shows them all.
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
"""Which of the lip rules: `auto` is what each receiver expects, the others hold for every receiver."""

SENSELESS = np.float32(1e6)
"""A value at or beyond this is as little a weight or an angle as NaN is, and products with it would leave float32."""


@dataclass(frozen=True, slots=True)
class Character:
    """What a face makes of a pose, by channel name; a channel that is not named passes as predicted, weights clamped to
    [0, 1].

    In this order: symmetry, gain and head, offset, curve, limits; a stream smooths after that.

    `Character()` changes nothing but what no receiver should get: non-finite values and weights outside [0, 1].
    Raises CharacterError for an unknown channel or a number out of its range.
    """

    name: str = ""
    gain: Mapping[str, float] = field(default_factory=dict)
    """Factor, -10 to 10, negative for angles only. MouthClose takes JawOpen's unless it has its own: it closes what the
    jaw opens, so a wider jaw with the same mouthClose would pull sealed lips apart."""
    offset: Mapping[str, float] = field(default_factory=dict)
    """Added after the gain: weights -1 to 1, angles radians within pi."""
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(lowest, highest): weights within [0, 1], angles radians within pi."""
    curve: Mapping[str, Curve] = field(default_factory=dict)
    """How a weight responds after gain and offset: an exponent, 0.1 to 10, or points [in, out]; see
    `curves.Response`."""
    smoothing: Mapping[str, Smoothing | None] = field(default_factory=dict)
    """By channel or group (all, mouth, eyes, brows, head), at most 10 ms late; None is unsmoothed. Only a stream
    smooths."""
    symmetry: Mapping[str, float] = field(default_factory=dict)
    """How far a pair, or `all`, is pulled to its mean: 0 as predicted, 1 both sides alike; see `symmetry.PAIRS`."""
    closure: Closure = "auto"
    """Which lip rule this face needs. Data only: `apply` leaves the lips to whoever knows the receiver."""
    head: Head = field(default_factory=Head)
    """Which way the head turns, and how far."""
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
        """This character's poses, the same shape, a new array, finite. What is no number of a pose becomes 0, neutral,
        first."""
        given = np.asarray(poses, dtype=np.float32)
        sane = np.zeros_like(given)
        np.copyto(sane, given, where=np.abs(given) < SENSELESS)
        if self._symmetry:
            sane = self._symmetry(sane)
        scaled: Poses = sane * self._gain + self._offset
        if self._response:
            scaled = self._response(scaled)
        within: Poses = np.minimum(np.maximum(scaled, self._lowest), self._highest)
        return within

    def stream(self) -> CharacterStream:
        """A new stream of poses: `apply`, then smoothing."""
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
    """One stream of a character's poses. Any cutting into chunks gives the same poses; `reset` is as good as a new
    one."""

    def __init__(self, character: Character, smoother: Smoother) -> None:
        self._character = character
        self._smoother = smoother

    def push(self, poses: Poses) -> Poses:
        """The next poses, float32 (61,) or (frames, 61) at 60 a second: this character's, smoothed, the same shape, a
        new array."""
        return self._smoother.push(self._character.apply(poses))

    def reset(self) -> None:
        """Forget every pose: the next one is not smoothed."""
        self._smoother.reset()


def load_character(path: str | Path) -> Character:
    """The character in a YAML file. Raises CharacterError: one line with the file and, for an unknown word, the nearest
    known one."""
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
