"""The PMMTalk network: three branches, their alignment heads, and the decoder that turns them into coefficients.

One `forward` serves training, whole recordings, blocks and single live steps; `initial_states` is silence before the
first sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from speech_to_face.networks.pmmtalk.branches import (
    AudioEncoder,
    ImageEncoder,
    ReferenceEncoder,
    States,
    TalkingHead,
    TextBranch,
)
from speech_to_face.networks.pmmtalk.config import Config
from speech_to_face.streaming.causal_layers import DecoderLayer, periodic_positions


@dataclass(frozen=True, slots=True)
class Views:
    """What the losses need besides the coefficients."""

    log_phones: Tensor
    """(batch, time, phones)"""
    images: Tensor
    """(batch, time, squares, 48) in [0, 1]; `branches.to_patches` says which pixel is where."""
    aligned: dict[str, Tensor]
    """Audio, text and image after their alignment heads, each (batch, time, branch_width)."""


class AlignmentHead(nn.Sequential):
    """Linear and LayerNorm of one modality (equations 5 and 6); used in training only."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__(nn.Linear(width, out), nn.LayerNorm(out))


class PMMTalk(nn.Module):
    """Speech and a reference face to mouth coefficients. Step n gives the coefficients of frame n - delay."""

    positions: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width, branch = config.width, config.branch_width
        self.audio, self.text = AudioEncoder(config), TextBranch(config)
        self.reference, self.head, self.image = ReferenceEncoder(config), TalkingHead(config), ImageEncoder(config)
        self.align = nn.ModuleDict(
            {
                "audio": AlignmentHead(width, branch),
                "text": AlignmentHead(branch, branch),
                "image": AlignmentHead(branch, branch),
            }
        )
        self.styles = nn.Embedding(len(config.styles) + 1, branch)
        widths, inner = {"audio": width, "text": branch, "image": branch}, config.decoder_width
        self.fuse = nn.Linear(sum(widths[view] for view in config.views) + branch, inner)
        self.register_buffer("positions", periodic_positions(config.period, inner), persistent=False)
        self.layers = nn.ModuleList(DecoderLayer(inner, config.heads, config.window) for _ in range(config.layers))
        self.norm = nn.LayerNorm(inner)
        self.out = nn.Linear(inner, len(config.channels))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    @property
    def state_shapes(self) -> list[tuple[int, int]]:
        """(past, width) of every layer's state, in the order of `forward`."""
        shapes: list[tuple[int, int]] = [*self.audio.state_shapes, *self.text.state_shapes, *self.image.state_shapes]
        return shapes + [(self.config.window - 1, 2 * self.config.decoder_width)] * self.config.layers

    def initial_states(self, batch: int = 1) -> States:
        """Silence before the first sample: zeros (batch, past, width) for each layer, in the order of
        `state_shapes`."""
        weight = self.out.weight
        return [torch.zeros(batch, *shape, device=weight.device, dtype=weight.dtype) for shape in self.state_shapes]

    def forward(
        self, mel: Tensor, style: Tensor, code: Tensor, crop: Tensor, clock: Tensor, states: States
    ) -> tuple[Tensor, States, Views]:
        """Coefficients (batch, time, channels), not yet clamped; the next states; what the losses read.

        mel (batch, time, 160); style and code (batch, branch_width); crop (batch, squares, 48) in [0, 1]; clock int64
        () or (batch,): steps before these; states as `initial_states` or as the last call returned them.
        """
        a, t = len(self.audio.state_shapes), len(self.text.state_shapes)
        audio, after_audio = self.audio(mel, states[:a])
        text, log_phones, after_text = self.text(audio, states[a : a + t])
        images = self.head(audio, code, crop)
        image, after_image = self.image(images, states[a + t : a + t + 1])
        views = {"audio": audio, "text": text, "image": image}
        decoded, after_layers = self._decode(
            [views[name] for name in self.config.views], style, clock, states[a + t + 1 :]
        )
        aligned = {name: self.align[name](view) for name, view in views.items()}
        return decoded, after_audio + after_text + after_image + after_layers, Views(log_phones, images, aligned)

    def branches(self, mel: Tensor, code: Tensor, crop: Tensor, drawn: slice) -> tuple[Tensor, Tensor]:
        """Phone log-probabilities, and mouths of the frames `drawn`, from silence on, without the decoder; shapes as in
        `forward`."""
        states, a = self.initial_states(mel.shape[0]), len(self.audio.state_shapes)
        audio, _ = self.audio(mel, states[:a])
        _, log_phones, _ = self.text(audio, states[a : a + len(self.text.state_shapes)])
        return log_phones, self.head(audio[:, drawn], code, crop)

    def _decode(self, views: list[Tensor], style: Tensor, clock: Tensor, states: States) -> tuple[Tensor, States]:
        """Modalities joined with the style, periodic positions added, biased causal attention, one linear out."""
        steps = views[0].shape[1]
        x = self.fuse(torch.cat([*views, style[:, None].expand(-1, steps, -1)], -1))
        x = x + self.positions[(clock[..., None] + torch.arange(steps, device=x.device)) % self.config.period]
        seen, after = torch.clamp(clock, max=self.config.window - 1), []
        for layer, state in zip(self.layers, states, strict=True):
            x, state = layer(x, state, seen)
            after.append(state)
        return self.out(self.norm(x)), after
