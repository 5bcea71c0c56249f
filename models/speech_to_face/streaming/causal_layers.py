"""Causal layers whose state is explicit: the same call serves a whole recording, a block, or one live step.

Every layer is `y, state = layer(x, state)` with x (batch, time, width) of any time >= 1. State is the layer's
input of the past (after the previous layer's activation) and starts as zeros, like a left zero pad. No layer depends on
the length of the sequence, so audio split anywhere gives the same frames (after moshi's streaming modules, with the
state passed instead of installed).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WALL = -1e9
"""Attention score of masked positions: finite, so that no row can become NaN."""


class CausalBlock(nn.Module):
    """Dense dilated convolution over the present and the past, rectified, added to its input, normalised (a time-delay
    layer).

    State: (batch, (kernel - 1) * dilation, width). The taps of a step are one large product, which a processor does at
    nearly its full speed; recurrent and depthwise layers of the same size take longer to train.
    """

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.kernel, self.dilation = kernel, dilation
        self.taps = nn.Linear(kernel * width, width)
        self.norm = nn.LayerNorm(width)
        self.state_shape = ((kernel - 1) * dilation, width)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """x (batch, time, width), state (batch, (kernel - 1) * dilation, width) -> the same shapes."""
        heard, steps = torch.cat([state, x], 1), x.shape[1]
        taps = torch.cat(
            [heard[:, tap * self.dilation : tap * self.dilation + steps] for tap in range(self.kernel)], -1
        )
        return self.norm(x + F.relu(self.taps(taps))), heard[:, heard.shape[1] - self.state_shape[0] :]


class BiasedCausalAttention(nn.Module):
    """Multi-head self-attention over the last `window` frames, nearer frames favoured by a linear bias.

    After FaceFormer's biased causal mask, which PMMTalk takes over: there the penalty is floor((i - j) / period), flat
    within a second; a two-second window needs it per frame, so the distance is divided by eight instead. Slopes are 4
    ** -(head + 1). State: keys and values of the last window - 1 frames, (batch, window - 1, 2 * width), and how many
    of them are real.
    """

    DISTANCE_UNIT = 8
    slopes: Tensor

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.state_shape = (window - 1, 2 * width)
        self.register_buffer(
            "slopes", torch.tensor([4.0 ** -(h + 1) for h in range(heads)])[:, None, None], persistent=False
        )

    def forward(self, x: Tensor, state: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """x (batch, time, width), state, seen: int64 () or (batch,) real frames in the state -> (batch, time, width),
        state."""
        width, past = x.shape[2], self.window - 1
        qkv = self.qkv(x)
        kv = torch.cat([state, qkv[:, :, width:]], 1)
        q, k, v = (self._split(part) for part in (qkv[:, :, :width], kv[:, :, :width], kv[:, :, width:]))
        bias = self._bias(x.shape[1], kv.shape[1], seen)
        joined = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).reshape(x.shape[0], -1, width)
        return self.out(joined), kv[:, kv.shape[1] - past :]

    def _bias(self, queries: int, keys: int, seen: Tensor) -> Tensor:
        """([batch,] heads, queries, keys): the distance penalty; a wall before the first real one, outside the window
        and ahead of now."""
        past, device = self.window - 1, self.slopes.device
        there = torch.arange(keys, device=device)[None, :]
        distance = torch.arange(queries, device=device)[:, None] + past - there
        allowed = (distance >= 0) & (distance < self.window) & (there >= past - seen[..., None, None, None])
        return torch.where(allowed, -self.slopes * distance / self.DISTANCE_UNIT, torch.full((), WALL, device=device))

    def _split(self, x: Tensor) -> Tensor:
        """(batch, time, width) -> (batch, heads, time, width / heads)"""
        return x.reshape(x.shape[0], -1, self.heads, x.shape[2] // self.heads).transpose(1, 2)


class DecoderLayer(nn.Module):
    """Pre-norm attention and feed-forward, both residual."""

    def __init__(self, width: int, heads: int, window: int, expand: int = 2) -> None:
        super().__init__()
        self.norm_attention, self.norm_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = BiasedCausalAttention(width, heads, window)
        self.widen = nn.Linear(width, expand * width)
        self.narrow = nn.Linear(expand * width, width)
        self.state_shape = self.attention.state_shape

    def forward(self, x: Tensor, state: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes as in `BiasedCausalAttention.forward`."""
        attended, state = self.attention(self.norm_attention(x), state, seen)
        x = x + attended
        return x + self.narrow(F.relu(self.widen(self.norm_feed(x)))), state


def periodic_positions(period: int, width: int) -> Tensor:
    """float32 (period, width): the periodic positional encoding of FaceFormer, sine and cosine columns, one row a frame
    of the period."""
    position = torch.arange(period)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    table = torch.zeros(period, width)
    table[:, 0::2], table[:, 1::2] = torch.sin(position * rate), torch.cos(position * rate)
    return table
