"""The decoder layer that FaceFormer and EmoTalk share, with its state explicit."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.streaming.causal_layers import BiasedCausalAttention


class LineageLayer(nn.Module):
    """Biased causal self-attention, cross-attention to the frame's own audio, feed-forward; each added, then normalised
    (post-norm).

    Both papers mask the cross-attention down to a frame's own position. Softmax over one key is 1, which leaves the
    value and the output projection: two linear layers. State: as of `BiasedCausalAttention`.
    """

    def __init__(self, width: int, heads: int, window: int, memory_width: int, feed_width: int) -> None:
        super().__init__()
        self.attention = BiasedCausalAttention(width, heads, window)
        self.value, self.project = nn.Linear(memory_width, width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, feed_width), nn.Linear(feed_width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.state_shape = self.attention.state_shape

    def forward(self, x: Tensor, memory: Tensor, state: Tensor, clock: Tensor) -> tuple[Tensor, Tensor]:
        """x (batch, time, width), memory (batch, time, memory_width), clock int64 (): steps before these -> (batch,
        time, width), state"""
        seen = torch.clamp(clock, max=self.attention.window - 1)
        attended, state = self.attention(x, state, seen)
        x = self.norms[0](x + attended)
        x = self.norms[1](x + self.project(self.value(memory)))
        return self.norms[2](x + self.narrow(F.relu(self.widen(x)))), state
