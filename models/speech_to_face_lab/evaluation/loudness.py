"""The baseline: a jaw that opens with the loudness. A network that does not beat it recognizes nothing but loudness."""

from __future__ import annotations

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.lips import Track
from speech_to_face.base import Samples
from speech_to_face.streaming.features import SAMPLE_RATE

RANGE_DB = 45.0
"""Decibels below the loudest moment at which the jaw is closed."""
DB_PER_JAW = 60.0
_QUIET = 1e-10


def loudness_face(samples: Samples) -> Track:
    """jawOpen from the level of the two frames around each frame's time, in decibels, over the whole recording's
    range."""
    hop = SAMPLE_RATE / FRAME_RATE
    frames = len(samples) * FRAME_RATE // SAMPLE_RATE
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    first = np.clip(((np.arange(frames) - 0.5) * hop).astype(int), 0, len(samples))
    end = np.clip(((np.arange(frames) + 1.5) * hop).astype(int), 0, len(samples))
    level = 10 * np.log10((power[end] - power[first]) / np.maximum(end - first, 1) + _QUIET)
    if not frames:
        return {"jawOpen": level}
    level = np.maximum(level, level.max() - RANGE_DB)
    return {"jawOpen": (level - level.min()) / DB_PER_JAW}
