"""PMMTalk as the paper has it (arXiv 2312.02781, section III): speech, one picture of a face and a style to
coefficients at 30 fps.

        psi_AE ──┬── psi_AD ── A ──┐
        (frozen) └── psi_TD ── C ──┼── psi_PD ── coefficients
        psi_HG (frozen) ── psi_IE ── I ──┘

All frames are decoded at once; nothing is fed back. The whole of the sound is read by every branch, so live voices run
in blocks (`speech_to_face.streaming.block_model`); `speech_to_face.networks.pmmtalk.network` is the causal sibling.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from speech_to_face.networks.pmmtalk import losses
from speech_to_face.networks.pmmtalk.faces import default_look, draw_reference
from speech_to_face.networks.pmmtalk.paper.batch import ClipBatch
from speech_to_face.networks.pmmtalk.paper.branches import AudioDecoder, ImageEncoder, TextDecoder
from speech_to_face.networks.pmmtalk.paper.config import Config
from speech_to_face.networks.pmmtalk.paper.decoder import Alignment, PoseDecoder
from speech_to_face.networks.pmmtalk.paper.talking_head import Identity, TalkingHead
from speech_to_face.networks.wav2vec import FeatureEncoder, normalised
from speech_to_face.streaming.block_model import PAPER_FRAME_RATE

FROZEN = ("psi_AE", "psi_TD", "psi_HG")
"""Parts that training does not change, in evaluation mode throughout [paper, section III]."""


class PaperPMMTalk(nn.Module):
    """The network; a `speech_to_face.streaming.block_model.BlockNetwork` and a
    `speech_to_face_lab.training.trainable.Trainable`."""

    stages = ("whole",)
    reference: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, self.frame_rate = config, PAPER_FRAME_RATE
        self.psi_AE = FeatureEncoder(config.speech(0))
        self.psi_AD = AudioDecoder(config)
        self.psi_TD = TextDecoder(config)
        self.psi_HG = TalkingHead(config.talking_width)
        self.psi_IE = ImageEncoder(config)
        self.alignment = Alignment(config)
        self.psi_PD = PoseDecoder(config)
        self.styles = nn.Embedding(len(config.styles) + 1, config.style_width)
        with torch.device("cpu"):
            neutral = draw_reference(default_look())
        self.register_buffer("reference", neutral)
        self._identity: Identity | None = None
        for part in FROZEN:
            self.get_submodule(part).requires_grad_(False)

    def forward(self, samples: Tensor, frames: int, style: Tensor) -> Tensor:
        """samples (batch, n) float32, mono, 16 kHz, in [-1, 1]; style (batch, style_width) -> (batch, frames,
        channels), not clamped"""
        views = self.views(samples, frames, self.face(len(samples)))
        return torch.as_tensor(self.psi_PD(views, style, self.alignment.linears))

    def views(self, samples: Tensor, frames: int, identity: Identity) -> dict[str, Tensor]:
        """A (batch, frames, speech_width), C (batch, frames, vocabulary) and I (batch, frames, last image conv)."""
        with torch.no_grad():
            features = self.psi_AE(normalised(samples, self.config.normalise == "recording", self.config.level))
            text = self.psi_TD(features, frames)
            pictures = self.psi_HG(samples, frames, PAPER_FRAME_RATE, identity)
        return {"audio": self.psi_AD(features, frames), "text": text, "image": self.psi_IE(pictures)}

    def face(self, batch: int) -> Identity:
        """The reference's features, computed at the first call and kept: they do not depend on the audio."""
        if self._identity is None:
            with torch.no_grad():
                self._identity = self.psi_HG.identity(self.reference)
        return [kept.expand(batch, -1, -1, -1) for kept in self._identity]

    def with_face(self, reference: Tensor) -> PaperPMMTalk:
        """The same network, weights shared, with another face: (1, 3, 96, 96), RGB in [0, 1]."""
        other = copy.copy(self)
        with torch.no_grad():
            other._identity = self.psi_HG.identity(reference.to(self.reference))
        return other

    def terms(self, batch: ClipBatch, stage: str) -> dict[str, Tensor]:
        """Equation 8, weighted, by the paper's names: position, motion, temporal and semantic alignment. Only known
        channels are taught."""
        c, frames = self.config, batch.curves.shape[1]
        with torch.no_grad():
            identity = self.psi_HG.identity(batch.reference)
        views = self.views(batch.samples, frames, identity)
        predicted = self.psi_PD(views, self.styles(self._rows(batch.style)), self.alignment.linears)
        aligned = self.alignment(views)
        return {
            "L_pos": c.position_weight * losses.position(predicted, batch.curves, batch.known),
            "L_mot": c.motion_weight * losses.motion(predicted, batch.curves, batch.known),
            "L_tem": c.temporal_weight * losses.temporal(aligned, c.temporal_target, c.reduction),
            "L_sem": c.semantic_weight * losses.semantic_alignment(aligned),
        }

    def trained(self, stage: str) -> Iterable[nn.Parameter]:
        """All but what is frozen."""
        return (parameter for parameter in self.parameters() if parameter.requires_grad)

    def rest_at(self, mean: Tensor) -> None:
        """Start training at the mean face (channels,): the last layer's weight starts at zero."""
        with torch.no_grad():
            self.psi_PD.out.bias.copy_(mean)

    def train(self, mode: bool = True) -> PaperPMMTalk:
        """Frozen parts stay in evaluation mode: no dropout, and batch norms that keep what they know."""
        super().train(mode)
        for part in FROZEN:
            self.get_submodule(part).eval()
        return self

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As `nn.Module` does; features of the reference face are computed anew."""
        self._identity = None
        return super().load_state_dict(*args, **kwargs)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> PaperPMMTalk:
        """Moved or cast: the kept features are computed again."""
        self._identity = None
        return cast(PaperPMMTalk, super()._apply(fn, recurse))  # type: ignore[no-untyped-call]

    def _rows(self, style: Tensor) -> Tensor:
        """Style rows, some of them replaced by the unknown speaker's in training."""
        if not self.training:
            return style
        unknown = torch.rand(style.shape, device=style.device) < self.config.pivot_share
        return torch.where(unknown, len(self.config.styles), style)
