"""One character's way of wearing a pose: gain, offset and limits per channel, and how its lips close.

A character file is YAML; every key may be left out, channel names begin with either case:

    name: Ada
    gain:   {JawOpen: 1.2, MouthFunnel: 0.8}    # times; 1 is as predicted. MouthClose follows JawOpen unless named
    offset: {BrowInnerUp: 0.05}                 # added after the gain
    limits: {JawOpen: [0, 0.8]}                 # applied last
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import yaml
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, index_of, nearest

Poses = NDArray[np.float32]
"""float32 (61,) or (frames, 61), wire order."""

LipRule = Literal["arkit", "metahuman"]

NOISE_GATE = 0.02
"""Weights below this are noise to the lip rule: a fiftieth of the range, under 1 mm at the lips. At it, nothing is held back."""
SEALED_AT = 0.9
"""A mouthClose of this share of jawOpen is meant as closed: a network's closures fall a little short, and a slit in a p shows."""

_JAW_OPEN = CHANNELS_61.index("JawOpen")
_MOUTH_CLOSE = CHANNELS_61.index("MouthClose")
_KEYS = ("name", "gain", "offset", "limits")


class CharacterError(ValueError):
    """A character file that cannot be read or asks for the impossible. The text is one line for the user."""


@dataclass(frozen=True, slots=True)
class Character:
    """Gain, offset and limits by channel name; a channel that is not named passes as predicted, weights clamped to [0, 1].

    `Character()` changes nothing but what no receiver should get: non-finite values and weights outside [0, 1].
    Raises CharacterError for an unknown channel or a number out of its range.
    """

    name: str = ""
    gain: Mapping[str, float] = field(default_factory=dict)
    """Factor, -10 to 10, negative for angles only. MouthClose takes JawOpen's unless it has its own: it closes what the jaw
    opens, so a wider jaw with the same mouthClose would pull sealed lips apart."""
    offset: Mapping[str, float] = field(default_factory=dict)
    """Added after the gain: weights -1 to 1, angles radians within pi."""
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(lowest, highest): weights within [0, 1], angles radians within pi."""
    _gain: Poses = field(init=False, repr=False, compare=False)
    _offset: Poses = field(init=False, repr=False, compare=False)
    _lowest: Poses = field(init=False, repr=False, compare=False)
    _highest: Poses = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        gain, offset, lowest, highest = np.ones(61), np.zeros(61), np.full(61, -np.inf), np.full(61, np.inf)
        lowest[:SHAPE_COUNT], highest[:SHAPE_COUNT] = 0, 1
        for channel, value in self.gain.items():
            at = _index("gain", channel)
            gain[at] = _number("gain", channel, value, 0 if at < SHAPE_COUNT else -10, 10)
        if not {"MouthClose", "mouthClose"} & self.gain.keys():
            gain[_MOUTH_CLOSE] = gain[_JAW_OPEN]
        for channel, value in self.offset.items():
            at = _index("offset", channel)
            bound = 1 if at < SHAPE_COUNT else math.pi
            offset[at] = _number("offset", channel, value, -bound, bound)
        for channel, pair in self.limits.items():
            at = _index("limits", channel)
            lowest[at], highest[at] = _pair(channel, pair, (0, 1) if at < SHAPE_COUNT else (-math.pi, math.pi))
        for name, numbers in (("_gain", gain), ("_offset", offset), ("_lowest", lowest), ("_highest", highest)):
            object.__setattr__(self, name, numbers.astype(np.float32))

    def apply(self, poses: Poses) -> Poses:
        """This character's poses, the same shape, a new array, finite. A value that is not finite becomes 0, neutral, first."""
        sane = np.nan_to_num(np.asarray(poses, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        scaled: Poses = np.clip(sane * self._gain + self._offset, self._lowest, self._highest)
        return scaled


def load_character(path: str | Path) -> Character:
    """The character in a YAML file. Raises CharacterError: one line with the file and, for an unknown word, the nearest known one."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise CharacterError(f"character file {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CharacterError(f"character file {path} is not YAML: {' '.join(str(error).split())}") from None
    try:
        return _character(content)
    except CharacterError as error:
        raise CharacterError(f"character file {path}: {error}") from None


def closed_lips(poses: Poses, rule: LipRule) -> Poses:
    """The same poses with MouthClose as the receiver understands it; a new array, every other channel untouched.

    `arkit`: MouthClose is a shape of its own and stays as predicted.

    `metahuman`: the MetaHuman rig takes MouthClose / JawOpen, cut to [0, 1], as how far the lips are together, whatever the
    opening, and takes nothing from it at JawOpen 0. Sent as predicted, a resting mouth's noise (0.003 over 0.004, then 0.002
    over 0.009) would throw that ratio about. So the ratio is made steady here and MouthClose is sent as ratio x JawOpen:

    - MouthClose below the gate counts for less, down to nothing, and the ratio is taken to no less than the gate's worth of
      jaw: at rest it stays near 0 however both tremble.
    - In the lower half of the gate JawOpen fades the ratio to 0. The rig's own ratio is 0 at JawOpen 0, and a jaw that
      touches 0 now and then during a closure would make it leap. Nothing is lost: what lips stay apart by is
      JawOpen x (1 - ratio), here under 0.003 wherever MouthClose seals and is above its own gate.
    - From `SEALED_AT` of JawOpen up the lips are sealed: ratio 1, so p, b and m close fully and stay closed while the jaw moves.

    The rule looks at one frame at a time, so live and offline, in any chunks, give the same lips.
    """
    if rule not in get_args(LipRule):
        raise ValueError(f"got lip rule {rule!r}, expected one of {', '.join(get_args(LipRule))}")
    closed = np.array(poses, dtype=np.float32)
    if rule == "metahuman":
        jaw, close = closed[..., _JAW_OPEN], closed[..., _MOUTH_CLOSE]
        meant = close * _ease(close / NOISE_GATE)
        ratio = np.minimum(meant / (SEALED_AT * np.maximum(jaw, NOISE_GATE)), 1) * _ease(jaw / (NOISE_GATE / 2))
        closed[..., _MOUTH_CLOSE] = ratio * jaw
    return closed


def _ease(part: Poses) -> Poses:
    """0 at 0 and below, 1 at 1 and above, smooth and flat at both ends."""
    part = np.clip(part, 0, 1)
    smooth: Poses = part * part * (3 - 2 * part)
    return smooth


def _character(content: object) -> Character:
    if not isinstance(content, dict):
        raise CharacterError(f"got {type(content).__name__}, expected keys: {', '.join(_KEYS)}")
    for key in content:
        if key not in _KEYS:
            raise CharacterError(f"unknown key {str(key)!r}{nearest(str(key), _KEYS)}; known are {', '.join(_KEYS)}")
    gain, offset, limits = (_channels(key, content.get(key)) for key in _KEYS[1:])
    return Character(str(content.get("name") or ""), gain, offset, limits)


def _channels(key: str, entry: object) -> dict[str, Any]:
    """A key's channels, their values not yet checked. A key with nothing after it is as good as left out."""
    if entry is None:
        return {}
    if not isinstance(entry, dict):
        raise CharacterError(f"{key}: got {entry!r}, expected channels and their values, such as {{JawOpen: ...}}")
    return entry


def _index(key: str, channel: str) -> int:
    try:
        return index_of(str(channel))
    except KeyError as error:
        raise CharacterError(f"{key}: {error.args[0]}") from None


def _number(key: str, channel: str, value: object, lowest: float, highest: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not lowest <= value <= highest:
        raise CharacterError(f"{key} of {channel}: got {value!r}, expected a number from {lowest:.4g} to {highest:.4g}")
    return float(value)


def _pair(channel: str, pair: object, bounds: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise CharacterError(f"limits of {channel}: got {pair!r}, expected [lowest, highest]")
    lowest, highest = (_number("limits", channel, value, *bounds) for value in pair)
    if lowest > highest:
        raise CharacterError(f"limits of {channel}: got lowest {lowest} above highest {highest}")
    return lowest, highest
