"""Smoothing that keeps up with speech: a one-euro filter per channel, for poses as they come.

The filter is a first-order low-pass whose cutoff rises with the speed of the channel: still where the face is still,
quick where it moves. G. Casiez, N. Roussel, D. Vogel: 1 EUR Filter: A Simple Speed-based Low-pass Filter for Noisy
Input in Interactive Systems, CHI 2012.
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
"""Low-pass on the speed. The paper's 1 Hz knows of a p only when it is over; at 6 Hz the cutoff opens within two
poses."""

_SPEED_SHARE = np.float32(SPEED_CUTOFF_HZ / (SPEED_CUTOFF_HZ + FRAME_RATE / (2 * math.pi)))
_SPEED_KEPT = 1 - _SPEED_SHARE
_SPEED_GAIN = _SPEED_SHARE * np.float32(FRAME_RATE)
_HALF_SHARE_HZ = np.float32(FRAME_RATE / (2 * math.pi))
"""The cutoff at which half of a step is taken at once: a share of f / (f + rate / 2 pi), as in the paper."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The filter's two numbers. Raises CharacterError for one out of its range."""

    min_cutoff_hz: float
    """Cutoff at rest, Hz, 0.1 to 60. Lower is smoother and later."""
    beta: float = 0.0
    """Hz of cutoff for a speed of 1 (the whole range of a weight, or 1 radian) per second, 0 to 200. Higher is quicker
    in motion."""

    def __post_init__(self) -> None:
        number("min_cutoff_hz", self.min_cutoff_hz, *MIN_CUTOFFS_HZ)
        number("beta", self.beta, *BETAS)


class Smoother:
    """One stream of poses, smoothed. Causal; the first pose passes as it is; any cutting into chunks gives the same
    poses.

    JawOpen and MouthClose with the same numbers share one cutoff, the higher of theirs: both are then the same mixture
    of the same poses, so lips that are sealed in each pose stay sealed between them.
    """

    def __init__(self, smoothings: Mapping[int, Smoothing]) -> None:
        """`smoothings` by position in wire order; a channel that is not among them passes untouched."""
        self._at = np.array([*smoothings], np.intp)
        self._min_cutoff_hz = np.array([smoothing.min_cutoff_hz for smoothing in smoothings.values()], np.float32)
        self._beta = np.array([smoothing.beta for smoothing in smoothings.values()], np.float32)
        together = JAW_OPEN in smoothings and smoothings[JAW_OPEN] == smoothings.get(MOUTH_CLOSE)
        self._lips = [[*smoothings].index(at) for at in (JAW_OPEN, MOUTH_CLOSE)] if together else []
        self.reset()

    def reset(self) -> None:
        """Forget every pose: the next one passes as it is."""
        self._last: Poses | None = None

    def push(self, poses: Poses) -> Poses:
        """The next poses smoothed, a new array of the same shape, float32 (61,) or (frames, 61), finite as those
        given."""
        smooth = np.array(poses, np.float32)
        rows = smooth.reshape(-1, len(CHANNELS_61))
        if len(rows) and len(self._at):
            rows[:, self._at] = self._filtered(rows.take(self._at, axis=1))
        return smooth

    def _filtered(self, rows: Poses) -> Poses:
        """The one-euro filter in place, float32 (frames, channels). Only its two recursions go pose by pose, without a
        new array."""
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
        """How fast each channel goes, its whole range per second, low-passed."""
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
        """How much of the way to each pose is gone at once, in (0, 1)."""
        cutoff = np.abs(speeds)
        cutoff *= self._beta
        cutoff += self._min_cutoff_hz
        if self._lips:
            jaw, close = cutoff[:, self._lips[0]], cutoff[:, self._lips[1]]
            np.maximum(jaw, close, out=jaw)
            close[:] = jaw
        cutoff /= cutoff + _HALF_SHARE_HZ
        return cutoff
