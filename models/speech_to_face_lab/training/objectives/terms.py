"""The losses of the shipped network, and their weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from arkit_mapping.channels import MOUTH_32
from speech_to_face.networks.batch import Batch
from speech_to_face.networks.pmmtalk import faces, losses
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.network import Views

LIPS = [
    i
    for i, n in enumerate(MOUTH_32)
    if n.startswith(("jawOpen", "mouthClose", "mouthLower", "mouthUpper", "mouthPress", "mouthRoll"))
]
LEADING = [MOUTH_32.index(name) for name in ("jawOpen", "mouthFunnel", "mouthPucker")]
"""The most visible channels: counted twice."""
SEALED_WEIGHT = 2.0
"""Weight of the lip channels while p, b, m are closed: without it plain squared error never closes the lips. Four, with
a term that only ever pulled them shut, also closed them at two of five other words."""
APERTURE_SD = 0.1
SMALLEST_SD = 0.03
ALIGN_FRAMES = 128


@dataclass(frozen=True, slots=True)
class Weights:
    """Share of every term. Position and motion as the paper's 1 and 10; the alignment terms with their means, not the
    paper's sums."""

    position: float = 1.0
    motion: float = 10.0
    phones: float = 0.4
    aperture: float = 0.5
    spread: float = 0.2
    image: float = 1.0
    temporal: float = 0.01
    semantic: float = 0.01


def channel_weights(sd: Tensor) -> Tensor:
    """(32,) one over the variance of each channel, leading ones twice: errors count in units of what the channel
    does."""
    weight = 1 / sd.clamp(min=SMALLEST_SD) ** 2
    weight[LEADING] *= 2
    return weight


GAP = {
    "jawOpen": 1.0,
    "mouthClose": -1.0,
    "mouthLowerDown": 0.5,
    "mouthUpperUp": 0.5,
    "mouthPress": -0.5,
    "mouthRollLower": -0.5,
    "mouthRollUpper": -0.5,
}
"""Weights of the channels in the opening of the lips; pairs count as their mean."""


def _gap_weights() -> list[float]:
    """One weight a channel of MOUTH_32."""
    weights = []
    for name in MOUTH_32:
        base = name.removesuffix("Left").removesuffix("Right")
        weights.append(GAP.get(name, GAP.get(base, 0.0) / 2))
    return weights


CLOSED, OPEN = 0.03, 0.12
"""Lips nearer than the first look closed; a target above the second must not be taken for closed."""
GAP_WEIGHTS = torch.tensor(_gap_weights())


def aperture(mouth: Tensor) -> Tensor:
    """(..., 32) -> (...): opening of the lips; at most 0 when sealed."""
    return mouth @ GAP_WEIGHTS.to(mouth)


def objective(predicted: Tensor, views: Views, batch: Batch, channel: Tensor, weights: Weights) -> dict[str, Tensor]:
    """Weighted terms; their sum is minimised. `predicted` and `batch` are aligned: the delay is already taken out."""
    weight = (channel * batch.known).expand_as(predicted).clone()
    weight[..., LIPS] *= 1 + (SEALED_WEIGHT - 1) * batch.sealed[..., None]
    aligned = {name: view[:, -ALIGN_FRAMES:] for name, view in views.aligned.items()}
    band = losses.band(min(ALIGN_FRAMES, predicted.shape[1]), predicted.device)
    return {
        "position": weights.position * losses.position(predicted, batch.curves, weight),
        "motion": weights.motion * losses.motion(predicted, batch.curves, channel * batch.known),
        "phones": weights.phones * losses.phone_loss(views.log_phones, batch.labels),
        "aperture": weights.aperture * aperture_loss(predicted, batch),
        "spread": weights.spread * spread_loss(predicted, batch, channel),
        "temporal": weights.temporal * losses.temporal_alignment(aligned, band),
        "semantic": weights.semantic * losses.semantic_alignment(aligned),
    }


def aperture_loss(predicted: Tensor, batch: Batch) -> Tensor:
    """Squared error of the opening, sealed frames twice; only of windows whose source carries all channels of the
    opening."""
    whole = (batch.known[:, 0, GAP_WEIGHTS != 0] > 0).all(-1).to(predicted)
    gap = (aperture(predicted) - aperture(batch.curves)) / APERTURE_SD
    return (whole[:, None] * gap**2 * (1 + batch.sealed)).mean()


def spread_loss(predicted: Tensor, batch: Batch, channel: Tensor) -> Tensor:
    """Squared error of each channel's standard deviation over the window: with squared error alone an uncertain mouth
    moves too little."""
    apart = (predicted.std(1) - batch.curves.std(1)) ** 2
    return (apart * channel * batch.known[:, 0]).mean()


def image_loss(images: Tensor, look: faces.Look, crop: Tensor, mouth: Tensor) -> Tensor:
    """L1 between drawn mouths (batch, time, squares, 48) and the rasterised coefficients (batch, time, 32) of the same
    frames.

    The picture is drawn from `mouth` as it stands: channels that a source does not carry are at rest in it.
    """
    times = images.shape[1]
    each = faces.Look(
        *(
            value.repeat_interleave(times, 0)
            for value in (look.skin, look.lips, look.width, look.thickness, look.height)
        )
    )
    drawn = faces.draw_mouth(each, mouth.flatten(0, 1), crop.repeat_interleave(times, 0))
    return torch.abs(images.flatten(0, 1) - to_patches(drawn)).mean()
