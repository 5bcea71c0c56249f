"""Smoothing for speech: a causal one-euro filter per channel.

The filter is a first-order low-pass whose cutoff rises with the speed of the channel: steady while the face is still,
fast while it moves. G. Casiez, N. Roussel, D. Vogel: 1 EUR Filter: A Simple Speed-based Low-pass Filter for Noisy Input
in Interactive Systems, CHI 2012.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from arkit_mapping.channels import CHANNELS_61, FRAME_RATE
from arkit_mapping.character.closure import JAW_OPEN, MOUTH_CLOSE
from arkit_mapping.character.entries import Poses, number

MIN_CUTOFFS_HZ = (0.1, 60.0)
BETAS = (0.0, 200.0)

SPEED_CUTOFF_HZ = 6.0
"""Low-pass on the speed. With the paper's 1 Hz the filter reacts to a p only after its end; at 6 Hz the cutoff opens
within two frames."""

_SPEED_SHARE = np.float32(SPEED_CUTOFF_HZ / (SPEED_CUTOFF_HZ + FRAME_RATE / (2 * math.pi)))
_SPEED_KEPT = 1 - _SPEED_SHARE
_SPEED_GAIN = _SPEED_SHARE * np.float32(FRAME_RATE)
_HALF_SHARE_HZ = np.float32(FRAME_RATE / (2 * math.pi))
"""The cutoff at which half of a step is taken at once: the smoothing factor is f / (f + rate / 2 pi), as in the
paper."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The filter's two parameters. Raises CharacterError for one out of its range."""

    min_cutoff_hz: float
    """Cutoff without movement, Hz, 0.1 to 60. Lower is smoother with more delay."""
    beta: float = 0.0
    """Hz of cutoff for a speed of 1 (the whole range of a weight, or 1 radian) per second, 0 to 200. Higher has less
    delay in motion."""

    def __post_init__(self) -> None:
        number("min_cutoff_hz", self.min_cutoff_hz, *MIN_CUTOFFS_HZ)
        number("beta", self.beta, *BETAS)


class Smoother:
    """Smooths one stream of frames. Causal; the first frame passes unchanged; any chunking gives the same frames.

    JawOpen and MouthClose with the same parameters share one cutoff, the higher of the two: both are then the same
    mixture of the same frames, so lips that are closed in each frame stay closed in between.
    """

    def __init__(self, smoothings: Mapping[int, Smoothing]) -> None:
        """`smoothings` by wire index; other channels pass unchanged."""
        self._at = np.array([*smoothings], np.intp)
        self._min_cutoff_hz = np.array([smoothing.min_cutoff_hz for smoothing in smoothings.values()], np.float32)
        self._beta = np.array([smoothing.beta for smoothing in smoothings.values()], np.float32)
        together = JAW_OPEN in smoothings and smoothings[JAW_OPEN] == smoothings.get(MOUTH_CLOSE)
        self._lips = [[*smoothings].index(at) for at in (JAW_OPEN, MOUTH_CLOSE)] if together else []
        self.reset()

    def reset(self) -> None:
        """Clear the state: the next frame passes unchanged."""
        self._last: Poses | None = None

    def push(self, poses: Poses) -> Poses:
        """Smooth the next frames.

        Parameters
        ----------
        poses
            float32 (61,) or (frames, 61), wire order, finite.

        Returns
        -------
        A new array of the same shape
        """
        smooth = np.array(poses, np.float32)
        rows = smooth.reshape(-1, len(CHANNELS_61))
        if len(rows) and len(self._at):
            rows[:, self._at] = self._filtered(rows.take(self._at, axis=1))
        return smooth

    def _filtered(self, rows: Poses) -> Poses:
        """The one-euro filter in place, float32 (frames, channels). Only its two recursions loop over frames, without
        allocations."""
        if self._last is None:
            self._last, self._smooth, self._speed = rows[0].copy(), rows[0].copy(), np.zeros_like(rows[0])
        shares = self._shares(self._speeds(rows, self._last))
        self._last = rows[-1].copy()
        smooth = self._smooth
        for row, share in zip(rows, shares, strict=True):
            row -= smooth
            row *= share
            row += smooth
            smooth = row
        self._smooth = smooth.copy()
        return rows

    def _speeds(self, rows: Poses, last: Poses) -> Poses:
        """Low-passed speed of each channel, in its range per second."""
        speeds = np.empty_like(rows)
        np.subtract(rows[0], last, out=speeds[0])
        np.subtract(rows[1:], rows[:-1], out=speeds[1:])
        speeds *= _SPEED_GAIN
        speed, kept = self._speed, np.empty_like(last)
        for row in speeds:
            row += np.multiply(speed, _SPEED_KEPT, out=kept)
            speed = row
        self._speed = speed.copy()
        return speeds

    def _shares(self, speeds: Poses) -> Poses:
        """Smoothing factor of each step, in (0, 1)."""
        cutoff = np.abs(speeds)
        cutoff *= self._beta
        cutoff += self._min_cutoff_hz
        if self._lips:
            jaw, close = cutoff[:, self._lips[0]], cutoff[:, self._lips[1]]
            np.maximum(jaw, close, out=jaw)
            close[:] = jaw
        cutoff /= cutoff + _HALF_SHARE_HZ
        return cutoff
