"""psi_HG: audio and one picture of a face to a picture a frame, in Wav2Lip's layout (Prajwal et al., ACM MM 2020),
frozen.

Three towers of 2-D convolutions, each normalised over the batch and most of them residual: an identity encoder that
halves the picture step by step, a speech encoder over 0.2 s of mel, and a face decoder that doubles the speech code
step by step while each step reads the identity encoder's features of the same size. Parameter names are those of the
public weights, which fit as they are.

With one still picture the identity's features do not depend on time, so they are computed once (`identity`) and kept.
The public weights may be used for research only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.pmmtalk.paper.mel import TalkingMel, spans

SIZE = 96
"""Pixels a side: the layout halves it six times, to one."""
TOGETHER = 32
"""Pictures drawn at once; more would only cost memory."""

Identity = list[Tensor]
"""Features of the reference picture, large to small: (batch, channels, side, side) for sides 96, 48, 24, 12, 6, 3,
1."""

SPEECH = (
    (0, 2, 3, 1, 1, False), (2, 2, 3, 1, 1, True), (2, 2, 3, 1, 1, True),
    (2, 4, 3, (3, 1), 1, False), (4, 4, 3, 1, 1, True), (4, 4, 3, 1, 1, True),
    (4, 8, 3, 3, 1, False), (8, 8, 3, 1, 1, True), (8, 8, 3, 1, 1, True),
    (8, 16, 3, (3, 2), 1, False), (16, 16, 3, 1, 1, True),
    (16, 32, 3, 1, 0, False), (32, 32, 1, 1, 0, False),
)  # fmt: skip
"""Speech encoder: channels in and out as multiples of the first width (0: the mel's one channel), kernel, stride,
padding, residual."""
FACES = ((1, 0), (2, 2), (4, 3), (8, 2), (16, 2), (32, 1))
"""Identity encoder, but its last level: channels as multiples of the first width, residual convolutions after the one
that halves."""
DRAWING = ((64, 32, 1), (64, 32, 2), (48, 24, 2), (32, 16, 2), (20, 8, 2), (10, 4, 2))
"""Face decoder, but its first level: channels in and out as multiples of the first width, residual convolutions after
the doubling one."""


class Conv(nn.Module):
    """Convolution, batch norm, optionally its input added, rectified; transposed where the picture grows."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.conv_block = nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> the same with other channels and, by the stride, another size."""
        out = self.conv_block(x)
        return F.relu(out + x if self.residual else out)


def same(width: int) -> Conv:
    """A residual convolution that keeps size and width."""
    return Conv(nn.Conv2d(width, width, 3, 1, 1), residual=True)


class TalkingHead(nn.Module):
    """The generator. `width` is the first convolution's channels, 16 in the public weights."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.mel = TalkingMel()
        self.face_encoder_blocks = nn.ModuleList(_identity_levels(width))
        self.audio_encoder = nn.Sequential(
            *(
                Conv(nn.Conv2d(a * width or 1, b * width, kernel, stride, pad), residual)
                for a, b, kernel, stride, pad, residual in SPEECH
            )
        )
        self.face_decoder_blocks = nn.ModuleList(_drawing_levels(width))
        last = 2 * width
        self.output_block = nn.Sequential(
            Conv(nn.Conv2d(5 * width, last, 3, 1, 1)), nn.Conv2d(last, 3, 1), nn.Sigmoid()
        )

    def identity(self, reference: Tensor) -> Identity:
        """reference (batch, 3, 96, 96), RGB in [0, 1] -> its features. The picture is shown twice, once with its lower
        half dark."""
        whole = reference.flip(1)  # the public weights know pictures with blue first
        hidden = whole.clone()
        hidden[:, :, SIZE // 2 :] = 0
        x, features = torch.cat([hidden, whole], 1), []
        for level in self.face_encoder_blocks:
            x = level(x)
            features.append(x)
        return features

    def forward(self, samples: Tensor, frames: int, frame_rate: int, identity: Identity) -> Tensor:
        """samples (batch, n) -> pictures (batch, frames, 3, 96, 96), RGB in [0, 1]"""
        heard = spans(self.mel(samples), frames, frame_rate)
        return torch.cat([self._drawn(part, identity) for part in torch.split(heard, TOGETHER, 1)], 1)

    def _drawn(self, heard: Tensor, identity: Identity) -> Tensor:
        """heard (batch, frames, 80, 16)"""
        batch, frames = heard.shape[:2]
        x = self.audio_encoder(heard.flatten(0, 1)[:, None])
        for level, kept in zip(self.face_decoder_blocks, reversed(identity), strict=True):
            x = level(x)
            still = kept[:, None].expand(-1, frames, -1, -1, -1).flatten(0, 1)
            x = torch.cat([x, still], 1)
        drawn: Tensor = self.output_block(x)
        return drawn.flip(1).reshape(batch, frames, 3, SIZE, SIZE)


def _identity_levels(width: int) -> list[nn.Sequential]:
    levels, before = [], 6
    for at, (multiple, residuals) in enumerate(FACES):
        out = multiple * width
        first = nn.Conv2d(before, out, 7, 1, 3) if at == 0 else nn.Conv2d(before, out, 3, 2, 1)
        levels.append(nn.Sequential(Conv(first), *(same(out) for _ in range(residuals))))
        before = out
    levels.append(nn.Sequential(Conv(nn.Conv2d(before, before, 3, 1, 0)), Conv(nn.Conv2d(before, before, 1, 1, 0))))
    return levels


def _drawing_levels(width: int) -> list[nn.Sequential]:
    code = 32 * width
    levels = [nn.Sequential(Conv(nn.Conv2d(code, code, 1, 1, 0)))]
    for at, (before, after, residuals) in enumerate(DRAWING):
        grown = nn.ConvTranspose2d(before * width, after * width, 3, *((1, 0, 0) if at == 0 else (2, 1, 1)))
        levels.append(nn.Sequential(Conv(grown), *(same(after * width) for _ in range(residuals))))
    return levels
