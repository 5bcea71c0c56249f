"""Phone accuracy of the pseudo-text branch on recordings with timed phones, loud and soft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, Samples
from speech_to_face.phones import INDEX
from speech_to_face_lab.corpus.visemes import labels
from speech_to_face_lab.evaluation.data import TimedSpeech, read_samples
from speech_to_face_lab.metrics import right_share

Posteriors = Callable[[Samples], NDArray[np.float32]]
"""float32 (n,) at 16 kHz -> log-probabilities (frames, classes) at 60 Hz."""
Labels = NDArray[np.int64]
LOUD_DBFS, SOFT_DBFS = -6.0, -34.0
"""Peaks at the loud and the soft end of a microphone's levels."""
UNKNOWN = -1
"""Label of a frame without an annotated phone."""


@dataclass(frozen=True, slots=True)
class PhoneScore:
    """Frames with the right one of all classes."""

    frames: int
    accuracy: float
    """As recorded; pauses count as a class."""
    spoken_accuracy: float
    """As recorded, over the frames that are not a pause."""
    loud_accuracy: float
    """Normalised to a peak of -6 dBFS."""
    soft_accuracy: float
    """Normalised to a peak of -34 dBFS."""
    level_ratio: float
    """Soft over loud."""
    clips: dict[str, float]
    """By name: `accuracy` of each."""


def posteriors_of(folder: Path) -> Posteriors | str:
    """The posteriors of a checkpoint's network; or why there are none, in a few words for the user."""
    from speech_to_face.networks.pmmtalk.config import load_config

    config = load_config(folder / checkpoint.CONFIG)
    if config.system != "pmmtalk" or not config.phones:
        return f"{folder.name} has no phone posteriors"
    try:
        import torch  # noqa: F401
    except ImportError:
        return "it needs torch, which is not installed; see https://pytorch.org/get-started/locally/"
    from speech_to_face.networks.pmmtalk.loading import load_network
    from speech_to_face.networks.pmmtalk.posteriors import log_posteriors

    try:
        network = load_network(folder, config)
    except ModelError as error:
        return str(error)
    return lambda samples: log_posteriors(network, samples)


def phone_score(
    clips: Sequence[TimedSpeech], posteriors: Posteriors, on_clip: Callable[[], None] = lambda: None
) -> PhoneScore | None:
    """Over all clips, frame by frame; None without clips."""
    found: dict[str, tuple[Labels, ...]] = {}
    for clip in clips:
        found[clip.name] = _heard(clip, posteriors)
        on_clip()
    if not found:
        return None
    truth, recorded, loud, soft = (np.concatenate([row[i] for row in found.values()]) for i in range(4))
    at_loud, at_soft = right_share(loud, truth), right_share(soft, truth)
    spoken = truth != INDEX["SIL"]
    return PhoneScore(
        frames=len(truth),
        accuracy=right_share(recorded, truth),
        spoken_accuracy=right_share(recorded[spoken], truth[spoken]),
        loud_accuracy=at_loud,
        soft_accuracy=at_soft,
        level_ratio=at_soft / at_loud if at_loud else float("nan"),
        clips={name: right_share(row[1], row[0]) for name, row in found.items()},
    )


def at_peak(samples: Samples, dbfs: float) -> Samples:
    """The same sound with its highest sample at `dbfs`; silence stays silent."""
    peak = float(np.abs(samples).max(initial=0.0))
    return (samples * (10 ** (dbfs / 20) / peak)).astype(np.float32) if peak > 0 else samples


def _heard(clip: TimedSpeech, posteriors: Posteriors) -> tuple[Labels, ...]:
    """Classes of the frames that have one: the truth, and those recognized as recorded, loud and soft."""
    from speech_to_face_lab.corpus.captures.textgrid import timed_phones

    samples = read_samples(clip.sound, allow_cut=clip.allow_cut)
    heard = [
        posteriors(sound).argmax(1) for sound in (samples, at_peak(samples, LOUD_DBFS), at_peak(samples, SOFT_DBFS))
    ]
    truth = labels(timed_phones(clip.phones), len(heard[0]), outside=UNKNOWN)
    known = truth != UNKNOWN
    return (truth[known], *(guesses[known].astype(np.int64) for guesses in heard))
