"""What the live network is trained to do, as one number and its parts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from arkit_mapping.channels import MOUTH_32
from models.pmmtalk import faces, losses
from models.pmmtalk.branches import to_patches
from models.pmmtalk.network import Views
from models.training.examples import Batch

LIPS = [i for i, n in enumerate(MOUTH_32) if n.startswith(("jawOpen", "mouthClose", "mouthLower", "mouthUpper", "mouthPress", "mouthRoll"))]
LEADING = [MOUTH_32.index(name) for name in ("jawOpen", "mouthFunnel", "mouthPucker")]
"""Channels an eye reads first: counted twice."""
SEALED_WEIGHT = 2.0
"""Lip channels while p, b, m are closed: without it plain squared error never closes the lips. Four, with a term that only ever
pulled shut, closed them at two of five other words as well."""
APERTURE_SD = 0.1
SMALLEST_SD = 0.03
DRAW_EVERY = 9
"""Frames between the drawn ones that the picture is compared on: drawing all would cost more than the network."""
ALIGN_FRAMES = 128


@dataclass(frozen=True, slots=True)
class Weights:
    """Share of every term. Position and motion as the paper's 1 and 10; the alignment terms with their means, not the paper's sums."""

    position: float = 1.0
    motion: float = 10.0
    phones: float = 0.4
    aperture: float = 0.5
    image: float = 1.0
    temporal: float = 0.01
    semantic: float = 0.01


def channel_weights(sd: Tensor) -> Tensor:
    """(32,) one over the variance of each channel, leading ones twice: errors count in units of what the channel does."""
    weight = 1 / sd.clamp(min=SMALLEST_SD) ** 2
    weight[LEADING] *= 2
    return weight


def aperture(mouth: Tensor) -> Tensor:
    """(..., 32) -> (...): how far the lips are apart; at most 0 when sealed."""
    c = {name: mouth[..., i] for i, name in enumerate(MOUTH_32)}
    lower, upper = c["mouthLowerDownLeft"] + c["mouthLowerDownRight"], c["mouthUpperUpLeft"] + c["mouthUpperUpRight"]
    return c["jawOpen"] - c["mouthClose"] + (lower + upper) / 4


def objective(predicted: Tensor, views: Views, batch: Batch, channel: Tensor, weights: Weights) -> dict[str, Tensor]:
    """Weighted terms; their sum is minimised. `predicted` and `batch` are aligned: the delay is already taken out."""
    weight = channel.expand_as(predicted).clone()
    weight[..., LIPS] *= 1 + (SEALED_WEIGHT - 1) * batch.sealed[..., None]
    gap = (aperture(predicted) - aperture(batch.curves)) / APERTURE_SD
    aligned = {name: view[:, -ALIGN_FRAMES:] for name, view in views.aligned.items()}
    band = losses.band(min(ALIGN_FRAMES, predicted.shape[1]), predicted.device)
    return {
        "position": weights.position * losses.position(predicted, batch.curves, weight),
        "motion": weights.motion * losses.motion(predicted, batch.curves, channel),
        "phones": weights.phones * F.nll_loss(views.log_phones.flatten(0, 1), batch.labels.flatten()),
        "aperture": weights.aperture * (gap**2 * (1 + batch.sealed)).mean(),
        "temporal": weights.temporal * losses.temporal_alignment(aligned, band),
        "semantic": weights.semantic * losses.semantic_alignment(aligned),
    }


def image_loss(images: Tensor, look: faces.Look, crop: Tensor, mouth: Tensor) -> Tensor:
    """L1 between the drawn mouths (batch, time, squares, 48) and the rasterised target, on every DRAW_EVERY-th frame."""
    some, mouth = images[:, ::DRAW_EVERY], mouth[:, ::DRAW_EVERY]
    times = some.shape[1]
    each = faces.Look(*(value.repeat_interleave(times, 0) for value in (look.skin, look.lips, look.width, look.thickness, look.height)))
    drawn = faces.draw_mouth(each, mouth.flatten(0, 1), crop.repeat_interleave(times, 0))
    return torch.abs(some.flatten(0, 1) - to_patches(drawn)).mean()
