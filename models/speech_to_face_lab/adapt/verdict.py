"""Whether an adaptation helped, by the takes that nothing was learnt from.

Judged are the correlations of jaw, aperture and rounding with the capture, those of them that the takes carry. None may
fall by more than `MAX_LOST`. The new model is better where they rise by `GAIN` on average; or where on average they
fall by less than that, and R² of all channels, which also sees how far the mouth moves, rises by `CLOSER`. Nothing is
judged on less than `LEAST_SPEECH_S` seconds of speech: there such differences come by chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import Samples
from speech_to_face.streaming.features import SAMPLE_RATE
from speech_to_face_lab.adapt.data.takes import Take
from speech_to_face_lab.adapt.figures import R2, Row

JUDGED = ("jaw r", "aperture r", "rounding r")
GAIN = 0.01
MAX_LOST = 0.02
CLOSER = 0.05
LEAST_SPEECH_S = 10.0
ADVISED_SPEECH_S = 60.0
_LOUD_SHARE, _SPEECH = 95, 0.03
"""Percentile of a take's frames by level that counts as loud; frames above -30 dB of that level count as speech."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of the held-out takes on the new model."""

    better: bool
    text: str
    """One line: the measures, how they changed, what was expected, on how much speech."""


def speech_s(takes: Sequence[Take]) -> float:
    """Seconds of speech, pauses left out."""
    return sum(_loud_frames(take.samples) for take in takes) / FRAME_RATE


def too_little(speech: float) -> str | None:
    """Why takes with so many seconds of speech cannot judge a model; None where they can."""
    if speech >= LEAST_SPEECH_S:
        return None
    wanted = f"expected {LEAST_SPEECH_S:g} s or more, better {ADVISED_SPEECH_S:g} s"
    return (
        f"too little speech is held out to judge on: {speech:.1f} s, {wanted}; one take in six is kept back, so "
        "record more takes"
    )


def judge(rows: Sequence[Row], speech: float) -> Verdict:
    """Of the rows of one set of takes with `speech` seconds of speech."""
    if (reason := too_little(speech)) is not None:
        return Verdict(False, f"not judged: {reason}")
    changes = {row.measure: row.after - row.before for row in rows}
    judged = [row for row in rows if row.measure in JUDGED and math.isfinite(changes[row.measure])]
    if not judged:
        return Verdict(False, f"not judged: neither {', '.join(JUDGED)} can be measured on the held-out takes")
    mean = sum(changes[row.measure] for row in judged) / len(judged)
    worst = min(judged, key=lambda row: changes[row.measure])
    fall, closer = -changes[worst.measure], changes.get(R2, math.nan)
    each = ", ".join(f"{row.measure} {row.before:.3f} -> {row.after:.3f}" for row in judged)
    on = f"on {speech:.0f} s of held-out speech: {each}"
    if fall > MAX_LOST:
        return Verdict(False, f"not better {on}; {worst.measure} fell by {fall:.3f}, expected {MAX_LOST:g} at most")
    if mean >= GAIN:
        return Verdict(True, f"better {on}; {mean:+.3f} on average")
    if mean > -GAIN and closer >= CLOSER:
        return Verdict(True, f"better {on}; {mean:+.3f} on average, and {R2} {closer:+.3f}")
    return Verdict(
        False,
        f"not better {on}; {mean:+.3f} on average, expected {GAIN:+g} or more, or as good and {R2} {CLOSER:+g} or more",
    )


def _loud_frames(samples: Samples) -> int:
    length = SAMPLE_RATE // FRAME_RATE
    frames = samples[: len(samples) // length * length].reshape(-1, length)
    levels = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1))
    return int((levels > _SPEECH * np.percentile(levels, _LOUD_SHARE)).sum()) if len(levels) else 0
