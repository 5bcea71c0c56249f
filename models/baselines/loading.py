"""A baseline's checkpoint folder to models that share its weights; and a baseline of a config, untrained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models import checkpoint
from models.base import SpeechToFace
from models.baselines.config import Config
from models.config_file import load_config
from models.styles import VoiceChoice

if TYPE_CHECKING:
    from models.baselines.base import Baseline


def build(config: Config) -> Baseline:
    """The network that the config's `kind` names, with new weights."""
    from models.baselines.emotalk import EmoTalk
    from models.baselines.faceformer import FaceFormer
    from models.baselines.voca import Voca

    kinds: dict[str, type[Baseline]] = {"voca": Voca, "faceformer": FaceFormer, "emotalk": EmoTalk}
    return kinds[config.kind](config)


def load(folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None) -> list[SpeechToFace]:
    """See `models.loading.load_voices`."""
    from models.causal import load_causal

    return load_causal(folder, build(load_config(folder / checkpoint.CONFIG, Config)), device, voices, tongue)
