"""How readable lips are: a lip reader that hears nothing names the phone of every frame.

The reader is the dual half of a DualTalker network (Su, Yang, Li, arXiv 2311.04766: lip reading is its dual task; that
it judges takes is ours). It learnt on the faces it was trained on and reads others less well: marks compare takes with
takes, not with people. How sure it is tells distinct lips from mumbling ones, not right lips from wrong ones: a take
played backwards looks as distinct. That it is right shows in what is compared with known phones or with the sound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52, FRAME_RATE, MOUTH_32
from speech_to_face.base import ModelError, Samples, SpeechToFace
from speech_to_face.phones import CLASSES, INDEX, VISEMES, Phone
from speech_to_face.streaming.features import frame_count
from speech_to_face_lab.corpus.visemes import labels
from speech_to_face_lab.evaluation.data import read_samples
from speech_to_face_lab.evaluation.phones import Posteriors
from speech_to_face_lab.metrics import resample_to_60

Reader = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32 (frames, 32), MOUTH_32 order, 60 Hz -> log-probabilities (frames, classes)."""
Classes = NDArray[np.int64]
SILENT = INDEX["SIL"]
UNKNOWN = -1
_VISEME = np.array([VISEMES[name] for name in CLASSES])


@dataclass(frozen=True, slots=True)
class Lips:
    """A face to be read, and its known phones."""

    name: str
    mouth: NDArray[np.float32]
    """float32 (frames, 32), MOUTH_32 order, 60 Hz."""
    samples: Samples | None = None
    """Its audio, which starts with its first frame."""
    phones: tuple[Phone, ...] | None = None
    """Timed phones; None where they are not known."""


@dataclass(frozen=True, slots=True)
class Readability:
    """Marks of one face; NaN for a figure that is not available."""

    name: str
    seconds: float
    speaking: float
    """Share of frames that are read as speech."""
    confidence: float
    """Mean probability of the phone that is read, over those frames."""
    entropy_bits: float
    """Mean entropy of the reader's guess over those frames: 0 is sure, log2 of 30 classes, 4.9, has no idea."""
    phones_right: float
    """Share of frames of known phones, pauses left out, that are read right."""
    visemes_right: float
    """The same by visemes: phones that look alike count as one."""
    heard: float
    """Share of frames in which the phone recognized in the audio and the one read off the lips have the same viseme."""
    constant: float
    """The chance level of the two above: the share of the commonest viseme among the known phones, or among the
    recognized ones."""


def readability(lips: Lips, reader: Reader, ear: Posteriors | None = None) -> Readability:
    """Marks of one face; without `ear`, or without sound, `heard` is NaN."""
    log_read = reader(lips.mouth).astype(np.float64)
    read = log_read.argmax(1)
    speaking = read != SILENT
    sure, entropy = np.exp(log_read).max(1), -(np.exp(log_read) * log_read).sum(1) / np.log(2)
    said = _said(lips, len(read))
    heard = _heard(lips, len(read), ear)
    compared = said if (said != UNKNOWN).any() else heard
    return Readability(
        name=lips.name,
        seconds=len(read) / FRAME_RATE,
        speaking=_mean(speaking),
        confidence=_mean(sure[speaking]),
        entropy_bits=_mean(entropy[speaking]),
        phones_right=_mean((read == said)[said != UNKNOWN]),
        visemes_right=_alike(read, said),
        heard=_alike(read, heard),
        constant=_commonest(compared),
    )


def together(marks: Sequence[Readability]) -> Readability:
    """The mean over faces, weighed by their length; what one of them lacks is the mean of the others."""
    weights = np.array([mark.seconds for mark in marks])

    def mean(name: str) -> float:
        values = np.array([getattr(mark, name) for mark in marks])
        there = ~np.isnan(values) & (weights > 0)
        return float(np.average(values[there], weights=weights[there])) if there.any() else float("nan")

    names = ("speaking", "confidence", "entropy_bits", "phones_right", "visemes_right", "heard", "constant")
    return Readability("all", float(weights.sum()), **{name: mean(name) for name in names})


def take_lips(path: Path, rate: str | None = None) -> Lips:
    """The mouth of a take, with the sound and the TextGrid that lie beside it, where they do. `rate` is `read_take`'s.

    The take's first row is taken to be the start of the sound; rows the app left out are interpolated. Raises
    ModelError.
    """
    from arkit_mapping.takes.csv import TakeError, read_take
    from arkit_mapping.takes.names import sound_beside

    try:
        take = read_take(path, rate)
    except TakeError as error:
        raise ModelError(str(error)) from None
    times_s = take.times_s - take.times_s[0]
    columns = [ARKIT_52.index(name) for name in MOUTH_32]
    frames = int(round(float(times_s[-1]) * FRAME_RATE)) + 1
    mouth = np.clip(resample_to_60(take.values[:, columns].astype(np.float64), times_s, frames), 0, 1).astype(
        np.float32
    )
    sound = sound_beside(path)
    return Lips(path.name, mouth, None if sound is None else read_samples(sound), _phones_beside(path))


def spoken_lips(model: SpeechToFace, path: Path) -> Lips:
    """The mouth that a model makes of a sound file, with the TextGrid beside it. Raises ModelError for a file that
    cannot be read."""
    samples = read_samples(path)
    face = np.asarray(model.animate(samples), np.float64)
    at_60_hz = resample_to_60(face, np.arange(len(face)) / model.frame_rate, frame_count(len(samples)))
    mouth = np.zeros((len(at_60_hz), len(MOUTH_32)), np.float32)
    for column, name in enumerate(model.channels):
        if name in MOUTH_32:
            mouth[:, MOUTH_32.index(name)] = at_60_hz[:, column]
    return Lips(path.name, mouth, samples, _phones_beside(path))


def _phones_beside(path: Path) -> tuple[Phone, ...] | None:
    from speech_to_face_lab.corpus.captures.textgrid import timed_phones

    beside = path.with_suffix(".TextGrid")
    return timed_phones(beside) if beside.is_file() else None


def _said(lips: Lips, frames: int) -> Classes:
    """The class of each frame, UNKNOWN in pauses and where nobody knows."""
    if lips.phones is None:
        return np.full(frames, UNKNOWN, np.int64)
    said = labels(lips.phones, frames, outside=UNKNOWN)
    return np.where(said == SILENT, UNKNOWN, said)


def _heard(lips: Lips, frames: int, ear: Posteriors | None) -> Classes:
    """The class heard at each frame, UNKNOWN in pauses and where there is no sound."""
    found = np.full(frames, UNKNOWN, np.int64)
    if ear is not None and lips.samples is not None:
        heard = ear(lips.samples).argmax(1)[:frames]
        found[: len(heard)] = np.where(heard == SILENT, UNKNOWN, heard)
    return found


def _alike(read: Classes, wanted: Classes) -> float:
    """Share of the frames with a wanted class in which a class of the same viseme is read."""
    there = wanted != UNKNOWN
    return _mean(_VISEME[read[there]] == _VISEME[wanted[there]])


def _commonest(wanted: Classes) -> float:
    there = wanted[wanted != UNKNOWN]
    return float(np.bincount(_VISEME[there]).max() / len(there)) if len(there) else float("nan")


def _mean(values: NDArray[np.generic]) -> float:
    return float(np.mean(values.astype(np.float64))) if len(values) else float("nan")
