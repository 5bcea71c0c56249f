"""Losses of PMMTalk (section III-D), with the paper's slips corrected, and the phones' cross-entropy.

Equation 10 starts one frame too early (b_0 does not exist): the sum runs over neighbours that exist. Equation 11 takes
the logarithm of a log-softmax, which is undefined; it is read as the KL divergence between softmax(D) and a target over
time, symmetric in the two modalities. Its printed target, softmax of the identity, is almost uniform (0.030 against
0.011 at 90 frames), so the live network is trained on a band around the diagonal; `temporal` has all three targets for
the network of the paper's size.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

from speech_to_face.networks.batch import IGNORED

BAND_FRAMES = 2.0


def position(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Equation 9, weighted: weight (channels,) or (batch, time, channels)."""
    return (weight * (predicted - target) ** 2).mean()


def motion(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Equation 10: squared error of frame differences."""
    return (weight * ((predicted[:, 1:] - predicted[:, :-1]) - (target[:, 1:] - target[:, :-1])) ** 2).mean()


def band(frames: int, device: torch.device) -> Tensor:
    """(frames, frames) rows that sum to one: a Gaussian around the diagonal, since neighbouring frames are
    near-identical."""
    at = torch.arange(frames, device=device)
    return torch.softmax(-0.5 * ((at[:, None] - at[None, :]) / BAND_FRAMES) ** 2, -1)


def temporal_alignment(views: dict[str, Tensor], target: Tensor) -> Tensor:
    """Equation 11 as KL(target || softmax(D)), rows and columns, mean over the three pairs of modalities and over
    frames."""
    pairs = combinations(views.values(), 2)
    return torch.stack(
        [_rows_and_columns(x @ y.transpose(1, 2) / x.shape[2] ** 0.5, target).mean() for x, y in pairs]
    ).mean()


def semantic_alignment(views: dict[str, Tensor]) -> Tensor:
    """Equation 12: one minus the cosine of the time averages, mean over the three pairs; in [0, 2]."""
    pairs = list(combinations([view.mean(1) for view in views.values()], 2))
    return torch.stack([1 - F.cosine_similarity(x, y, dim=-1).mean() for x, y in pairs]).mean()


def phone_loss(log_phones: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy over the frames whose phone is known; 0 when none is.

    log_phones (windows, frames, phones): log-probabilities; labels int64 (windows, frames), `IGNORED` where not known.
    """
    total = F.nll_loss(log_phones.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)


def temporal_target(kind: str, frames: int, device: torch.device) -> Tensor:
    """(frames, frames), rows that sum to one: the target of equation 11 for similarities over time.

    "softmax_identity" is the printed one, with e / (e + T - 1) on the diagonal and 1 / (e + T - 1) elsewhere;
    "identity" matches every frame with itself alone (as CLIP does); "band" allows its neighbours. Raises ValueError for
    another word.
    """
    if kind == "band":
        return band(frames, device)
    if kind not in ("identity", "softmax_identity"):
        raise ValueError(f"got the temporal target {kind!r}, expected softmax_identity, identity or band")
    one = torch.eye(frames, device=device)
    return one if kind == "identity" else torch.softmax(one, -1)


def temporal(views: dict[str, Tensor], kind: str, reduction: str) -> Tensor:
    """Equation 11 corrected, views (batch, frames, width), mean over the three pairs of modalities and over the batch.

    With D = X Y^T / sqrt(width), P = softmax(D) by rows and Q the target: for the printed target half of KL(Q || P) and
    half of KL(P || Q), which is what the printed formula means; for the others, where KL(P || Q) is infinite, KL(Q ||
    P) of rows and of columns, halved. reduction: "sum" of the rows of a clip or their "mean".
    """
    frames, device = next(iter(views.values())).shape[1], next(iter(views.values())).device
    target = temporal_target(kind, frames, device)
    divergence = _both_ways if kind == "softmax_identity" else _rows_and_columns
    pairs = list(combinations(views.values(), 2))
    rows = torch.stack([divergence(x @ y.transpose(1, 2) / x.shape[2] ** 0.5, target) for x, y in pairs]).mean(0)
    return (rows.sum(-1) if reduction == "sum" else rows.mean(-1)).mean()


def _both_ways(scores: Tensor, target: Tensor) -> Tensor:
    """(batch, frames): (KL(Q || P) + KL(P || Q)) / 2 of every row = half the sum of (P - Q)(log P - log Q)."""
    log_found = F.log_softmax(scores, -1)
    return ((log_found.exp() - target) * (log_found - target.log())).sum(-1) / 2


def _rows_and_columns(scores: Tensor, target: Tensor) -> Tensor:
    """(batch, frames): KL(Q || P) of every row and of every column, halved."""
    sides = (F.log_softmax(side, -1) for side in (scores, scores.transpose(1, 2)))
    return torch.stack([F.kl_div(side, target.expand_as(side), reduction="none").sum(-1) for side in sides]).mean(0)
