"""Losses of PMMTalk (section III-D), with the paper's slips put right, and the lip terms a small network needs.

Equation 10 starts one frame too early (b_0 does not exist): the sum runs over neighbours that exist. Equation 11 takes the logarithm of
a log-softmax, which is undefined; it is read as the KL divergence between softmax(D) and a target over time, symmetric in
the two modalities. Its printed target, softmax of the identity, is almost uniform (0.030 against 0.011 at 90 frames), so the
default target is a band around the diagonal.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

BAND_FRAMES = 2.0


def position(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Equation 9, weighted: weight (channels,) or (batch, time, channels)."""
    return (weight * (predicted - target) ** 2).mean()


def motion(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Equation 10: squared error of frame differences."""
    return (weight * ((predicted[:, 1:] - predicted[:, :-1]) - (target[:, 1:] - target[:, :-1])) ** 2).mean()


def band(frames: int, device: torch.device) -> Tensor:
    """(frames, frames) rows that sum to one: a Gaussian around the diagonal, since neighbouring frames are near-identical."""
    at = torch.arange(frames, device=device)
    return torch.softmax(-0.5 * ((at[:, None] - at[None, :]) / BAND_FRAMES) ** 2, -1)


def temporal_alignment(views: dict[str, Tensor], target: Tensor) -> Tensor:
    """Equation 11 as KL(target || softmax(D)), rows and columns, mean over the three pairs of modalities and over frames."""
    total, pairs = torch.zeros((), device=target.device), list(combinations(views.values(), 2))
    for x, y in pairs:
        scores = x @ y.transpose(1, 2) / x.shape[2] ** 0.5
        for side in (scores, scores.transpose(1, 2)):
            total = total + F.kl_div(F.log_softmax(side, -1), target.expand_as(side), reduction="none").sum(-1).mean() / 2
    return total / len(pairs)


def semantic_alignment(views: dict[str, Tensor]) -> Tensor:
    """Equation 12: one minus the cosine of the time averages, mean over the three pairs; in [0, 2]."""
    pairs = list(combinations([view.mean(1) for view in views.values()], 2))
    return torch.stack([1 - F.cosine_similarity(x, y, dim=-1).mean() for x, y in pairs]).mean()
