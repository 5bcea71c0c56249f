"""A face that measures its own frames in constant memory, for the report of a batch."""

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
"""Most points of a curve in a report."""
SPEECH_RANGE_DB = 25.0
"""Range of speech below its loudest moments: vowels and the visible consonants lie within it."""
MIN_SPEECH_DBFS = -60.0
"""Lowest level that counts as speech."""
QUIET_DBFS = -45.0
"""A recording with a lower RMS moves the face less than it should."""
MIN_CLOSURES, LOW_SCORE = 5, 0.6
"""With fewer p, b and m their share is not meaningful; a lower share gets a warning."""
STILL_JAW = 0.05
"""JawOpen below which the jaw counts as still."""

_JAW = CHANNELS_61.index("JawOpen")
_ROUND = [CHANNELS_61.index("MouthFunnel"), CHANNELS_61.index("MouthPucker")]
_BINS = 121
"""Histogram bins of 1 dB, from -120 to 0 dBFS."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Small plots of a take over its whole length: at most POINTS values each, two hex digits a value, 00 to ff."""

    level: str = ""
    """Level, -60 to 0 dBFS."""
    jaw: str = ""
    """JawOpen, 0 to 1."""
    round: str = ""
    """MouthFunnel plus MouthPucker, 0 to 1."""


class MeasuredFace(Face):
    """A face that accumulates levels and peaks of its frames. With `lips` it also stores the lip aperture, 4 bytes a
    frame."""

    def __init__(
        self,
        character: Character,
        *,
        liveliness: Liveliness | None = None,
        mood: Mood | None = None,
        lips: bool = False,
    ) -> None:
        super().__init__(character, liveliness=liveliness, mood=mood)
        self._lips = lips
        self._clear()

    def reset(self) -> None:
        """Start a new recording: as `Face.reset`, and clears the measures."""
        super().reset()
        self._clear()

    def push(
        self, poses: Weights, level_dbfs: NDArray[np.float32], speaking: NDArray[np.bool_] | None = None
    ) -> Weights:
        """The next frames, as `Face.push`, and adds them to the measures."""
        adjusted = super().push(poses, level_dbfs, speaking)
        self._levels.add(level_dbfs)
        self._curves.add(np.column_stack([1 + level_dbfs / 60, adjusted[:, _JAW], adjusted[:, _ROUND].sum(1)]))
        if self._lips and len(adjusted):
            self._apertures.append(apertures(adjusted))
        return adjusted

    @property
    def level_dbfs(self) -> float:
        """RMS of the recording, dBFS, at least -120."""
        return self._levels.mean_dbfs()

    @property
    def speech_share(self) -> float:
        """Share of frames at speech level, 0 to 1: within SPEECH_RANGE_DB of the loudest 5 %, above MIN_SPEECH_DBFS."""
        return self._levels.speech_share()

    def curves(self) -> Curves:
        """Level, jaw and lip rounding over the recording."""
        return Curves(*(bytes(row).hex() for row in self._curves.rows().T))

    def lips_closed(self, phones: Iterable[tuple[float, float]]) -> tuple[int, int]:
        """How many lip closures succeeded.

        Parameters
        ----------
        phones : start and end, seconds, of each phone at which the lips must close

        Returns
        -------
        the number of phones at which they closed, and the number of phones within the recording.
        """
        gap = np.concatenate([np.zeros(0, np.float32), *self._apertures])
        least = [width for start_s, _ in phones if (width := narrowest(gap, start_s)) is not None]
        return sum(width <= SEALED for width in least), len(least)

    def warnings(self, seconds: float, bad_poses: int, sealed: int = 0, closures: int | None = None) -> tuple[str, ...]:
        """Warnings for the report, a sentence each without a full stop.

        Parameters
        ----------
        seconds : length of the audio
        bad_poses : frames with values that were not finite
        sealed, closures : as `lips_closed` returns; None if not measured
        """
        silent, speech_s = self.level_dbfs <= MIN_SPEECH_DBFS, self.speech_share * seconds
        still = speech_s > 1 and self._curves.highest(1) < STILL_JAW
        checks = {
            "silent from beginning to end": silent,
            f"quiet, {self.level_dbfs:.0f} dBFS: bring it to about -23 for a full face": not silent
            and self.level_dbfs < QUIET_DBFS,
            "the jaw hardly moves: is this a voice?": still,
            "lips stay open at many a p, b and m": closures is not None
            and closures >= MIN_CLOSURES
            and sealed < LOW_SCORE * closures,
            f"{bad_poses} poses had values that are not finite; each repeats the last good pose": bad_poses > 0,
        }
        return tuple(text for text, applies in checks.items() if applies)

    def _clear(self) -> None:
        self._levels, self._curves = _LevelHistogram(), _PeakCurves()
        self._apertures: list[NDArray[np.float32]] = []


class _LevelHistogram:
    """Histogram of frame levels, 1 dB a bin, and their energy."""

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
        """Share of frames within SPEECH_RANGE_DB of the 95th percentile, and above MIN_SPEECH_DBFS."""
        poses = int(self._counts.sum())
        if not poses:
            return 0.0
        loud_dbfs = int(np.searchsorted(np.cumsum(self._counts), 0.95 * poses)) - 120
        least_dbfs = max(MIN_SPEECH_DBFS, loud_dbfs - SPEECH_RANGE_DB)
        return float(self._counts[int(least_dbfs) + 120 :].sum()) / poses


class _PeakCurves:
    """Peaks of three curves of unknown length in at most 2 POINTS rows: when full, neighbouring rows are merged."""

    def __init__(self) -> None:
        self._rows = np.zeros((0, 3))
        self._span = 1
        """Frames per row."""
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
