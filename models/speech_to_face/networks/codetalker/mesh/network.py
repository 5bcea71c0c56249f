"""Stage 2 as published: wav2vec 2.0 features, and an autoregressive decoder that predicts the codes of frame after
frame.

While it predicts, the decoder reads back the last frame of the motion of all codes so far. The prior is two-sided, so
that frame changes as more codes follow: the result is decoded again from all of them, and the time grows faster than
the square of the frames.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Wav2Vec2Config, Wav2Vec2Model

from speech_to_face.base import ModelError
from speech_to_face.networks.codetalker.mesh.config import MeshConfig
from speech_to_face.networks.codetalker.mesh.prior import MeshPrior
from speech_to_face.networks.lineage import biased_causal_mask, repeating_positions
from speech_to_face.networks.wav2vec import interpolated

FEATURE_RATE = 50
"""Of wav2vec 2.0, as the published code counts it."""
FIRST, HOP = 400, 320
"""Samples that its first feature needs, and each one after it."""


def speech_encoder(config: MeshConfig) -> Wav2Vec2Model:
    """wav2vec2-base-960h's layers, or smaller ones like them: group norm in the first convolution, post-norm
    transformer."""
    return Wav2Vec2Model(
        Wav2Vec2Config(
            hidden_size=config.speech_width,
            num_hidden_layers=config.speech_layers,
            num_attention_heads=config.speech_heads,
            intermediate_size=config.speech_feed,
            conv_dim=(config.conv_width,) * 7,
            layerdrop=0.0,
        )
    )


class MeshCodeTalker(nn.Module):
    """Speech and a template to vertices. `config.frame_rate` frames a second; style vectors are rows of `styles` or
    mixtures of them."""

    def __init__(self, config: MeshConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.prior = MeshPrior(config)
        self.speech = speech_encoder(config)
        self.hear = nn.Linear(config.speech_width, width)
        self.feed = nn.Linear(config.points, width)
        layer = nn.TransformerDecoderLayer(width, config.heads, 2 * width, batch_first=True)
        self.decoder = nn.TransformerDecoder(layer, config.layers)
        self.name = nn.Linear(width, config.latent, bias=False)
        self.styles = nn.Embedding(max(1, len(config.styles)), width)
        nn.init.zeros_(self.name.weight)

    @property
    def per_frame(self) -> int:
        """Speech features that belong to one frame."""
        return 1 if self.config.corpus == "vocaset" else 2

    def listen(self, samples: Tensor, frames: int | None = None) -> Tensor:
        """samples float32 (batch, n) at 16 kHz, mean 0 and deviation 1 -> (batch, per_frame * frames, width). frames:
        of the motion to be matched; None: as many as the audio has."""
        features = self.speech.feature_extractor(samples).transpose(1, 2)
        if self.config.corpus == "vocaset":
            features = interpolated(
                features, frames or max(1, features.shape[1] * self.config.frame_rate // FEATURE_RATE)
            )
        else:
            features = features[:, : 2 * min(frames or features.shape[1], features.shape[1] // 2)]
        heard = self.speech.encoder(self.speech.feature_projection(features)[0]).last_hidden_state
        return torch.as_tensor(self.hear(heard))

    def latents(self, tokens: Tensor, heard: Tensor) -> Tensor:
        """tokens (batch, frames, width), heard (batch, per_frame * all frames, width) -> (batch, frames, slots, code
        width)

        A token attends to those before it, nearer seconds favoured, and to the audio of its own frame alone.
        """
        frames, config = tokens.shape[1], self.config
        bias = biased_causal_mask(frames, config.heads, config.period, tokens.device).repeat(len(tokens), 1, 1)
        placed = F.dropout(
            tokens + repeating_positions(frames, config.period, config.width, tokens.device), 0.1, self.training
        )
        other = other_frames(frames, heard.shape[1], self.per_frame, tokens.device)
        named = self.name(self.decoder(placed, heard, tgt_mask=bias, memory_mask=other))
        return torch.unflatten(named, -1, (config.slots, config.code_width))

    def terms(self, samples: Tensor, motion: Tensor, style: Tensor) -> dict[str, Tensor]:
        """Stage 2's loss, teacher-forced: squared errors of motion and of latents against the codes of the true motion.

        motion (batch, frames, points), style (batch, width). The prior is frozen: pass `trained()` to the optimiser.
        """
        heard = self.listen(samples, motion.shape[1])
        motion = motion[:, : heard.shape[1] // self.per_frame]
        with torch.no_grad():
            wanted = self.prior.snap(self.prior.encode(motion))[0]
        latent = self.latents(self.feed(F.pad(motion, (0, 0, 1, 0))[:, :-1]) + style[:, None], heard)
        spoken = self.prior.decode(self.prior.snap(latent)[0])
        return {"motion": F.mse_loss(spoken, motion), "latent": F.mse_loss(latent, wanted)}

    def trained(self) -> list[nn.Parameter]:
        """Parameters that stage 2 trains: all but the prior and wav2vec's convolutions."""
        frozen = {*self.prior.parameters(), *self.speech.feature_extractor.parameters()}
        return [parameter for parameter in self.parameters() if parameter not in frozen]

    @torch.inference_mode()
    def predict(self, samples: Tensor, style: Tensor, template: Tensor) -> Tensor:
        """samples float32 (n,) at 16 kHz, style (width,), template (points,) -> vertices (frames, points).

        The first token is the style alone. A single frame has no deviation, so the prior is given the first code twice.
        Raises ModelError for audio that is shorter than one frame.
        """
        if len(samples) < (least := FIRST + HOP * (self.per_frame - 1)):
            raise ModelError(f"got {len(samples)} samples of audio, expected at least {least}, those of one frame")
        heard = self.listen(normalised(samples)[None])
        tokens, style = style[None, None], style[None, None]
        for frame in range(heard.shape[1] // self.per_frame):
            codes = self.prior.snap(self.latents(tokens, heard))[0]
            motion = self.prior.decode(codes if frame else codes.repeat(1, 2, 1, 1))[:, : frame + 1]
            tokens = torch.cat([tokens, self.feed(motion[:, -1:]) + style], 1)
        return motion[0] + template


def other_frames(frames: int, features: int, per_frame: int, device: torch.device | None = None) -> Tensor:
    """bool (frames, features): True where a frame may not attend: all but its own features."""
    own = torch.arange(features, device=device) // per_frame
    return own[None, :] != torch.arange(frames, device=device)[:, None]


def normalised(samples: Tensor) -> Tensor:
    """The input scale of wav2vec2-base-960h: mean 0, deviation 1 over the recording."""
    return (samples - samples.mean()) / torch.sqrt(samples.var(unbiased=False) + 1e-7)
