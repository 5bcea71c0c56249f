"""Training examples: windows of tracks, with another level, equaliser and noise each time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from speech_to_face.networks.batch import IGNORED, Batch
from speech_to_face.phones import INDEX
from speech_to_face_lab.corpus.visemes import STYLES, styled
from speech_to_face_lab.tracks import UNKNOWN, Track
from speech_to_face_lab.training.data.mixing import Noises, mixed, only_noise

SHARES = {"recorded": 0.32, "formant": 0.11, "people": 0.24, "people-zh": 0.05, "mediapipe": 0.14, "facegood": 0.14}
"""Share of each group of tracks; the share of an absent one goes to the rest. Real people and recorded units teach more
per hour than formant synthesis; the two captured faces are two people, and a larger share would fit them alone."""
OTHER_SHARE = 0.15
"""Share of a group that is not listed, such as a user's own captures."""
RIG_STYLES = {"mediapipe": "tracked", "facegood": "keyframed"}
"""The style that a rig's faces are trained under; those of other rigs are trained under the unknown style alone."""
STYLE_SHARES = {"neutral": 0.35, "unknown": 0.35, "subtle": 0.1, "broad": 0.1, "smiling": 0.1}
"""Share of each style for rule-made mouths; "unknown" is the style of a voice without a chosen one."""
RIG_STYLE_SHARE = 0.25
"""Share of a captured face's windows under its own style; the others are under the unknown one."""
NO_SPEECH_SHARE = 0.07
ALL_STYLES = (*STYLES, *RIG_STYLES.values())


class Windows(IterableDataset[Batch]):
    """Endless batches; the same seed gives the same batches. Without noises the features stay as the tracks hold
    them."""

    def __init__(self, tracks: list[Track], noises: Noises | None, batch: int, seconds: float, seed: int) -> None:
        self.noises, self.batch, self.seed = noises, batch, seed
        self.frames = int(seconds * FRAME_RATE)
        self.tracks = tracks = [track for track in tracks if len(track.mel) >= self.frames]
        if not tracks:
            raise ValueError(
                f"no track is as long as a window of {seconds} s: expected longer ones, or a shorter window"
            )
        groups = {track.about.group for track in tracks}
        shares = {group: SHARES.get(group, OTHER_SHARE) for group in groups}
        frames = {group: sum(len(t.mel) for t in tracks if t.about.group == group) for group in groups}
        chance = np.array([shares[t.about.group] * len(t.mel) / frames[t.about.group] for t in tracks])
        self._chance = np.cumsum(chance / chance.sum())

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self.seed)
        while True:
            yield self._batch(rng)

    def _batch(self, rng: np.random.Generator) -> Batch:
        rows = [self._window(rng) for _ in range(self.batch)]
        mel, mouth, phones, seal, style = (np.stack(column) for column in zip(*rows, strict=True))
        mel = mixed(mel.astype(np.float32), self.noises, rng) if self.noises is not None else mel.astype(np.float32)
        silent = rng.random(self.batch) < NO_SPEECH_SHARE if self.noises is not None else np.zeros(self.batch, bool)
        if self.noises is not None and silent.any():
            mel[silent] = only_noise(self.noises, int(silent.sum()), self.frames, rng)
            mouth[silent], phones[silent], seal[silent], style[silent] = 0, INDEX["SIL"], 0, len(ALL_STYLES)
        known = ~np.isnan(mouth).any(1, keepdims=True)
        return Batch(
            torch.from_numpy(mel),
            torch.from_numpy(np.nan_to_num(mouth)),
            torch.from_numpy(known.astype(np.float32)),
            torch.from_numpy(np.where(phones == UNKNOWN, IGNORED, phones.astype(np.int64))),
            torch.from_numpy(seal),
            torch.from_numpy(style),
        )

    def _window(self, rng: np.random.Generator) -> tuple[NDArray[np.generic], ...]:
        track = self.tracks[int(np.searchsorted(self._chance, rng.random()))]
        first = int(rng.integers(0, max(1, len(track.mel) - self.frames)))
        part = slice(first, first + self.frames)
        mouth = track.curves[part].astype(np.float32)
        mouth, style = _ruled(mouth, rng) if track.about.rig == "rules" else (mouth, _rig_style(track.about.rig, rng))
        row = np.int64(ALL_STYLES.index(style) if style in ALL_STYLES else len(ALL_STYLES))
        return track.mel[part], mouth, track.labels[part], track.sealed[part].astype(np.float32), row  # type: ignore[return-value]


def _ruled(mouth: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], str]:
    style = str(rng.choice(list(STYLE_SHARES), p=list(STYLE_SHARES.values())))
    return (mouth if style in ("neutral", "unknown") else styled(mouth, style)), style


def _rig_style(rig: str, rng: np.random.Generator) -> str:
    return RIG_STYLES.get(rig, "unknown") if rng.random() < RIG_STYLE_SHARE else "unknown"


def read_noises(folder: Path) -> Noises:
    """The bank that `speech_to_face_lab.training.prepare` wrote."""
    noise, voices = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("noise", "babble"))
    return Noises(noise, voices)


def spread(tracks: list[Track]) -> torch.Tensor:
    """(32,) standard deviation of every channel over rule-made tracks, or over all where there are none."""
    ruled = [t for t in tracks if t.about.rig == "rules"] or tracks
    some = np.concatenate([t.curves[::97].astype(np.float32) for t in ruled])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a channel that no track carries has no deviation
        deviation = np.nan_to_num(np.nanstd(some, 0))
    return torch.from_numpy(deviation).to(torch.float32).reshape(len(MOUTH_32))
