"""The three views of the audio, by the paper's names: psi_AD (audio), psi_TD (text) and psi_IE (image).

psi_AE, whose features psi_AD and psi_TD share, is `speech_to_face.networks.wav2vec.FeatureEncoder`; psi_HG is
`talking_head`.
"""

from __future__ import annotations

from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speech_to_face.networks.lineage import repeating_positions
from speech_to_face.networks.pmmtalk.paper.config import Config
from speech_to_face.networks.wav2vec import ContextNetwork, interpolated

LEAST_LOG = -10.0
"""Log-probabilities are clamped here: a character this unlikely counts as absent."""
GROUPS = 8
"""Of the group norms in the image encoder, fewer where they do not divide the width: one speaker has too little variety
for batch norm."""


class AudioDecoder(nn.Module):
    """psi_AD: wav2vec 2.0's transformer over psi_AE's features, trained."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.at = config.interp_audio
        self.context = ContextNetwork(config.speech(config.audio_layers, config.spec_augment))

    def forward(self, features: Tensor, frames: int) -> Tensor:
        """features (batch, any, conv width) -> A (batch, frames, speech_width)"""
        return (
            self.context(interpolated(features, frames))
            if self.at == "pre"
            else interpolated(self.context(features), frames)
        )


class TextDecoder(nn.Module):
    """psi_TD: the transformer and the head of a speech recogniser, frozen; its characters frame by frame are the
    pseudo-text."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.at, self.reading = config.interp_text, config.text_reading
        self.context = ContextNetwork(config.speech(config.text_layers))
        self.lm_head = nn.Linear(config.speech_width, config.vocabulary)

    def forward(self, features: Tensor, frames: int) -> Tensor:
        """features (batch, any, conv width) -> C (batch, frames, vocabulary), as `reading` says"""
        logits = self.lm_head(self.context(interpolated(features, frames) if self.at == "pre" else features))
        return self.read(logits if self.at == "pre" else interpolated(logits, frames))

    def read(self, logits: Tensor) -> Tensor:
        """Logits (batch, frames, vocabulary) in the form that `reading` names: normalised, probabilities, or their
        logarithms."""
        if self.reading == "logits":
            return F.layer_norm(logits, logits.shape[-1:])
        log_shares = F.log_softmax(logits, -1)
        return log_shares.exp() if self.reading == "probabilities" else log_shares.clamp(min=LEAST_LOG)


class ImageEncoder(nn.Module):
    """psi_IE: one 2-D CNN for every picture, averaged over the picture, then a transformer over the clip; trained."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = (3, *config.image_convs)
        self.convs = nn.Sequential(*(_halving(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)))
        layer = nn.TransformerEncoderLayer(
            widths[-1], config.image_heads, config.image_feed, config.dropout, batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(
            layer, config.image_layers, nn.LayerNorm(widths[-1]), enable_nested_tensor=False
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures (batch, frames, 3, 96, 96) in [0, 1] -> I (batch, frames, last conv width)"""
        batch, frames = pictures.shape[:2]
        seen = self.convs(pictures.flatten(0, 1) - 0.5).mean((2, 3)).unflatten(0, (batch, frames))
        places = repeating_positions(frames, frames, seen.shape[2], seen.device)
        return torch.as_tensor(self.transformer(seen + places))


def _halving(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(gcd(GROUPS, after), after), nn.ReLU())
