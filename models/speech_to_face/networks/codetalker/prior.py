"""Stage "prior": a VQ-VAE that encodes motion as codes and decodes it again.

After the paper: linear, convolution and transformer in the encoder, slots of codes, the mirror image in the decoder.
What differs, so that the motion of the codes so far is final and a step costs the same however long the speech is:
convolutions and attention are causal, and layers are normalised frame by frame (the paper's InstanceNorm and two-sided
attention change every earlier frame with each new one). The attention's distance bias gives the order in time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.codetalker.config import Config
from speech_to_face.networks.codetalker.quantiser import Codebook
from speech_to_face.streaming.causal_layers import CausalBlock, DecoderLayer

States = list[Tensor]
SLOPE = 0.2
"""Slope of the leaky rectifier below zero, the paper's."""


class CausalStack(nn.Module):
    """A causal convolution, then transformer blocks over the past; both halves of the prior are one of these."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.prior_width
        self.conv = CausalBlock(width, config.prior_kernel, 1)
        self.layers = nn.ModuleList(
            DecoderLayer(width, config.heads, config.prior_window) for _ in range(config.prior_layers)
        )
        self.state_shapes = [self.conv.state_shape, *[(config.prior_window - 1, 2 * width)] * config.prior_layers]
        self.past = config.prior_window - 1

    def forward(self, x: Tensor, clock: Tensor, states: States) -> tuple[Tensor, States]:
        """x (batch, time, width), clock int64 (batch,) frames before x -> (batch, time, width), states"""
        x, state = self.conv(x, states[0])
        after, seen = [state], clock.clamp(max=self.past)
        for layer, kept in zip(self.layers, states[1:], strict=True):
            x, kept = layer(x, kept, seen)
            after.append(kept)
        return x, after

    def silence(self, batch: int, like: Tensor) -> States:
        """States before the first frame, zeros (batch, past, width) for each layer, on the device and of the dtype of
        `like`."""
        return [torch.zeros(batch, *shape, device=like.device, dtype=like.dtype) for shape in self.state_shapes]


class MotionEncoder(nn.Module):
    """Motion to latents; used in training only, since live motion comes from codes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.slots = config.slots
        self.read = nn.Linear(len(config.channels), config.prior_width)
        self.stack = CausalStack(config)
        self.post = nn.Linear(config.prior_width, config.latent)

    def forward(self, motion: Tensor) -> Tensor:
        """(batch, time, channels) -> (batch, time, slots, code width), not of length one yet"""
        x = F.leaky_relu(self.read(motion), SLOPE)
        x, _ = self.stack(x, motion.new_zeros(len(x), dtype=torch.long), self.stack.silence(len(x), x))
        return torch.unflatten(self.post(x), -1, (self.slots, -1))


class MotionDecoder(nn.Module):
    """Codes to motion, with its states explicit."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.pre = nn.Linear(config.latent, config.prior_width)
        self.stack = CausalStack(config)
        self.norm = nn.LayerNorm(config.prior_width)
        self.write = nn.Linear(config.prior_width, len(config.channels))

    def forward(self, codes: Tensor, clock: Tensor, states: States) -> tuple[Tensor, States]:
        """codes (batch, time, slots, code width), clock int64 (batch,) -> (batch, time, channels), states"""
        x, states = self.stack(F.leaky_relu(self.pre(codes.flatten(2)), SLOPE), clock, states)
        return self.write(self.norm(x)), states


class MotionPrior(nn.Module):
    """Encoder, codebook and decoder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.encoder, self.decoder = MotionEncoder(config), MotionDecoder(config)
        self.codebook = Codebook(config.codes, config.code_width)

    def rebuild(self, motion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """motion (batch, time, channels) -> the motion of its codes, latents before the codebook, code indices (batch,
        time, slots)."""
        latent = self.encoder(motion)
        codes, indices = self.codebook.snap(latent)
        return self.decode(codes), latent, indices

    def decode(self, codes: Tensor) -> Tensor:
        """Codes of a whole sequence, (batch, time, slots, code width) -> motion (batch, time, channels)"""
        start = torch.zeros(len(codes), dtype=torch.long, device=codes.device)
        motion: Tensor = self.decoder(codes, start, self.decoder.stack.silence(len(codes), codes))[0]
        return motion
