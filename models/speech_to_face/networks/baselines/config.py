"""Sizes of a baseline; what `config.yaml` of a checkpoint holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from arkit_mapping.channels import MOUTH_32

Kind = Literal["voca", "faceformer", "emotalk"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything needed to build the network, to train it and to run it live. Raises ValueError for sizes that do not
    fit each other."""

    system: str = "baseline"
    kind: Kind = "faceformer"
    width: int = 256
    """Of the audio encoder; with EmoTalk, of the content encoder."""
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 8)
    """One audio block each; together they cover 0.6 s of the past."""
    emotion_width: int = 96
    emotion_dilations: tuple[int, ...] = (1, 4, 8, 16, 32)
    """EmoTalk's second encoder, which covers two seconds."""
    decoder_width: int = 128
    style_width: int = 32
    """Of EmoTalk; VOCA's is one-hot, FaceFormer's as wide as its decoder."""
    heads: int = 4
    period: int = 60
    """Frames of the periodic positional encoding: one second."""
    window: int = 60
    """Frames the decoder attends to."""
    passes: int = 3
    """FaceFormer: how often a window is run on its own output while training."""
    position: float = 1.0
    motion: float = 10.0
    """Shares of the squared errors of frames and of their differences."""
    manner: float = 1e-4
    """EmoTalk: share of naming the style from the emotion features."""
    delay: int = 3
    """Steps a frame is held back: look-ahead is (delay + 1) / 60 s, the hop included."""
    floor: float = 0.02
    """Coefficients up to here are neutral."""
    styles: tuple[str, ...] = ("neutral",)
    """Ways of speaking, by name; one more row, the last, stands for an unknown one."""
    channels: tuple[str, ...] = MOUTH_32
    """ARKit names of the output."""

    def __post_init__(self) -> None:
        if self.decoder_width % self.heads:
            raise ValueError(f"decoder_width {self.decoder_width} is not a multiple of heads {self.heads}")
        if self.passes < 1 or self.delay < 0:
            raise ValueError(f"passes {self.passes} and delay {self.delay}: expected 1 or more, and 0 or more")


_PRESETS: dict[Kind, dict[str, Any]] = {
    "voca": {"width": 304},
    "faceformer": {"width": 264, "motion": 0.0, "decoder_width": 192},
    "emotalk": {"width": 240, "decoder_width": 240, "motion": 0.5},
}


def preset(kind: Kind, styles: tuple[str, ...]) -> Config:
    """The size of the tables: about as many parameters as the other small systems have, and the paper's own terms of
    the loss."""
    return replace(Config(kind=kind, styles=styles), **_PRESETS[kind])
