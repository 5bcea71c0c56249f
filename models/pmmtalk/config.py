"""Sizes of a PMMTalk network; what `config.yaml` of a checkpoint holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from models.base import ModelError


@dataclass(frozen=True, slots=True)
class Config:
    """Everything needed to build the network and to run it live."""

    system: str = "pmmtalk"
    width: int = 224
    """Of the audio encoder and the text branch."""
    decoder_width: int = 192
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 8)
    """One audio block each; together they see 0.6 s of the past, the decoder's attention two seconds."""
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
    """Coefficients up to here are neutral: a trained network rests near zero, and silence must be exactly still."""
    styles: tuple[str, ...] = ("neutral",)
    """Ways of speaking, by name; one more row, the last, stands for an unknown one."""
    channels: tuple[str, ...] = ()
    """ARKit names of the output."""


def load_config(path: Path) -> Config:
    """Config of a checkpoint folder's config.yaml. Raises ModelError for an unknown key or a wrong kind of value."""
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"{path}: not a readable config.yaml ({type(error).__name__}); install the model again") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: expected keys and values, got {type(values).__name__}")
    known = {field.name: field.default for field in fields(Config)}
    for key, value in values.items():
        if key not in known:
            raise ModelError(f"{path}: unknown key {key!r}, expected one of {', '.join(known)}")
        if isinstance(known[key], tuple) != isinstance(value, list) or isinstance(known[key], int) != isinstance(value, int):
            raise ModelError(f"{path}: {key} has the wrong kind of value: {value!r}")
    checked: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Config(**checked)


def save_config(config: Config, path: Path) -> None:
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(config).items()}
    path.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=140), encoding="utf-8")
