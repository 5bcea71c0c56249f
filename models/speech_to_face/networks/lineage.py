"""Decoder parts of the FaceFormer family: periodic positions, attention biased to the near past, and their layer.

FaceFormer (arXiv 2112.05329, section 3.2) adds a sine and cosine encoding that repeats every `period` frames, and masks
the future, while the past costs one more slope for every whole period of distance. CodeTalker adopts both, and so does
PMMTalk (section III-C). The released codes make tables of 600 frames; here both are computed for any length.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.streaming.causal_layers import periodic_positions


def repeating_positions(frames: int, period: int, width: int, device: torch.device | None = None) -> Tensor:
    """float32 (frames, width): row t is the encoding of t modulo `period`; a period of `frames` or more never
    repeats."""
    rows = periodic_positions(min(period, max(frames, 1)), width).to(device)
    return rows[torch.arange(frames, device=device) % len(rows)]


def slopes(heads: int) -> list[float]:
    """Slopes of the heads' distance penalty: a geometric series, 1/4, 1/16, 1/64, 1/256 for four heads (ALiBi, arXiv
    2108.12409). If `heads` is no power of two, the series of the power below comes first, then every second value of
    the power above."""
    below = 1 << (heads.bit_length() - 1)
    ratio = 2.0 ** (-8 / below)
    row = [ratio ** (head + 1) for head in range(below)]
    return row if below == heads else row + slopes(2 * below)[0::2][: heads - below]


def biased_causal_mask(frames: int, heads: int, period: int, device: torch.device | None = None) -> Tensor:
    """float32 (heads, frames, frames), added to scores: -slope * floor((i - j) / period) for j <= i, minus infinity for
    j > i."""
    at = torch.arange(frames, device=device)
    back = torch.div(at[:, None] - at[None, :], period, rounding_mode="floor")
    cost = -torch.tensor(slopes(heads), device=device)[:, None, None] * back
    return cost.masked_fill(at[None, None, :] > at[None, :, None], float("-inf"))


class LineageLayer(nn.Module):
    """Self-attention and feed-forward, each added to its input and then normalised (post-norm), rectified inside.

    The layout of torch's TransformerDecoderLayer that FaceFormer and EmoTalk use, under its names, without the
    cross-attention that PMMTalk does not have.
    """

    def __init__(self, width: int, heads: int, feed: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"got a width of {width} for {heads} heads, expected a multiple")
        self.heads, self.dropout = heads, dropout
        self.qkv, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.linear1, self.linear2 = nn.Linear(width, feed), nn.Linear(feed, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (batch, frames, width), mask (heads, frames, frames) -> (batch, frames, width)"""
        x = self.norm1(x + self._drop(self._attend(x, mask)))
        return torch.as_tensor(self.norm2(x + self._drop(self.linear2(self._drop(F.relu(self.linear1(x)))))))

    def _attend(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, frames, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, frames, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        dropped = self.dropout if self.training else 0.0
        joined = F.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype), dropout_p=dropped)
        return torch.as_tensor(self.out_proj(joined.transpose(1, 2).reshape(batch, frames, width)))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)
