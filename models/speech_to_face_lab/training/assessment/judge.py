"""Scores of a small network on unseen subjects: the errors of the papers' tables, and closure recall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from arkit_mapping.character.lips import ONSET_AFTER_S, ONSET_BEFORE_S, aperture, narrowest
from speech_to_face.phones import INDEX
from speech_to_face.streaming.stepped import PRIME_STEPS, silence
from speech_to_face_lab.metrics import closure_recall
from speech_to_face_lab.paper_metrics import BlendshapeErrors, pmmtalk_errors
from speech_to_face_lab.tracks import UNKNOWN, Track

BLOCK = 240
"""Steps run at once."""
CLOSING = (INDEX["PB"], INDEX["M"])
"""Labels of phones with closed lips."""
Curves = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Score:
    """On the test subjects, all their frames pooled."""

    errors: BlendshapeErrors
    closure_recall: float
    """Share of p, b, m whose lips are narrower than 90 % of those at other phones; NaN without known phones."""


@torch.inference_mode()
def animate(network: nn.Module, mel: Tensor, row: int = -1) -> Tensor:
    """mel float32 (voices, frames, 160) to coefficients (voices, frames, channels) in [0, 1], after a second of
    silence, as live.

    row: of the style table; the last one is the unknown speaker. The frames that the look-ahead holds back are heard in
    silence.
    """
    causal: Any = network
    voices, quiet = len(mel), torch.from_numpy(silence()).to(mel)
    style = causal.styles.weight[row].expand(voices, -1)
    heard = torch.cat(
        [quiet.expand(voices, -1, -1), mel, quiet[len(quiet) - causal.config.delay :].expand(voices, -1, -1)], 1
    )
    states, found = causal.initial_states(voices), []
    for at in range(0, heard.shape[1], BLOCK):
        out, states = causal(heard[:, at : at + BLOCK], style, states)
        found.append(out)
    return torch.cat(found, 1)[:, PRIME_STEPS + causal.config.delay :].clamp(0, 1)


def score(network: nn.Module, tracks: Sequence[Track], frames: int) -> Score:
    """Of a network on the first `frames` frames of each track."""
    device = next(network.parameters()).device
    mel = torch.from_numpy(np.stack([track.mel[:frames].astype(np.float32) for track in tracks])).to(device)
    return compared(list(animate(network.eval(), mel).cpu().numpy()), tracks)


def compared(predicted: Sequence[Curves], tracks: Sequence[Track]) -> Score:
    """Of (frames, 32) for each track, against as many of its first frames."""
    found = pmmtalk_errors([(mouth, track.curves) for mouth, track in zip(predicted, tracks, strict=True)])
    return Score(found, recall_of(predicted, [track.labels for track in tracks]))


def recall_of(predicted: Sequence[Curves], labels: Sequence[NDArray[np.uint8]]) -> float:
    """Closure recall at 10 % false closures, `speech_to_face_lab.metrics.closure_recall`; NaN where either kind of
    onset is missing."""
    closed: list[float] = []
    others: list[float] = []
    for mouth, spoken in zip(predicted, labels, strict=True):
        gap = aperture({name: mouth[:, column].astype(np.float64) for column, name in enumerate(MOUTH_32)})
        for onset, closing in onsets(spoken[: len(mouth)]):
            width = narrowest(gap, onset / FRAME_RATE, whole=True)
            if width is not None:
                (closed if closing else others).append(width)
    return closure_recall(np.array(closed), np.array(others)) if closed and others else float("nan")


def onsets(labels: NDArray[np.uint8]) -> list[tuple[int, bool]]:
    """(frame, whether its lips close) of every phone that begins; of the others only those far from a p, b or m, and no
    silences."""
    closing = np.isin(labels, CLOSING)
    before, after = round(ONSET_BEFORE_S * FRAME_RATE), round(ONSET_AFTER_S * FRAME_RATE)
    found = []
    for at in np.flatnonzero(labels[1:] != labels[:-1]) + 1:
        near = closing[max(0, at - before) : at + after]
        if closing[at] or (labels[at] not in (INDEX["SIL"], UNKNOWN) and not near.any()):
            found.append((int(at), bool(closing[at])))
    return found


@torch.inference_mode()
def real_time_factor(network: nn.Module, steps: int = 120) -> float:
    """Seconds of work for a second of live speech: one voice, one 60 Hz step at a time, the median of `steps` steps."""
    causal: Any = network.eval()
    mel = torch.randn(1, steps, 160, generator=torch.Generator().manual_seed(0))
    style, states, took = causal.styles.weight[-1:], causal.initial_states(1), []
    for step in range(steps):
        began = time.perf_counter()
        _, states = causal(mel[:, step : step + 1], style, states)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * FRAME_RATE
