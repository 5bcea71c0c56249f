"""The codebook: each latent vector becomes its nearest code."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional as F

COMMIT = 0.25
"""Share of the term that pulls latents to their codes (VQ-VAE's beta)."""
USAGE_DECAY = 0.95
DEAD = 0.01
"""A code used less than this share of an even use restarts as a latent of the present batch."""


class Codebook(nn.Module):
    """Codes of length one, compared with latents of length one: the nearest is the most similar, and no code can drift
    out of reach.

    The paper's codebook has no such norm and no restart; on 32 coefficients most of its codes would die.
    """

    usage: Tensor

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.empty(codes, width).uniform_(-1 / codes, 1 / codes))
        self.register_buffer("usage", torch.ones(codes), persistent=False)

    def table(self) -> Tensor:
        """(codes, width), each of length one."""
        return F.normalize(self.codes, dim=-1)

    def likeness(self, latent: Tensor) -> Tensor:
        """latent (..., width) of any length -> cosines (..., codes) in [-1, 1]."""
        return F.normalize(latent, dim=-1) @ self.table().T

    def nearest(self, latent: Tensor) -> Tensor:
        """latent (..., width) -> int64 (...)"""
        return self.likeness(latent).argmax(-1)

    def vectors(self, indices: Tensor) -> Tensor:
        """int64 (...) -> (..., width)"""
        return F.embedding(indices, self.table())

    def snap(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """latent (..., width) -> its codes, the gradient passed straight through to the latent; their indices, int64
        (...)."""
        unit, indices = F.normalize(latent, dim=-1), self.nearest(latent)
        return unit + (self.vectors(indices) - unit).detach(), indices

    def loss(self, latent: Tensor, indices: Tensor) -> Tensor:
        """Codes pulled to latents, and, less, latents to codes: |sg[z] - z_q|^2 + 0.25 |z - sg[z_q]|^2, means."""
        unit, chosen = F.normalize(latent, dim=-1), self.vectors(indices)
        return ((unit.detach() - chosen) ** 2).mean() + COMMIT * ((unit - chosen.detach()) ** 2).mean()

    @torch.no_grad()
    def restart_unused(self, latent: Tensor, indices: Tensor) -> int:
        """Count a batch's codes; move codes that are hardly used onto latents drawn from it. Returns how many."""
        counts = torch.bincount(indices.flatten(), minlength=len(self.codes)).to(self.usage)
        self.usage.lerp_(counts * len(self.codes) / max(1, indices.numel()), 1 - USAGE_DECAY)
        dead = torch.where(self.usage < DEAD)[0]
        units = F.normalize(latent.flatten(0, -2), dim=-1)
        drawn = torch.randint(len(units), (len(dead),), device=units.device)
        self.codes.data[dead] = units[drawn].to(self.codes)
        self.usage[dead] = 1.0
        if (
            dist.is_available() and dist.is_initialized()
        ):  # each process drew from its own batch: all take the first one's codes
            dist.broadcast(self.codes.data, 0)
            dist.broadcast(self.usage, 0)
        return len(dead)
