"""A recorder of Ada's takes, the poses it is sent and the sound it hears."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.timing.shown import Shown
from livelink_bridge.timing.stamp import Stamp

SIXTY = Fraction(60)
START = 36000 * 60
"""Frame number of 10:00:00:00."""
COUNTING = 2**22


def stamp(frame: float, start: int = START) -> Stamp:
    whole = int(frame + start)
    return Stamp(whole, frame + start - whole, SIXTY, (frame + start) / 60 % 86400)


def recorder(folder: Path, **options: Any) -> Recorder:
    """A recorder of one day; `start` waits long enough for a busy machine."""
    options = {"first_pose_s": 20.0} | options
    return Recorder(folder, subject="Ada", now=lambda: datetime(2024, 12, 4, 10).astimezone(), **options)


class Moments(Shown):
    """Shows the next of these moments, seconds of audio, each time it is asked."""

    def __init__(self, moments_s: Iterable[float | None]) -> None:
        super().__init__()
        self._left = iter(moments_s)

    @property
    def position_s(self) -> float | None:
        return next(self._left)


def counting(count: int, first: int = 0) -> np.ndarray:
    """float32 (count,): sound whose every sample tells its own number, exactly, in 24 bits."""
    return ((first + np.arange(count)) / COUNTING).astype(np.float32)


def numbers(path: Path) -> np.ndarray:
    """The sample numbers in a file of such sound."""
    samples, _ = soundfile.read(path, dtype="float64")
    return samples * 2**23 / (2**23 - 1) * COUNTING


def hear(one: Recorder, samples: np.ndarray, rate: int = 48000, start: int = 0) -> None:
    for at in range(0, len(samples), rate // 100):
        part = samples[at : at + rate // 100]
        one.hear(AudioBlock(part, rate, start + at, (start + at + len(part)) / rate))


def send(one: Recorder, frames: int, first: int = 0) -> None:
    for frame in range(first, first + frames):
        one.send(np.full(61, frame % 100 / 100, np.float32), stamp(frame))
