"""Sizes of a blendshape-sized CodeTalker; what `config.yaml` of its checkpoint holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from arkit_mapping.channels import MOUTH_32


@dataclass(frozen=True, slots=True)
class Config:
    """Everything needed to build the network, to train it and to run it live."""

    system: str = "codetalker"
    space: Literal["motion", "shape"] = "motion"
    """What the codes stand for: departures from the subject's mean face, or the coefficients themselves (the paper's
    ablation)."""
    codes: int = 256
    code_width: int = 32
    slots: int = 4
    """Codes a frame is made of (the paper's face components, 16 for 5,023 vertices)."""
    prior_width: int = 96
    prior_kernel: int = 5
    prior_layers: int = 1
    """Transformer blocks of the VQ encoder, and of its decoder."""
    prior_window: int = 30
    """Frames a block of the prior attends to: half a second."""
    width: int = 160
    """Of the audio encoder."""
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 8)
    """One audio block each: 0.6 s of the past."""
    decoder_width: int = 128
    layers: int = 2
    heads: int = 4
    window: int = 60
    """Frames the speech decoder attends to: one second."""
    period: int = 60
    """Frames of the periodic positional encoding."""
    style_width: int = 64
    delay: int = 3
    """Steps a frame is held back: look-ahead is (delay + 1) / 60 s, the hop included."""
    floor: float = 0.02
    """Coefficients up to here are neutral."""
    styles: tuple[str, ...] = ()
    """Ways of speaking, by name; one more row, the last, stands for an unknown one."""
    channels: tuple[str, ...] = MOUTH_32

    def __post_init__(self) -> None:
        for width, heads, name in (
            (self.decoder_width, self.heads, "decoder_width"),
            (self.prior_width, self.heads, "prior_width"),
        ):
            if width % (2 * heads):
                raise ValueError(f"{name} {width} is not a multiple of twice the {heads} heads; choose one that is")
        if min(self.codes, self.slots, self.layers, self.prior_layers, self.delay) < 1:
            raise ValueError("codes, slots, layers, prior_layers and delay must each be at least 1")

    @property
    def latent(self) -> int:
        """Width of a frame's codes side by side."""
        return self.slots * self.code_width

    @property
    def row(self) -> int:
        """Width of a row of the style table: the speaker's style and, in motion space, the mean face."""
        return self.style_width + (len(self.channels) if self.space == "motion" else 0)
