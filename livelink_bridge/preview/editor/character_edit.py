"""Slider state: the character being edited, and which channels are soloed or muted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypedDict, Unpack, cast

import numpy as np

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT
from arkit_mapping.character.character import Character
from arkit_mapping.character.closure import JAW_OPEN, MOUTH_CLOSE
from arkit_mapping.character.curves import Curve
from arkit_mapping.character.delay import MAX_MS, added_delay
from arkit_mapping.character.entries import CharacterError, Poses, channel_index, known, number
from arkit_mapping.character.groups import by_channel
from arkit_mapping.character.smoothing import MIN_CUTOFFS_HZ, Smoothing
from livelink_bridge.preview.editor.character_yaml import character_yaml

LIPS = CHANNELS_61[MOUTH_CLOSE]
"""Closes what JawOpen opens: it follows JawOpen's gain, curve and smoothing until it is set itself."""


def _group(name: str) -> str:
    """Which group of sliders a channel is in."""
    if name.startswith("Brow"):
        return "brows"
    if name.startswith(("Eye", "LeftEye", "RightEye")):
        return "eyes"
    if name.startswith("Head"):
        return "head"
    if name.startswith("Jaw") or name == LIPS:
        return "jaw"
    if name.startswith(("Cheek", "Nose")):
        return "cheeks"
    return "smile" if name.startswith(("MouthSmile", "MouthFrown", "MouthDimple", "MouthStretch")) else "lips"


_ORDER = ("jaw", "lips", "smile", "cheeks", "brows", "eyes", "head")
GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(name for name in CHANNELS_61 if _group(name) == group) for group in _ORDER
}
"""Sliders by what they move; together they are the 61, each once. MouthClose is the jaw's, the corners of the mouth are
the smile's."""

STEADY = Smoothing(3.0, 30.0)
"""What a slider of one of the two numbers begins with where nothing was smoothed: the starter file's."""
PIECE_POSES = 3600
"""Poses adjusted at a time, a minute: what is between is as large, not the whole recording."""


class Changes(TypedDict, total=False):
    """What a slider sets. None takes a channel's own entry away: it is as predicted again, or follows."""

    gain: float | None
    offset: float | None
    lowest: float | None
    highest: float | None
    curve: Curve | None
    min_cutoff_hz: float | None
    beta: float | None
    smoothness: float | None
    """Both numbers at once: see `smoothing_of`."""


@dataclass(frozen=True, slots=True)
class SliderValues:
    """Slider values of one channel."""

    gain: float
    offset: float
    lowest: float
    highest: float
    """Weights within [0, 1], angles radians within pi."""
    curve: Curve
    """An exponent, 1 is straight; or points [in, out], which a character file may have."""
    smoothing: Smoothing | None
    """None: not smoothed."""
    follows: bool
    """Whether gain and curve are JawOpen's, because MouthClose has none of its own."""

    @property
    def smoothness(self) -> float:
        """Where the one slider for smoothing stands, 0 to 1."""
        return smoothness_of(self.smoothing)


@dataclass(frozen=True, slots=True)
class Adjustments:
    """The character being edited, and the soloed and muted channels.

    Channels are in wire order's spelling. Solo and mute are for looking: `character` and `yaml` know nothing of them.
    """

    edited: Character = field(default_factory=Character)
    solo: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()

    @staticmethod
    def from_character(character: Character) -> Adjustments:
        """Where the sliders stand for a character that was loaded; nothing of it is lost."""
        names = {key: _spelled(key, getattr(character, key)) for key in ("gain", "offset", "limits", "curve")}
        return Adjustments(replace(character, **cast(Any, names)))

    def character(self) -> Character:
        """The edited character, without solo and mute."""
        return self.edited

    def slider_values(self, channel: str) -> SliderValues:
        """Values of the sliders of a channel. Raises CharacterError for an unknown one."""
        name, edited = _named(channel), self.edited
        follows = name == LIPS and LIPS not in edited.gain and LIPS not in edited.curve
        source = CHANNELS_61[JAW_OPEN] if name == LIPS else name
        lowest, highest = edited.limits.get(name, bounds(name))
        return SliderValues(
            gain=edited.gain.get(name, edited.gain.get(source, 1.0)),
            offset=edited.offset.get(name, 0.0),
            lowest=lowest,
            highest=highest,
            curve=edited.curve.get(name, edited.curve.get(source, 1.0)),
            smoothing=by_channel(edited.smoothing).get(name),
            follows=follows,
        )

    def with_(self, what: str, **changes: Unpack[Changes]) -> Adjustments:
        """The same with sliders moved: of a channel, or of every channel of a group.

        A group moves the channels that a number has a meaning for: offset, limits and curve of a group with weights
        leave its angles alone, and MouthClose goes on following JawOpen. Raises CharacterError, one line, for what a
        character file may not say.
        """
        for key in changes:
            known("unknown slider", key, tuple(Changes.__annotations__))
        names = _meant(what)
        edited = self.edited
        for key, value in changes.items():
            edited = _set(edited, key, _movable(what, key, names), value)
        return replace(self, edited=edited)

    def changed(self) -> frozenset[str]:
        """The channels that have an entry of their own."""
        entries = (getattr(self.edited, key) for key in _ENTRIES)
        smooth = (name for name, smoothing in by_channel(self.edited.smoothing).items() if smoothing is not None)
        return frozenset(name for names in (*entries, smooth) for name in names)

    def reset(self, what: str) -> Adjustments:
        """A channel, or a group, as predicted again."""
        gone = {LIPS, *_meant(what)} if what == "jaw" else set(_meant(what))
        kept = {
            key: {name: value for name, value in getattr(self.edited, key).items() if name not in gone}
            for key in _ENTRIES
        }
        smoothing = {name: value for name, value in by_channel(self.edited.smoothing).items() if name not in gone}
        return replace(self, edited=replace(self.edited, **cast(Any, kept), smoothing=smoothing))

    def with_solo(self, *channels: str) -> Adjustments:
        """Only these channels or groups move; none: all of them do."""
        return replace(self, solo=frozenset(name for channel in channels for name in _looked_at(channel)))

    def with_muted(self, *channels: str) -> Adjustments:
        """These channels or groups do not move."""
        return replace(self, muted=frozenset(name for channel in channels for name in _looked_at(channel)))

    def unmasked(self) -> Adjustments:
        """The same without solo and mute: what an export is made of."""
        return replace(self, solo=frozenset(), muted=frozenset())

    def apply(self, predicted: Poses) -> Poses:
        """float32 (n, 61) as predicted -> float32 (n, 61) adjusted and smoothed, a new array, finite."""
        adjusted = np.empty((len(predicted), len(CHANNELS_61)), np.float32)
        at = 0
        for piece in self.pieces(predicted):
            adjusted[at : at + len(piece)] = piece
            at += len(piece)
        return adjusted

    def pieces(self, predicted: Poses) -> Iterator[Poses]:
        """`apply`, a minute at a time: so that a caller need not hold all frames twice."""
        stream, shown = self.edited.stream(), self._shown()
        for first in range(0, len(predicted), PIECE_POSES):
            piece = stream.push(predicted[first : first + PIECE_POSES])
            yield piece if shown is None else np.where(shown, piece, np.float32(0))

    def yaml(self) -> str:
        """The character as a file that `--character` reads. Only what differs from a face as predicted is in it."""
        return character_yaml(self.edited)

    def _shown(self) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """bool (61,): which channels move; None where all do. Solo goes before mute, as on a mixing desk."""
        if not self.solo and not self.muted:
            return None
        shown = self.solo or frozenset(CHANNELS_61) - self.muted
        return np.array([name in shown for name in CHANNELS_61])


def bounds(channel: str) -> tuple[float, float]:
    """Between which values a channel may be: weights [0, 1], angles radians within pi. Raises CharacterError for an
    unknown one."""
    return (0.0, 1.0) if channel_index("channel", channel) < SHAPE_COUNT else (-math.pi, math.pi)


def smoothing_of(smoothness: float) -> Smoothing | None:
    """One slider for both numbers: 0 is off, 1 the calmest that speech bears (`arkit_mapping.character.delay`).

    Raises CharacterError outside [0, 1].
    """
    share = number("smoothness", smoothness, 0, 1)
    top = MIN_CUTOFFS_HZ[1]
    return None if share == 0 else Smoothing(round(top * (_calmest_hz() / top) ** share, 3), STEADY.beta)


def smoothness_of(smoothing: Smoothing | None) -> float:
    """Where that slider stands for a smoothing; one with another beta is as calm as its cutoff says."""
    if smoothing is None:
        return 0.0
    top = MIN_CUTOFFS_HZ[1]
    return round(min(1.0, max(0.0, math.log(smoothing.min_cutoff_hz / top) / math.log(_calmest_hz() / top))), 3)


@cache
def _calmest_hz() -> float:
    """The lowest cutoff, in tenths, that speech bears with the beta of `STEADY`."""
    for tenths in range(round(10 * MIN_CUTOFFS_HZ[0]), round(10 * STEADY.min_cutoff_hz)):
        if added_delay(Smoothing(tenths / 10, STEADY.beta)).most_ms <= MAX_MS:
            return tenths / 10
    return STEADY.min_cutoff_hz


_ENTRIES = ("gain", "offset", "limits", "curve")
_SMOOTHING = ("min_cutoff_hz", "beta", "smoothness")


def _named(channel: str) -> str:
    return CHANNELS_61[channel_index("channel", channel)]


def _spelled(key: str, entries: Mapping[str, object]) -> dict[str, object]:
    return {CHANNELS_61[channel_index(key, name)]: value for name, value in entries.items()}


def _looked_at(what: str) -> tuple[str, ...]:
    return GROUPS[what] if what in GROUPS else (_named(what),)


def _meant(what: str) -> tuple[str, ...]:
    """The channels a slider of this name moves."""
    return tuple(name for name in GROUPS[what] if name != LIPS) if what in GROUPS else (_named(what),)


def _movable(what: str, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Of a group's channels those whose unit the number has."""
    if what not in GROUPS or key in ("gain", *_SMOOTHING):
        return names
    weights = tuple(name for name in names if CHANNELS_61.index(name) < SHAPE_COUNT)
    return weights or names


def _set(edited: Character, key: str, names: tuple[str, ...], value: Any) -> Character:
    if key in _SMOOTHING:
        return replace(edited, smoothing=_smoothed(edited, key, names, value))
    if key in ("lowest", "highest"):
        limits = {**edited.limits, **{name: _limits(edited, name, key, value) for name in names}}
        return replace(
            edited, limits={name: pair for name, pair in limits.items() if name not in names or pair != bounds(name)}
        )
    entries = {name: entry for name, entry in getattr(edited, key).items() if name not in names}
    if value is not None:
        entries |= dict.fromkeys(names, value)
    return replace(edited, **cast(Any, {key: entries}))


def _limits(edited: Character, name: str, key: str, value: float | None) -> tuple[float, float]:
    """A limit moved; it pushes the other one along, as two handles of one slider do."""
    free = bounds(name)
    lowest, highest = edited.limits.get(name, free)
    if key == "lowest":
        lowest = free[0] if value is None else number(f"lowest of {name}", value, *free)
        return lowest, max(lowest, highest)
    highest = free[1] if value is None else number(f"highest of {name}", value, *free)
    return min(lowest, highest), highest


def _smoothed(edited: Character, key: str, names: tuple[str, ...], value: float | None) -> dict[str, Smoothing | None]:
    """Smoothings with one number moved; None is off. MouthClose goes on with JawOpen where the two were alike: sealed
    lips stay so."""
    now = by_channel(edited.smoothing)
    jaw = CHANNELS_61[JAW_OPEN]
    moved = {*names, LIPS} if jaw in names and now.get(jaw) == now.get(LIPS) else set(names)
    after = {**now, **{name: _moved(now.get(name) or STEADY, key, value) for name in sorted(moved)}}
    by_channel(after)  # refuses what would make speech late
    return after


def _moved(smoothing: Smoothing, key: str, value: float | None) -> Smoothing | None:
    if value is None:
        return None
    return smoothing_of(value) if key == "smoothness" else replace(smoothing, **cast(Any, {key: value}))


__all__ = ["GROUPS", "LIPS", "STEADY", "Adjustments", "Changes", "CharacterError", "SliderValues", "bounds"]
