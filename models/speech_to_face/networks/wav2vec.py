"""wav2vec 2.0 in its two halves: the convolutional feature encoder, and the context network of projection and
transformer.

The layers are those of `transformers` (Wav2Vec2Model), built from sizes alone: nothing is downloaded, and their
parameters keep the names of that library, so local weights fit as they are. PMMTalk shares one feature encoder between
two context networks, which the whole model cannot do; so each half is called on its own.

Sound is float32 at 16 kHz. The feature encoder gives one feature for every 320 samples but the last 80: 16 000 samples
are 49 features, not
50. So what a frame hears is never counted from features; they are interpolated over the frames that are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from transformers import Wav2Vec2Config

SAMPLE_RATE = 16_000
MASK_SPAN = 10
"""Features that one span of SpecAugment hides."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of one wav2vec 2.0 network; the defaults are wav2vec2-large-xlsr-53's."""

    conv_widths: tuple[int, ...] = (512,) * 7
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    width: int = 1024
    layers: int = 24
    heads: int = 16
    feed: int = 4096
    position_kernel: int = 128
    position_groups: int = 16
    dropout: float = 0.1
    spec_augment: float = 0.0
    """Share of features hidden in training (FaceFormer keeps the library's 0.05, EmoTalk has none)."""

    @property
    def shortest(self) -> int:
        """Samples that give one feature."""
        need = 1
        for kernel, stride in zip(reversed(self.conv_kernels), reversed(self.conv_strides), strict=True):
            need = (need - 1) * stride + kernel
        return need


def library_config(sizes: Sizes) -> Wav2Vec2Config:
    """The same sizes as `transformers` wants them; norms as XLSR has them (layer norm in every convolution, pre-norm
    transformer)."""
    from transformers import Wav2Vec2Config

    config = Wav2Vec2Config(
        conv_dim=sizes.conv_widths,
        conv_kernel=sizes.conv_kernels,
        conv_stride=sizes.conv_strides,
        conv_bias=True,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.feed,
        num_conv_pos_embeddings=sizes.position_kernel,
        num_conv_pos_embedding_groups=sizes.position_groups,
        hidden_dropout=sizes.dropout,
        attention_dropout=sizes.dropout,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
        layerdrop=0.0,
    )
    config._attn_implementation = "sdpa"  # what the whole model would choose; its layers read it when they are called
    return config


class FeatureEncoder(nn.Module):
    """Seven convolutions over the samples, each normalised over its channels: one feature every 20 ms from 25 ms of
    sound."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2FeatureEncoder

        self.shortest = sizes.shortest
        self.conv_layers = Wav2Vec2FeatureEncoder(library_config(sizes)).conv_layers  # type: ignore[no-untyped-call]

    def forward(self, samples: Tensor) -> Tensor:
        """samples (batch, n) -> (batch, features, last conv width); sound shorter than one feature is continued with
        silence."""
        x = F.pad(samples, (0, max(0, self.shortest - samples.shape[1])))[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x.transpose(1, 2)


class ContextNetwork(nn.Module):
    """Projection, convolutional positions and the transformer over the whole of what it is given."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        from transformers.models.wav2vec2.modeling_wav2vec2 import (
            Wav2Vec2EncoderStableLayerNorm,
            Wav2Vec2FeatureProjection,
        )

        config = library_config(sizes)
        self.spec_augment = sizes.spec_augment
        self.feature_projection = Wav2Vec2FeatureProjection(config)  # type: ignore[no-untyped-call]
        self.encoder = Wav2Vec2EncoderStableLayerNorm(config)  # type: ignore[no-untyped-call]
        self.masked_spec_embed = nn.Parameter(torch.rand(sizes.width)) if sizes.spec_augment > 0 else None

    def forward(self, features: Tensor) -> Tensor:
        """(batch, features, conv width) -> (batch, features, width)"""
        x = self.feature_projection(features)[0]
        if self.training and self.masked_spec_embed is not None:
            x = torch.where(self._hidden(x)[..., None], self.masked_spec_embed, x)
        found: Tensor = self.encoder(x).last_hidden_state
        return found

    def _hidden(self, x: Tensor) -> Tensor:
        """bool (batch, features): SpecAugment's spans, as many as hide about the share that was asked for."""
        batch, steps = x.shape[:2]
        starts = torch.rand(batch, steps, device=x.device) < self.spec_augment / MASK_SPAN
        spans = F.max_pool1d(F.pad(starts.to(x.dtype), (MASK_SPAN - 1, 0))[:, None], MASK_SPAN, 1)
        return spans[:, 0] > 0


def interpolated(features: Tensor, frames: int) -> Tensor:
    """(batch, any, width) -> (batch, frames, width), linear between features, first on first and last on last, as the
    lineage does."""
    return F.interpolate(features.transpose(1, 2), size=frames, mode="linear", align_corners=True).transpose(1, 2)


def normalised(samples: Tensor, per_recording: bool, level: float) -> Tensor:
    """Samples (batch, n) as the network is to hear them.

    `per_recording`: mean 0 and deviation 1 over each whole recording (what the published extractor does; it needs the
    future). Otherwise divided by `level`, a constant, so that any piece of a recording is heard as it is within the
    whole.
    """
    if not per_recording:
        return samples / level
    mean, variance = samples.mean(1, keepdim=True), samples.var(1, keepdim=True, unbiased=False)
    return (samples - mean) / torch.sqrt(variance + 1e-7)


OLD_NAMES = {
    "pos_conv_embed.conv.weight_g": "pos_conv_embed.conv.parametrizations.weight.original0",
    "pos_conv_embed.conv.weight_v": "pos_conv_embed.conv.parametrizations.weight.original1",
}
"""Weight norm of the convolutional positions: as older libraries saved it, and as it is called now."""


def library_name(key: str) -> str:
    """A key of a published wav2vec 2.0 file as `transformers` names it today, without the prefix of the model around
    it."""
    key = key.removeprefix("module.").removeprefix("wav2vec2.")
    for old, new in OLD_NAMES.items():
        key = key.replace(old, new)
    return key
