"""A baseline's checkpoint folder to models that share its weights; and a baseline of a config, untrained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from speech_to_face import checkpoint
from speech_to_face.base import SpeechToFace
from speech_to_face.config_file import load_config
from speech_to_face.networks.baselines.config import Config
from speech_to_face.styles import VoiceChoice

if TYPE_CHECKING:
    from speech_to_face.networks.baselines.base import Baseline


def build(config: Config) -> Baseline:
    """The network that the config's `kind` names, with new weights."""
    from speech_to_face.networks.baselines.emotalk import EmoTalk
    from speech_to_face.networks.baselines.faceformer import FaceFormer
    from speech_to_face.networks.baselines.voca import Voca

    kinds: dict[str, type[Baseline]] = {"voca": Voca, "faceformer": FaceFormer, "emotalk": EmoTalk}
    return kinds[config.kind](config)


def load(
    folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None
) -> list[SpeechToFace]:
    """See `speech_to_face.loading.load_voices`."""
    from speech_to_face.streaming.causal_model import load_causal

    return load_causal(folder, build(load_config(folder / checkpoint.CONFIG, Config)), device, voices, tongue)
