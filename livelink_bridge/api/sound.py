"""Checks the audio that a caller passes, once, before it enters the pipeline. Each error is one line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from livelink_bridge.audio.pcm import PcmFormat, Sound
from livelink_bridge.errors import UsageError

_MAX_PEAK = 10.0
"""Values slightly above 1 are clipped, as everywhere; above this, the caller forgot to divide by 32768."""


def checked_rate(rate: object) -> int:
    """A sample rate in Hz, 8000 to 192000: an int, a numpy integer or a whole float. Raises UsageError."""
    return PcmFormat("s16le", rate, 1).rate  # type: ignore[arg-type]  # PcmFormat checks it


def checked_sound(given: ArrayLike, max_channels: int) -> Sound:
    """Audio samples as float32.

    Parameters
    ----------
    given : float (n,) or (n, channels) in [-1, 1], or int16 (full scale 32768) of these shapes
    max_channels : most audio channels

    Returns
    -------
    float32 (n, channels), possibly sharing memory with `given`.

    Raises UsageError for another type or shape, for NaN and infinity, and for values above 10.
    """
    samples = _array(given)
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and not 1 <= samples.shape[1] <= max_channels):
        hint = "; transpose it" if samples.ndim == 2 and samples.shape[0] <= max_channels else ""
        expected = f"(samples,) or (samples, channels) with 1 to {max_channels} channels"
        raise UsageError(f"sound: got shape {samples.shape}, expected {expected}{hint}")
    table = samples[:, None] if samples.ndim == 1 else samples
    if _is_int16(table):
        return PcmFormat("s16le", 8000, 1).decode(table.astype("<i2").tobytes()).reshape(table.shape)
    return _checked_values(table)


def _array(given: ArrayLike) -> NDArray[np.generic]:
    try:
        samples = np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists; tensors of other devices
        raise UsageError(
            f"sound: got {type(given).__name__} that is no array ({error}), expected floats in [-1, 1]"
        ) from None
    if samples.dtype.kind != "f" and not _is_int16(samples):
        raise UsageError(f"sound: got {samples.dtype.name}, expected floats in [-1, 1] or int16")
    return samples


def _is_int16(samples: NDArray[np.generic]) -> bool:
    """In either byte order."""
    return (samples.dtype.kind, samples.dtype.itemsize) == ("i", 2)


def _checked_values(table: NDArray[np.generic]) -> Sound:
    values = np.asarray(table, np.float32) if table.dtype.itemsize <= 4 else np.asarray(table)
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(wrong):
        raise UsageError(
            f"sound: sample {wrong[0]} is not finite ({len(wrong)} of {len(values)} are not), expected floats in [-1, "
            "1]"
        )
    peak = float(max(values.max(initial=0), -values.min(initial=0)))
    if peak > _MAX_PEAK:
        raise UsageError(f"sound: got values up to {peak:g}, expected floats in [-1, 1]; divide 16-bit audio by 32768")
    return np.asarray(values, np.float32)
