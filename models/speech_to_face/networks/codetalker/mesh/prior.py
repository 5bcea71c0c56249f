"""Stage 1 as published: a VQ-VAE over vertices, its transformers attending to the whole sequence both ways.

Three quirks of the published code are kept, since the weights were trained with them. Scores are scaled by hidden^-0.5
instead of the root of a head's width. GELU is its older formula with a hyperbolic tangent. And the table of positions
is indexed by the batch, so with one sequence every frame is given row 0.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.codetalker.mesh.config import MeshConfig
from speech_to_face.networks.codetalker.quantiser import COMMIT

SLOPE, KERNEL, DROPOUT = 0.2, 5, 0.1


class ScaledAttention(nn.Module):
    """Self-attention without bias on queries, keys and values, and with the published scale."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, width**-0.5
        self.to_qkv, self.to_out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, time, width) -> the same shape; every frame attends to every other."""
        q, k, v = torch.unflatten(self.to_qkv(x), -1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        joined = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
        return torch.as_tensor(self.to_out(joined.transpose(1, 2).flatten(2)))


class PriorLayer(nn.Module):
    """Pre-norm attention, then pre-norm feed-forward with GELU, each added to its input."""

    def __init__(self, width: int, heads: int, feed: int) -> None:
        super().__init__()
        self.norm_attention, self.attention = nn.LayerNorm(width), ScaledAttention(width, heads)
        self.norm_feed, self.widen, self.narrow = nn.LayerNorm(width), nn.Linear(width, feed), nn.Linear(feed, width)

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, time, width) -> the same shape."""
        x = x + self.attention(self.norm_attention(x))
        return torch.as_tensor(x + self.narrow(F.gelu(self.widen(self.norm_feed(x)), approximate="tanh")))


class Trunk(nn.Module):
    """Convolution over time, each channel normalised over the sequence, a linear layer, positions, transformer
    blocks."""

    def __init__(self, config: MeshConfig) -> None:
        super().__init__()
        width = config.hidden
        self.conv = nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2, padding_mode="replicate")
        self.embed = nn.Linear(width, width)
        self.layers = nn.ModuleList(
            PriorLayer(width, config.prior_heads, config.prior_feed) for _ in range(config.prior_layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, frames, hidden) -> the same shape; two frames at least, as one has no deviation to be normalised
        by."""
        x = F.instance_norm(F.leaky_relu(self.conv(x.transpose(1, 2)), SLOPE)).transpose(1, 2)
        x = F.dropout(self.embed(x) + row_zero(x.shape[2]).to(x), DROPOUT, self.training)
        for layer in self.layers:
            x = layer(x)
        return x


def row_zero(width: int) -> Tensor:
    """float32 (width,): the first row of a sine and cosine table, 0, 1, 0, 1, ..., which the published code adds to
    every frame."""
    return torch.arange(width) % 2


class MeshPrior(nn.Module):
    """Encoder, codebook and decoder; motion is vertices less the subject's template."""

    def __init__(self, config: MeshConfig) -> None:
        super().__init__()
        self.config = config
        around = config.around_codes
        self.read = nn.Linear(config.points, config.hidden)
        self.encoder = Trunk(config)
        self.post: nn.Module = nn.Linear(config.hidden, config.latent) if around else nn.Identity()
        self.codes = nn.Parameter(
            torch.empty(config.codes, config.code_width).uniform_(-1 / config.codes, 1 / config.codes)
        )
        self.pre: nn.Module = nn.Linear(config.latent, config.hidden) if around else nn.Identity()
        self.decoder = Trunk(config)
        self.write = nn.Linear(config.hidden, config.points, bias=not around)

    def encode(self, motion: Tensor) -> Tensor:
        """(batch, frames, points) -> latents (batch, frames, slots, code width)"""
        latent = self.post(self.encoder(F.leaky_relu(self.read(motion), SLOPE)))
        return torch.unflatten(latent, -1, (self.config.slots, self.config.code_width))

    def snap(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """The codes at the smallest squared distance, the gradient passed straight through; their indices, int64
        (batch, frames, slots)."""
        distance = (self.codes**2).sum(
            -1
        ) - 2 * latent @ self.codes.T  # what the latent adds to it is the same for every code
        indices = distance.argmin(-1)
        return latent + (self.codes[indices] - latent).detach(), indices

    def decode(self, codes: Tensor) -> Tensor:
        """(batch, frames, slots, code width) -> motion (batch, frames, points)"""
        return torch.as_tensor(self.write(self.decoder(self.pre(codes.flatten(2)))))

    def terms(self, motion: Tensor) -> dict[str, Tensor]:
        """Stage 1's loss: L1 of the rebuilt motion, and the codebook's, |z_q - sg[z]|^2 + 0.25 |sg[z_q] - z|^2."""
        latent = self.encode(motion)
        snapped, indices = self.snap(latent)
        chosen = self.codes[indices]
        codebook = ((chosen - latent.detach()) ** 2).mean() + COMMIT * ((chosen.detach() - latent) ** 2).mean()
        return {"rebuilt": torch.abs(self.decode(snapped) - motion).mean(), "codebook": codebook}
