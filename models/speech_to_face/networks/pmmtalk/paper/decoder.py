"""Cross-modal alignment (equations 5 and 6) and psi_PD, the decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from speech_to_face.networks.lineage import LineageLayer, biased_causal_mask, repeating_positions
from speech_to_face.networks.pmmtalk.paper.config import Config

VIEWS = ("audio", "text", "image")


def view_widths(config: Config) -> dict[str, int]:
    """Width of A, C and I."""
    return {"audio": config.speech_width, "text": config.vocabulary, "image": config.image_convs[-1]}


class Alignment(nn.Module):
    """A linear layer and a layer norm for each modality; the losses, in training only, compare the results."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.linears = nn.ModuleDict(
            {view: nn.Linear(width, config.align_width) for view, width in view_widths(config).items()}
        )
        self.norms = nn.ModuleDict({view: nn.LayerNorm(config.align_width) for view in VIEWS})

    def forward(self, views: dict[str, Tensor]) -> dict[str, Tensor]:
        """A, C and I -> each (batch, frames, align_width), every row of mean 0 and norm sqrt(align_width) before the
        norm's own gain"""
        return {view: self.norms[view](self.linears[view](x)) for view, x in views.items()}


class PoseDecoder(nn.Module):
    """psi_PD: the views and the style concatenated, periodic positions, biased causal attention, one linear layer.
    Decoded frames depend on earlier ones, never on later ones."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        widths, inner = view_widths(config), config.decoder_width
        own = {} if config.shared_linears else {view: nn.Linear(widths[view], config.view_width) for view in VIEWS}
        self.linears = nn.ModuleDict(own)
        self.layers = nn.ModuleList(
            LineageLayer(inner, config.heads, config.feed, config.dropout) for _ in range(config.layers)
        )
        self.out = nn.Linear(inner, len(config.channels))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, views: dict[str, Tensor], style: Tensor, linears: nn.ModuleDict) -> Tensor:
        """views as `Alignment` takes them, style (batch, style_width), `linears` the alignment's, read where they are
        shared -> (batch, frames, channels), not clamped"""
        read = linears if self.config.shared_linears else self.linears
        frames = views["audio"].shape[1]
        x = torch.cat([*(read[view](views[view]) for view in VIEWS), style[:, None].expand(-1, frames, -1)], -1)
        x = x + repeating_positions(frames, self.config.period, x.shape[2], x.device)
        mask = biased_causal_mask(frames, self.config.heads, self.config.period, x.device).to(x.dtype)
        for layer in self.layers:
            x = layer(x, mask)
        return torch.as_tensor(self.out(x))
