"""A CodeTalker checkpoint's folder to models of a face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.config_file import load_config, read_values
from speech_to_face.networks.codetalker.config import Config
from speech_to_face.networks.codetalker.network import CodeTalker
from speech_to_face.streaming.causal_model import load_causal
from speech_to_face.styles import VoiceChoice


def load(
    folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None
) -> list[SpeechToFace]:
    """See `speech_to_face.loading.load_voices`; a whole recording runs step by step on one thread, so `block_threads`
    changes nothing.

    Raises ModelError, for a mesh-sized checkpoint too: that one moves the vertices of a head and has no coefficients to
    give.
    """
    path = folder / checkpoint.CONFIG
    if "vertices" in read_values(path):
        raise ModelError(
            f"model {folder.name!r} moves the vertices of a mesh, not blendshapes, so it cannot drive a face; "
            "use codetalker-mini, or speech_to_face.networks.codetalker.mesh for its vertices"
        )
    return load_causal(folder, CodeTalker(load_config(path, Config)), device, voices, tongue)
