"""Calibration of the noise gate: two seconds of room and two of voice give its thresholds, stored per device."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.level_meter import clipped_samples
from livelink_bridge.audio.noise_gate import Levels, Thresholds
from livelink_bridge.errors import SourceError, UsageError
from livelink_bridge.settings import shared_json
from livelink_bridge.settings.identity import config_folder
from speech_to_face.base import Samples

ROOM_S, VOICE_S = 2.0, 2.0
NEEDED_DB = 6.0
"""Smallest distance of the voice's median level from the room's level."""
ROOM_PERCENT = 95
"""Percentile of the room's levels that counts as its level."""

_LOWEST_DBFS = -90.0
_PART_TO_OPEN, _LEAST_DB, _MAX_DB = 1 / 3, 3.0, 10.0
"""Opening threshold above the room: this fraction of the distance to the voice, within these bounds; the first
consonants of a sentence are far softer than its vowels."""
_HYSTERESIS_DB = 3.0
_FILE = "calibration.json"

_log = logging.getLogger(__name__)


def calibrate(room: Samples, voice: Samples, rate: int) -> Thresholds:
    """Thresholds from two recordings of one device, before any gain.

    Parameters
    ----------
    room : float32 (n,) in [-1, 1], without speech; about `ROOM_S`
    voice : float32 (m,) in [-1, 1], normal speech; about `VOICE_S`
    rate : Hz of both

    Raises
    ------
    SourceError : the voice clips or is less than `NEEDED_DB` above the room, or a recording is shorter than half its
        duration
    """
    room_dbfs = float(np.percentile(_levels(room, rate, ROOM_S, "room"), ROOM_PERCENT))
    voice_dbfs = float(np.median(_levels(voice, rate, VOICE_S, "voice")))
    clipped = clipped_samples(voice)
    if clipped:
        raise SourceError(
            f"the voice clips: {clipped} samples at full scale, expected none; turn the microphone's level down and "
            "calibrate again"
        )
    above_db = voice_dbfs - room_dbfs
    if above_db < NEEDED_DB:
        lies = f"{abs(above_db):.1f} dB {'above' if above_db >= 0 else 'below'} the room ({room_dbfs:.0f} dBFS)"
        raise SourceError(
            f"the voice ({voice_dbfs:.0f} dBFS) lies {lies}, expected at least {NEEDED_DB:g} dB above it; "
            "move closer to the microphone, speak up, and calibrate again"
        )
    opens = room_dbfs + min(_MAX_DB, max(_LEAST_DB, above_db * _PART_TO_OPEN))
    return Thresholds(round(opens, 1), round(opens - _HYSTERESIS_DB, 1))


def load(device: str, folder: Path | None = None) -> Thresholds | None:
    """The stored thresholds of a device.

    Parameters
    ----------
    device : its name
    folder : of calibration.json; default: the configuration folder

    Returns
    -------
    Thresholds before any gain; None when none are stored, and after a warning when the file is damaged
    """
    return _read((folder or config_folder()) / _FILE).get(device)


def save(device: str, thresholds: Thresholds, folder: Path | None = None) -> None:
    """Store the thresholds of a device.

    Parameters
    ----------
    device : its name
    thresholds : before any gain
    folder : of calibration.json; default: the configuration folder. A file that cannot be written is a warning
    """
    path = (folder or config_folder()) / _FILE
    try:
        shared_json.change(path, lambda: _rows(_read(path) | {device: thresholds}))
    except OSError as error:
        _log.warning("%s cannot be written (%s); calibrate again in every session", path, error.strerror)


def _rows(known: Mapping[str, Thresholds]) -> dict[str, dict[str, float]]:
    return {device: {"open_dbfs": one.open_dbfs, "close_dbfs": one.close_dbfs} for device, one in known.items()}


def _levels(samples: Samples, rate: int, wanted_s: float, what: str) -> Levels:
    """float64 (hops,): RMS of each 1/60 s in dBFS, at least -90, as digital silence is not a room level."""
    hop = rate // FRAME_RATE
    if len(samples) < wanted_s / 2 * rate:
        raise SourceError(
            f"{len(samples) / rate:.1f} s of {what}, expected {wanted_s:g} s; did the microphone stop? calibrate again"
        )
    power = np.mean(np.square(samples[: len(samples) // hop * hop].reshape(-1, hop), dtype=np.float64), axis=1)
    return np.asarray(np.maximum(_LOWEST_DBFS, 10 * np.log10(power + 1e-12)))


def _read(path: Path) -> dict[str, Thresholds]:
    try:
        rows = shared_json.read(path).items()
        return {str(device): Thresholds(float(row["open_dbfs"]), float(row["close_dbfs"])) for device, row in rows}
    except (OSError, ValueError, AttributeError, KeyError, TypeError, UsageError) as error:
        _log.warning(
            "%s cannot be used (%r); the noise gate uses its default levels until the microphone is calibrated again",
            path,
            error,
        )
        return {}
