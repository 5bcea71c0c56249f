"""The motion encoder that both tasks share, and the half that reads lips."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.dualtalker.config import Config
from speech_to_face.streaming.causal_layers import CausalBlock, DecoderLayer

States = list[Tensor]


class MotionEncoder(nn.Module):
    """Coefficients to motion features M.

    That there is one, shared by both tasks, is the paper's; that it is a stack of causal time-delay layers is ours.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stem = nn.Linear(len(config.channels), config.motion_width)
        blocks = [CausalBlock(config.motion_width, config.kernel, d) for d in config.motion_dilations]
        self.blocks, self.state_shapes = nn.ModuleList(blocks), [block.state_shape for block in blocks]

    def initial_states(self, batch: int) -> States:
        """Zeros (batch, past, width) for each layer: before the first frame."""
        return [self.stem.weight.new_zeros(batch, *shape) for shape in self.state_shapes]

    def forward(self, face: Tensor, states: States) -> tuple[Tensor, States]:
        """face (batch, time, channels) -> M (batch, time, motion_width), states"""
        x, after = F.relu(self.stem(face)), []
        for block, state in zip(self.blocks, states, strict=True):
            x, state = block(x, state)
            after.append(state)
        return x, after


class LipReader(nn.Module):
    """Motion features to phones: the dual task's decoder.

    Lip reading as the dual task is the paper's; its target there is not public. Ours are two: the phone of every frame,
    whose times are known, and the audio encoder's features. Step n is about frame n - read_delay.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.motion_width
        self.layer = DecoderLayer(width, config.heads, config.reader_window)
        self.norm = nn.LayerNorm(width)
        self.phones = nn.Linear(width, len(config.phones))
        self.sound = nn.Linear(width, config.width)

    def initial_states(self, batch: int) -> States:
        """How many frames were seen, and the attention's keys and values."""
        weight = self.phones.weight
        past = weight.new_zeros(batch, *self.layer.state_shape)
        return [torch.zeros((), dtype=torch.long, device=weight.device), past]

    def forward(self, motion: Tensor, states: States) -> tuple[Tensor, Tensor, States]:
        """M (batch, time, motion_width) -> phone log-probabilities (batch, time, phones), A^ (batch, time, width),
        states"""
        clock, past = states
        seen = torch.clamp(clock, max=self.layer.attention.window - 1)
        x, past = self.layer(motion, past, seen)
        x = self.norm(x)
        return F.log_softmax(self.phones(x), -1), self.sound(x), [clock + motion.shape[1], past]
