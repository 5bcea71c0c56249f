"""Sizes of a PMMTalk network; what `config.yaml` of a checkpoint holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from speech_to_face import config_file

SIZES = (
    "width",
    "decoder_width",
    "kernel",
    "branch_width",
    "image_size",
    "reference_size",
    "period",
    "window",
    "heads",
)
"""At least one each."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything needed to build the network and to run it live."""

    system: str = "pmmtalk"
    width: int = 224
    """Of the audio encoder and the text branch."""
    decoder_width: int = 192
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 8)
    """One audio block each; together they cover 0.6 s of the past, the decoder's attention two seconds."""
    text_dilations: tuple[int, ...] = (2,)
    views: tuple[str, ...] = ("audio", "text", "image")
    """What the decoder reads; fewer in ablations."""
    phones: tuple[str, ...] = ()
    """Classes of the pseudo-text branch."""
    branch_width: int = 64
    """Of text and image features, and of the style vector (the paper's 64)."""
    image_size: int = 24
    """Pixels a side of the pseudo mouth image."""
    reference_size: int = 96
    """Pixels a side of the reference face (Wav2Lip's 96)."""
    period: int = 60
    """Frames of the periodic positional encoding: one second."""
    window: int = 120
    """Frames the decoder attends to: two seconds."""
    heads: int = 4
    layers: int = 1
    delay: int = 3
    """Steps a frame is held back: look-ahead is (delay + 1) / 60 s, the hop included."""
    floor: float = 0.02
    """Coefficients up to here are neutral: a trained network ends near zero, and silence must not move the face at
    all."""
    styles: tuple[str, ...] = ("neutral",)
    """Ways of speaking, by name; one more row, the last, stands for an unknown one."""
    channels: tuple[str, ...] = ()
    """ARKit names of the output."""

    def __post_init__(self) -> None:
        """Raises ValueError for sizes of which no network can be made."""
        for name in SIZES:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, expected 1 or more")
        if self.delay < 0 or self.layers < 0:
            raise ValueError(f"delay and layers: got {self.delay} and {self.layers}, expected 0 or more")
        if self.decoder_width % self.heads:
            raise ValueError(f"heads: {self.heads} do not divide decoder_width, which is {self.decoder_width}")


def load_config(path: Path) -> Config:
    """Config of a checkpoint folder's config.yaml. Raises ModelError as `speech_to_face.config_file.load_config`
    does."""
    return config_file.load_config(path, Config)


def save_config(config: Config, path: Path) -> None:
    """Write config.yaml so that `load_config` gives an equal one."""
    config_file.save_config(config, path)
