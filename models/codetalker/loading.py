"""A CodeTalker checkpoint's folder to models of a face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models import checkpoint
from models.base import ModelError, SpeechToFace
from models.causal import load_causal
from models.codetalker.config import Config
from models.codetalker.network import CodeTalker
from models.config_file import load_config, read_values
from models.styles import VoiceChoice


def load(folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None) -> list[SpeechToFace]:
    """See `models.loading.load_voices`; a whole recording runs step by step on one thread, so `block_threads` changes nothing.

    Raises ModelError, for a mesh-sized checkpoint too: that one moves the vertices of a head and has no coefficients to give.
    """
    path = folder / checkpoint.CONFIG
    if "vertices" in read_values(path):
        raise ModelError(
            f"model {folder.name!r} moves the vertices of a mesh, not blendshapes, so it cannot drive a face; "
            "use codetalker-mini, or models.codetalker.mesh for its vertices"
        )
    return load_causal(folder, CodeTalker(load_config(path, Config)), device, voices, tongue)
