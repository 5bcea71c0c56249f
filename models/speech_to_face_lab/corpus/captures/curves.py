"""Curves of any rate and column order as `MOUTH_32` at 60 Hz, on the clock of their audio."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE, MOUTH_32, nearest
from speech_to_face.base import ModelError
from speech_to_face.streaming.features import SAMPLE_RATE, frame_count

HELD_S = 0.25
"""Seconds that the last frame may be held; audio past that has no face and is cut."""
LOWEST, HIGHEST = -1.0, 2.0
"""Solvers overshoot [0, 1] a little; values past these are of another unit (percent, degrees)."""
MAX_APART = 1.5
"""Sound and curves whose lengths differ by more than this factor are not of one recording, or the rate is wrong."""

Curves = tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.bool_]]
"""int16 (n,), float32 (frame_count(n), 32), bool (32,)."""


@cache
def rigs() -> dict[str, Any]:
    """Facts about the sources: `rigs.yaml`."""
    return yaml.safe_load(files("speech_to_face_lab.corpus.captures").joinpath("rigs.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def fit(
    path: Path,
    samples: NDArray[np.int16],
    values: NDArray[np.floating],
    times_s: NDArray[np.float64],
    names: Sequence[str],
    rig: str,
) -> Curves:
    """Sound and curves on one clock, and the channels that count.

    path: for the errors. values: (frames, len(names)). times_s: (frames,), rising, seconds of the sound, lag taken out
    already. Raises ModelError for values or lengths that cannot be right.
    """
    check(path, values, times_s, names)
    samples = _cut(path, samples, times_s)
    at = np.arange(frame_count(len(samples))) / FRAME_RATE
    columns = _columns(path, names)
    curves = np.zeros((len(at), len(MOUTH_32)), np.float32)
    for channel, column in columns.items():
        curves[:, channel] = np.interp(at, times_s, values[:, column])
    return samples, np.clip(curves, 0, 1), _live(columns, rig)


def even_times(frames: int, fps: float, lag_s: float = 0.0) -> NDArray[np.float64]:
    """float64 (frames,): time in the audio of each frame of curves that come `lag_s` late."""
    return np.arange(frames) / fps - lag_s


def check(path: Path, values: NDArray[np.floating], times_s: NDArray[np.float64], names: Sequence[str]) -> None:
    """ModelError unless there is a row a time and a column a name, and all are weights. path: for the error."""
    if values.ndim != 2 or values.shape != (len(times_s), len(names)) or not len(times_s):
        raise ModelError(
            f"curves {path}: got shape {values.shape}, expected one row per frame and {len(names)} columns as named"
        )
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ModelError(f"curves {path}: {names[column]} of frame {row} is not finite, expected a number from 0 to 1")
    if values.min() < LOWEST or values.max() > HIGHEST:
        raise ModelError(
            f"curves {path}: got values from {values.min():.3g} to {values.max():.3g}, expected weights from 0 to 1"
        )


def _cut(path: Path, samples: NDArray[np.int16], times_s: NDArray[np.float64]) -> NDArray[np.int16]:
    """The audio up to the end of the face."""
    sound_s, curves_s = (
        len(samples) / SAMPLE_RATE,
        float(times_s[-1]) + float(times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1),
    )
    if max(sound_s, curves_s) - HELD_S > MAX_APART * min(sound_s, curves_s):
        raise ModelError(
            f"curves {path}: got {curves_s:.2f} s for {sound_s:.2f} s of audio, expected the same; check the frame rate"
        )
    return samples[: round((curves_s + HELD_S) * SAMPLE_RATE)] if sound_s > curves_s + HELD_S else samples


def plain(name: str) -> str:
    """ARKit's camelCase spelling of `MouthSmileLeft`, `mouthSmile_L` or `mouthSmileLeft`."""
    for short, long in (("_L", "Left"), ("_R", "Right")):
        name = name.removesuffix(short) + long if name.endswith(short) else name
    return name[:1].lower() + name[1:]


def _columns(path: Path, names: Sequence[str]) -> dict[int, int]:
    """Index in MOUTH_32 -> column, for the channels that the source has."""
    given = {plain(name): column for column, name in enumerate(names)}
    found = {channel: given[name] for channel, name in enumerate(MOUTH_32) if name in given}
    if MOUTH_32.index("jawOpen") not in found:
        raise ModelError(
            f"curves {path}: no channel jawOpen among {len(names)} names{nearest('jawOpen', tuple(given))}"
        )
    return found


def _live(columns: dict[int, int], rig: str) -> NDArray[np.bool_]:
    dead = set(rigs()["dead"].get(rig, ()))
    return np.array([channel in columns and name not in dead for channel, name in enumerate(MOUTH_32)])
