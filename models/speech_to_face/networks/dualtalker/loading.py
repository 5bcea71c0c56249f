"""A DualTalker checkpoint's folder to models that share its weights, and to its lip reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.config_file import load_config
from speech_to_face.networks.dualtalker.config import Config
from speech_to_face.styles import VoiceChoice


def load(
    folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None
) -> list[SpeechToFace]:
    """See `speech_to_face.loading.load_voices`."""
    from speech_to_face.networks.dualtalker.network import DualTalker
    from speech_to_face.streaming.causal_model import load_causal

    return load_causal(folder, DualTalker(config_of(folder)), device, voices, tongue)


def config_of(folder: Path) -> Config:
    """Raises ModelError for a folder of another system, or of none."""
    system = checkpoint.system_of(folder)
    if system != "dualtalker":
        raise ModelError(
            f"model {folder.name!r} is a {system!r} network, which does not read lips; expected a 'dualtalker' one"
        )
    return load_config(folder / checkpoint.CONFIG, Config)
