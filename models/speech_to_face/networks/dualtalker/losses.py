"""DualTalker's losses. Their names and purpose are the paper's; the formulas are our reconstruction, since none is
public.

Inputs are aligned in time: the caller takes out the delay of the step and that of the reader.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from speech_to_face.networks.pmmtalk.losses import band, motion, phone_loss, position

TEMPERATURE = 0.1
"""Divides cosines before the softmax over frames, as InfoNCE usually has it."""
NEIGHBOURHOOD = 128
"""Most frames to distinguish in the contrastive loss: two seconds contain every phone's neighbours."""


def primary(face: Tensor, truth: Tensor, known: Tensor, shares: tuple[float, float]) -> Tensor:
    """L_prim = a MSE(Y^, Y) + b MSE(dY^, dY), a and b the shares; face and truth (batch, time, channels), known (batch,
    1, channels)."""
    return shares[0] * position(face, truth, known) + shares[1] * motion(face, truth, known)


def dual(log_phones: Tensor, labels: Tensor, sound: Tensor, audio: Tensor) -> Tensor:
    """L_dual = cross-entropy of the phones read + MSE(A^, sg[A]): the reader learns from the audio, the audio encoder
    not from the reader.

    log_phones (batch, time, phones), labels int64 (batch, time), -100 where unknown; sound and audio (batch, time,
    width).
    """
    return phone_loss(log_phones, labels) + F.mse_loss(sound, audio.detach())


def cycle(made: Tensor, moved: Tensor, log_phones: Tensor, labels: Tensor) -> Tensor:
    """L_cyc = MSE(E_m(Y^), sg[E_m(Y)]) + cross-entropy of the phones read off Y^: can the generated lips be read?

    made and moved (batch, time, motion_width).
    """
    return F.mse_loss(made, moved.detach()) + phone_loss(log_phones, labels)


def consistency(heard: Tensor, moved: Tensor) -> Tensor:
    """L_cons = 1 - mean cosine of each frame's two views + InfoNCE over frames, the mean of both directions.

    heard and moved (batch, time, width). A frame's counterparts are a band around its own time instead of that frame
    alone: neighbours 1/60 s apart are near-identical. The InfoNCE term is KL(band || softmax(cosine / TEMPERATURE)), 0
    at its best.
    """
    heard, moved = (F.normalize(view[:, -NEIGHBOURHOOD:], dim=-1) for view in (heard, moved))
    scores = heard @ moved.transpose(1, 2) / TEMPERATURE
    target = band(scores.shape[1], scores.device).expand_as(scores)
    apart = 1 - (heard * moved).sum(-1).mean()
    sides = [
        F.kl_div(F.log_softmax(side, -1), target, reduction="none").sum(-1).mean()
        for side in (scores, scores.transpose(1, 2))
    ]
    return apart + torch.stack(sides).mean()
