"""A face that remembers what went by, in a little memory: what a report says of a take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61
from arkit_mapping.character.character import Character
from arkit_mapping.character.lips import SEALED, apertures, narrowest
from arkit_mapping.liveliness import Liveliness
from arkit_mapping.liveliness.moods import Mood
from livelink_bridge.core.frames import Weights
from livelink_bridge.face.face import Face

POINTS = 64
"""Of each curve in a report, at most."""
SPEECH_BELOW_LOUD_DB = 25.0
"""Speech is so much quieter than its loudest moments at most: vowels and the consonants that can be seen lie within
it."""
QUIETEST_SPEECH_DBFS = -60.0
QUIET_DBFS = -45.0
"""A whole recording below it moves a face less than its voice would."""
FEWEST_CLOSURES, LOW_SCORE = 5, 0.6
"""Below so few p, b and m a share of them says nothing; below that share they deserve a look."""
STILL_JAW = 0.05

_JAW = CHANNELS_61.index("JawOpen")
_ROUND = [CHANNELS_61.index("MouthFunnel"), CHANNELS_61.index("MouthPucker")]
_BINS = 121
"""Whole decibels from -120 to 0."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Small pictures of a take: at most POINTS values each, two hex digits a value, 00 to ff, over the whole of its
    time."""

    level: str = ""
    """From -60 to 0 dBFS."""
    jaw: str = ""
    """JawOpen, 0 to 1."""
    round: str = ""
    """MouthFunnel and MouthPucker together, 0 to 1."""


class WatchedFace(Face):
    """A face whose poses and levels are summed up as they pass. With `lips` it also keeps how far they are apart, 4
    bytes a pose."""

    def __init__(
        self, worn: Character, *, liveliness: Liveliness | None = None, mood: Mood | None = None, lips: bool = False
    ) -> None:
        super().__init__(worn, liveliness=liveliness, mood=mood)
        self._lips = lips
        self._forget()

    def reset(self) -> None:
        super().reset()
        self._forget()

    def push(
        self, poses: Weights, level_dbfs: NDArray[np.float32], speaking: NDArray[np.bool_] | None = None
    ) -> Weights:
        worn = super().push(poses, level_dbfs, speaking)
        self._levels.add(level_dbfs)
        self._picture.add(np.column_stack([1 + level_dbfs / 60, worn[:, _JAW], worn[:, _ROUND].sum(1)]))
        if self._lips and len(worn):
            self._gaps.append(apertures(worn))
        return worn

    @property
    def level_dbfs(self) -> float:
        """RMS of everything, at least -120."""
        return self._levels.mean_dbfs()

    @property
    def speech_share(self) -> float:
        return self._levels.speech_share()

    def curves(self) -> Curves:
        return Curves(*(bytes(row).hex() for row in self._picture.rows().T))

    def lips_met(self, phones: Iterable[tuple[float, float]]) -> tuple[int, int]:
        """Of phones at which lips have to meet, start and end in seconds: at how many they did, and how many there
        are."""
        gap = np.concatenate([np.zeros(0, np.float32), *self._gaps])
        least = [width for start_s, _ in phones if (width := narrowest(gap, start_s)) is not None]
        return sum(width <= SEALED for width in least), len(least)

    def warnings(self, seconds: float, bad_poses: int, sealed: int = 0, closures: int | None = None) -> tuple[str, ...]:
        """What a person should look at, a sentence each without a full stop."""
        silent, speech_s = self.level_dbfs <= QUIETEST_SPEECH_DBFS, self.speech_share * seconds
        still = speech_s > 1 and self._picture.highest(1) < STILL_JAW
        said = {
            "silent from beginning to end": silent,
            f"quiet, {self.level_dbfs:.0f} dBFS: bring it to about -23 for a full face": not silent
            and self.level_dbfs < QUIET_DBFS,
            "the jaw hardly moves: is this a voice?": still,
            "lips stay open at many a p, b and m": closures is not None
            and closures >= FEWEST_CLOSURES
            and sealed < LOW_SCORE * closures,
            f"{bad_poses} poses had values that are not finite; the ones before stand in their place": bad_poses > 0,
        }
        return tuple(text for text, true in said.items() if true)

    def _forget(self) -> None:
        self._levels, self._picture = _Levels(), _Picture()
        self._gaps: list[NDArray[np.float32]] = []


class _Levels:
    """How loud a recording is, in one count for every decibel."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)
        self._energy = 0.0

    def add(self, level_dbfs: NDArray[np.float32]) -> None:
        self._counts += np.bincount(np.clip(np.rint(level_dbfs) + 120, 0, _BINS - 1).astype(np.int64), minlength=_BINS)
        self._energy += float(np.sum(10.0 ** (level_dbfs.astype(np.float64) / 10)))

    def mean_dbfs(self) -> float:
        poses = int(self._counts.sum())
        return max(-120.0, 10 * float(np.log10(self._energy / poses + 1e-12))) if poses else -120.0

    def speech_share(self) -> float:
        """Share of poses that are no further than SPEECH_BELOW_LOUD_DB below the loudest twentieth, and not silent."""
        poses = int(self._counts.sum())
        if not poses:
            return 0.0
        loud_dbfs = int(np.searchsorted(np.cumsum(self._counts), 0.95 * poses)) - 120
        least_dbfs = max(QUIETEST_SPEECH_DBFS, loud_dbfs - SPEECH_BELOW_LOUD_DB)
        return float(self._counts[int(least_dbfs) + 120 :].sum()) / poses


class _Picture:
    """The peaks of three curves of unknown length, in at most 2 POINTS rows: where they run out, two neighbours become
    one."""

    def __init__(self) -> None:
        self._rows = np.zeros((0, 3))
        self._span = 1
        """Poses in a row."""
        self._poses = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """float (n, 3)."""
        for at in range(0, len(values), POINTS):
            self._extend(values[at : at + POINTS])
            while len(self._rows) > 2 * POINTS:
                self._rows, self._span = _pairs(self._rows), 2 * self._span

    def rows(self) -> NDArray[np.uint8]:
        """uint8 (at most POINTS, 3)."""
        rows = self._rows if len(self._rows) <= POINTS else _pairs(self._rows)
        return np.asarray(np.rint(255 * np.clip(rows, 0, 1)), np.uint8)

    def highest(self, column: int) -> float:
        return float(self._rows[:, column].max(initial=0.0))

    def _extend(self, values: NDArray[np.float64]) -> None:
        room = -self._poses % self._span
        head, rest = values[:room], values[room:]
        if len(head):
            self._rows[-1] = np.maximum(self._rows[-1], head.max(0))
        if len(rest):
            self._rows = np.concatenate([self._rows, np.maximum.reduceat(rest, np.arange(0, len(rest), self._span))])
        self._poses += len(values)


def _pairs(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum.reduceat(rows, np.arange(0, len(rows), 2))
