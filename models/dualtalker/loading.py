"""A DualTalker checkpoint's folder to models that share its weights, and to the half that reads lips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models import checkpoint
from models.base import ModelError, SpeechToFace
from models.config_file import load_config
from models.dualtalker.config import Config
from models.styles import VoiceChoice


def load(folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None) -> list[SpeechToFace]:
    """See `models.loading.load_voices`."""
    from models.causal import load_causal
    from models.dualtalker.network import DualTalker

    return load_causal(folder, DualTalker(config_of(folder)), device, voices, tongue)


def config_of(folder: Path) -> Config:
    """Raises ModelError for a folder of another system, or of none."""
    system = checkpoint.system_of(folder)
    if system != "dualtalker":
        raise ModelError(f"model {folder.name!r} is a {system!r} network, which does not read lips; expected a 'dualtalker' one")
    return load_config(folder / checkpoint.CONFIG, Config)
