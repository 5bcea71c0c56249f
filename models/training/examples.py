"""Training examples: windows of augmented speech with the curves, phones and seals they should give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from models.corpus.augment import RATES, augment, no_speech, resped
from models.corpus.engines import SAMPLE_RATE
from models.corpus.phones import INDEX, Phone
from models.corpus.store import Clip, read_voice, voices
from models.corpus.visemes import RATE, STYLES, curves, labels, sealed, styled
from models.features import LogMel, frame_count

STYLE_SHARES = {"neutral": 0.5, "unknown": 0.2, "subtle": 0.1, "broad": 0.1, "smiling": 0.1}
"""How often each style is drawn; "unknown" speaks as neutral does, and is what a voice without a chosen style gets."""
NO_SPEECH_SHARE = 0.05
FORMANT_WEIGHT = 0.5
"""Formant voices count half: an hour of recorded human units teaches more."""
HELD_OUT = 50
"""Every fiftieth clip of a voice is kept for validation."""


@dataclass(frozen=True, slots=True)
class Target:
    """One clip with everything a window is cut from, at 60 Hz."""

    clip: Clip
    curves: NDArray[np.float16]
    labels: NDArray[np.int64]
    sealed: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Batch:
    """Stacked windows, frames aligned with the sound (the delay is applied by the loop)."""

    mel: torch.Tensor
    curves: torch.Tensor
    labels: torch.Tensor
    sealed: torch.Tensor
    style: torch.Tensor


def loudness_db(samples: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """float32 (frames,): level of the 50 ms around each frame's time."""
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    centre = np.arange(frames) * SAMPLE_RATE // RATE
    low, high = np.clip(centre - 400, 0, len(samples)), np.clip(centre + 400, 0, len(samples))
    return np.asarray(10 * np.log10((power[high] - power[low]) / np.maximum(high - low, 1) + 1e-8), np.float32)


def as_float(clip: Clip) -> NDArray[np.float32]:
    return np.asarray(clip.samples, np.float32) / np.float32(32768)


def target_of(clip: Clip) -> Target:
    frames = frame_count(len(clip.samples))
    level = loudness_db(as_float(clip), frames)
    mouth = curves(clip.phones, frames, level)
    return Target(clip, mouth.astype(np.float16), labels(clip.phones, frames), sealed(clip.phones, frames).astype(np.float16))


def load(folder: Path, held_out: bool, without: tuple[str, ...] = ()) -> list[Target]:
    """Targets of every voice whose name starts with none of `without`."""
    names = [name for name in voices(folder) if not name.startswith(without or ("\0",))]
    return [target_of(c) for name in names for i, c in enumerate(read_voice(folder, name)) if (i % HELD_OUT == 0) == held_out and c.phones]


class Windows(IterableDataset[Batch]):
    """Endless batches; the same seed gives the same batches."""

    def __init__(self, targets: list[Target], batch: int, seconds: float, seed: int) -> None:
        self.targets, self.batch, self.seed = targets, batch, seed
        self.frames = int(seconds * RATE)
        weight = np.array([len(t.clip.samples) * (FORMANT_WEIGHT if "espeak" in t.clip.voice else 1.0) for t in targets])
        self._chance = np.cumsum(weight / weight.sum())
        self._rest = curves((Phone("SIL", 0.0, seconds),), self.frames).astype(np.float32)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self.seed)
        while True:
            rows = [self._window(rng) for _ in range(self.batch)]
            yield Batch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))

    def _window(self, rng: np.random.Generator) -> tuple[NDArray[np.generic], ...]:
        count = self.frames * SAMPLE_RATE // RATE
        if rng.random() < NO_SPEECH_SHARE:
            sound, mouth = no_speech(count, rng), self._rest
            phones, seal = np.full(self.frames, INDEX["SIL"]), np.zeros(self.frames, np.float32)
        else:
            clean, mouth, phones, seal = self._speech(rng, count)
            sound = augment(clean, rng)
        style = str(rng.choice(list(STYLE_SHARES), p=list(STYLE_SHARES.values())))
        if style not in ("neutral", "unknown"):
            mouth = styled(mouth, style)
        row = STYLES.index(style) if style in STYLES else len(STYLES)
        return LogMel().push(sound), mouth, phones.astype(np.int64), seal.astype(np.float32), np.int64(row)  # type: ignore[return-value]

    def _speech(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.float32], ...]:
        """Clips one after the other, pauses between, from a random place in the first, until the window is full."""
        parts = [self._pause(rng, rng.uniform(0, 0.5))]
        while sum(len(part[0]) for part in parts) < count:
            parts.append(self._sped(rng))
            parts.append(self._pause(rng, rng.uniform(0.05, 0.8)))
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        skip = int(rng.integers(0, max(1, (len(joined[0]) - count) * RATE // SAMPLE_RATE))) if rng.random() < 0.5 else 0
        first = skip * SAMPLE_RATE // RATE
        sound, tracks = joined[0][first : first + count], [track[skip : skip + self.frames] for track in joined[1:]]
        return sound, tracks[0], tracks[1], tracks[2]

    def _sped(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        target = self.targets[int(np.searchsorted(self._chance, rng.random()))]
        rate = rng.uniform(*RATES)
        sound = resped(as_float(target.clip), rate)
        frames = len(sound) * RATE // SAMPLE_RATE
        at = np.clip(np.arange(frames) * rate, 0, len(target.labels) - 1)
        low = at.astype(int)
        high, part = np.minimum(low + 1, len(target.labels) - 1), (at - low)[:, None].astype(np.float32)
        mouth = target.curves[low] * (1 - part) + target.curves[high] * part
        near = np.round(at).astype(int)
        return sound[: frames * SAMPLE_RATE // RATE], mouth.astype(np.float32), target.labels[near], target.sealed[near].astype(np.float32)

    def _pause(self, rng: np.random.Generator, seconds: float) -> tuple[NDArray[np.float32], ...]:
        frames = 3 * int(seconds * RATE / 3)
        rest = np.repeat(self._rest[:1], frames, 0)
        return np.zeros(frames * SAMPLE_RATE // RATE, np.float32), rest, np.full(frames, INDEX["SIL"]), np.zeros(frames, np.float32)
