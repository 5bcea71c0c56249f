"""Lip aperture: how far the lips are apart, and whether they close at a p, b or m.

`aperture` measures results: the evaluation of a model, the marks on the preview's timeline and the report of a batch
use it. `openness` is a factor from 0 to 1 for shapes that must not open closed lips.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52, CHANNELS_61, FRAME_RATE, SHAPE_COUNT
from arkit_mapping.character.closure import NOISE_GATE, LipRule, closed_lips
from arkit_mapping.character.entries import Poses

Array = NDArray[np.float64]
Track = Mapping[str, Array]
"""A face over time: ARKit channel, camelCase -> float64 (frames,). A missing channel is 0."""

ONSET_BEFORE_S, ONSET_AFTER_S = 0.06, 0.13
"""Window around the onset of a p, b or m, or of its word, in which the lips are expected to be closed, seconds."""
SEALED = NOISE_GATE
"""Largest aperture of closed lips: a fiftieth of the range, less than a millimetre, which the lip rule treats as noise
of a neutral jaw. With 0, the exact seal of `aperture`, a network's noise of a few thousandths would open every second
m."""

_PIECE = 3600
_CHANNELS = tuple((at, name) for at, name in enumerate(ARKIT_52[:SHAPE_COUNT]) if name.startswith(("jawOpen", "mouth")))
APART = 0.1
"""JawOpen minus MouthClose from which lips count as fully apart; the smallest vowels open by 0.1 or more."""
PRESSED, ROLLED = 0.25, 0.22
"""MouthPress, and MouthRollLower or MouthRollUpper, at which lips are closed whatever the jaw: a p has 0.2 and 0.1-0.15
with hardly any opening, an f a rolled lower lip of 0.3 on the teeth."""

_JAW, _CLOSE, _ROLL_LOWER, _ROLL_UPPER, _PRESS_LEFT, _PRESS_RIGHT = (
    CHANNELS_61.index(name)
    for name in ("JawOpen", "MouthClose", "MouthRollLower", "MouthRollUpper", "MouthPressLeft", "MouthPressRight")
)


def mean(face: Track, *names: str) -> Array:
    """float64 (frames,): mean of the named channels that the face has; zeros when it has none of them."""
    found = [np.asarray(face[name], np.float64) for name in names if name in face]
    if found:
        return np.asarray(np.mean(found, axis=0))
    return np.zeros(len(next(iter(face.values()), np.zeros(0))))


def aperture(face: Track) -> Array:
    """float64 (frames,): lip aperture, 0 or less is sealed: opening of the jaw and the lifted lips, minus the shapes
    that close them."""
    opened = (
        mean(face, "jawOpen")
        + (
            mean(face, "mouthLowerDownLeft", "mouthLowerDownRight")
            + mean(face, "mouthUpperUpLeft", "mouthUpperUpRight")
        )
        / 2
    )
    rolled = (mean(face, "mouthRollLower") + mean(face, "mouthRollUpper")) / 2
    return opened - mean(face, "mouthClose") - mean(face, "mouthPressLeft", "mouthPressRight") / 2 - rolled


def apertures(poses: Poses, rule: LipRule = "metahuman") -> NDArray[np.float32]:
    """The aperture of each frame as a receiver shows it.

    Parameters
    ----------
    poses
        float32 (n, 61) in wire order, MouthClose as predicted; what is not finite counts as neutral.
    rule
        The receiver's MouthClose rule; by default that of MetaHumans, for which 0.9 of JawOpen is closed.

    Returns
    -------
    float32 (n,)
    """
    pieces = [_apertures(poses[first : first + _PIECE], rule) for first in range(0, len(poses), _PIECE)]
    return np.concatenate([np.zeros(0, np.float32), *pieces])


def onset_window(onset_s: float, frames: int, *, whole: bool = False) -> slice | None:
    """The frames around an onset in which the lips are expected to be closed.

    Parameters
    ----------
    onset_s
        Onset of the phone or its word, seconds from the first frame.
    frames
        Number of frames of the recording.
    whole
        False: a window that crosses an edge of the recording is cut there, and the result is None when no frame
        remains. True: None unless the window is inside with at least one frame to spare on either side, as a measure
        over many clips must not mix windows of different length.
    """
    first, end = int((onset_s - ONSET_BEFORE_S) * FRAME_RATE), int((onset_s + ONSET_AFTER_S) * FRAME_RATE)
    if whole:
        return slice(first, end) if first >= 1 and end < frames else None
    first, end = max(0, first), min(frames, end)
    return slice(first, end) if end > first else None


def narrowest(gap: NDArray[np.floating[Any]], onset_s: float, *, whole: bool = False) -> float | None:
    """The smallest aperture in the window around an onset; None when there is no window. See `onset_window`.

    Parameters
    ----------
    gap
        float (frames,), aperture of each frame.
    onset_s, whole
        As for `onset_window`.
    """
    window = onset_window(onset_s, len(gap), whole=whole)
    return None if window is None else float(gap[window].min())


def openness(poses: NDArray[np.float32]) -> NDArray[np.float32]:
    """Degree of opening of the lips, per frame: 0 when they touch, 1 when they are clearly apart, smooth in between.

    Parameters
    ----------
    poses
        float32 (..., 61), wire order, MouthClose as predicted.

    Returns
    -------
    float32 (...), in [0, 1]
    """
    apart = (poses[..., _JAW] - poses[..., _CLOSE]) / APART
    pressed = np.minimum(poses[..., _PRESS_LEFT], poses[..., _PRESS_RIGHT]) / PRESSED
    rolled = np.maximum(poses[..., _ROLL_LOWER], poses[..., _ROLL_UPPER]) / ROLLED
    part = np.minimum(np.maximum(np.array([apart, 1 - pressed, 1 - rolled]), 0), 1)
    part *= part * (3 - 2 * part)
    opened: NDArray[np.float32] = part[0] * part[1] * part[2]
    return opened


def _apertures(poses: Poses, rule: LipRule) -> NDArray[np.float32]:
    shown = np.nan_to_num(closed_lips(poses, rule), nan=0.0, posinf=1.0, neginf=0.0)
    return aperture({name: shown[:, at].astype(np.float64) for at, name in _CHANNELS}).astype(np.float32)
