"""PMMTalk's three views of the audio: audio, pseudo-text and pseudo-image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.pmmtalk.config import Config
from speech_to_face.streaming.causal_layers import CausalBlock
from speech_to_face.streaming.features import STEP_WIDTH

States = list[Tensor]


class AudioEncoder(nn.Module):
    """Log-mel steps to audio features (the paper's wav2vec 2.0, here a causal convolutional encoder)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stem = nn.Linear(STEP_WIDTH, config.width)
        blocks = [CausalBlock(config.width, config.kernel, d) for d in config.dilations]
        self.blocks, self.state_shapes = nn.ModuleList(blocks), [block.state_shape for block in blocks]

    def forward(self, mel: Tensor, states: States) -> tuple[Tensor, States]:
        """mel (batch, time, 160) -> A (batch, time, width)"""
        x, after = F.relu(self.stem(mel)), []
        for block, state in zip(self.blocks, states, strict=True):
            x, state = block(x, state)
            after.append(state)
        return x, after


class TextBranch(nn.Module):
    """Frame-wise phone posteriors, the pseudo-text, read back as features (the paper's 3503 characters, here phone
    classes)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        blocks = [CausalBlock(config.width, config.kernel, d) for d in config.text_dilations]
        self.blocks, self.state_shapes = nn.ModuleList(blocks), [block.state_shape for block in blocks]
        self.head = nn.Linear(config.width, len(config.phones))
        self.read = nn.Linear(len(config.phones), config.branch_width)

    def forward(self, audio: Tensor, states: States) -> tuple[Tensor, Tensor, States]:
        """A -> C (batch, time, branch_width), phone log-probabilities (batch, time, phones)"""
        x, after = audio, []
        for block, state in zip(self.blocks, states, strict=True):
            x, state = block(x, state)
            after.append(state)
        log_phones = F.log_softmax(self.head(x), -1)
        return self.read(log_phones.exp()), log_phones, after


class ReferenceEncoder(nn.Module):
    """A reference face to its code for the generator. Runs once a session: it does not depend on time."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = (3, 16, 24, 32, 48)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths[:-1], widths[1:], strict=True))
        side = config.reference_size // 2 ** len(self.convs)
        self.out = nn.Linear(widths[-1] * side * side, config.branch_width)

    def forward(self, reference: Tensor) -> Tensor:
        """reference (batch, 3, 96, 96) in [0, 1] -> code (batch, branch_width)"""
        x = reference - 0.5
        for conv in self.convs:
            x = F.gelu(conv(x))
        return torch.tanh(self.out(x.flatten(1)))


PATCH = 4
"""Pixels a side of the squares that the generator paints and the image encoder reads; images stay in squares in
between."""


def to_patches(images: Tensor) -> Tensor:
    """(batch, 3, size, size) -> (batch, squares, 3 * PATCH * PATCH), squares row by row."""
    side = images.shape[2] // PATCH
    cut = images.reshape(images.shape[0], 3, side, PATCH, side, PATCH)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(images.shape[0], side * side, 3 * PATCH * PATCH)


class TalkingHead(nn.Module):
    """Draws the mouth: a colour and a mask over the reference's own mouth crop (the paper's frozen Wav2Lip, here small
    and trained).

    Every square of the picture has SEED features of its own from the audio and the reference; one shared transposed
    convolution (kernel and stride PATCH, which is a linear layer a square) paints them.
    """

    SEED = 16

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.squares = (config.image_size // PATCH) ** 2
        self.fuse = nn.Linear(config.width + config.branch_width, 96)
        self.seed = nn.Linear(96, self.squares * self.SEED)
        self.paint = nn.Linear(self.SEED, 4 * PATCH * PATCH)

    def forward(self, audio: Tensor, code: Tensor, crop: Tensor) -> Tensor:
        """A (batch, time, width), code (batch, branch_width), crop (batch, squares, 48) -> images (batch, time,
        squares, 48) in [0, 1]"""
        together = torch.cat([audio, code[:, None].expand(-1, audio.shape[1], -1)], -1)
        seed = F.relu(self.seed(F.relu(self.fuse(together))))
        painted = torch.sigmoid(self.paint(seed.reshape(audio.shape[0], -1, self.squares, self.SEED)))
        colour, mask = painted[..., : 3 * PATCH * PATCH], painted[..., 3 * PATCH * PATCH :]
        crop = crop[:, None]
        return crop + mask.repeat(1, 1, 1, 3) * (colour - crop)


class ImageEncoder(nn.Module):
    """Reads the drawn mouth back: one 2-D CNN for every frame, then a causal block over time.

    Both convolutions have stride equal to kernel, so each is a linear layer over squares of its input.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.side = config.image_size // PATCH
        self.patches = nn.Linear(3 * PATCH * PATCH, 16)
        self.shapes = nn.Linear(4 * 16, 32)
        self.flat = nn.Linear(32 * (self.side // 2) ** 2, config.branch_width)
        self.block = CausalBlock(config.branch_width, config.kernel, 2)
        self.state_shapes = [self.block.state_shape]

    def forward(self, images: Tensor, states: States) -> tuple[Tensor, States]:
        """images (batch, time, squares, 48) -> I (batch, time, branch_width)"""
        x, half = F.relu(self.patches(images - 0.5)), self.side // 2
        x = x.reshape(-1, half, 2, half, 2, 16).permute(0, 1, 3, 2, 4, 5).reshape(-1, half * half, 4 * 16)
        x = self.flat(F.relu(self.shapes(x)).flatten(1)).reshape(images.shape[0], -1, self.flat.out_features)
        x, state = self.block(x, states[0])
        return x, [state]
