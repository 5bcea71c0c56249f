"""A folder of PMMTalk at the paper's size to models; converted public weights into a network before its training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from speech_to_face import checkpoint
from speech_to_face.base import ModelError, SpeechToFace
from speech_to_face.config_file import load_config
from speech_to_face.networks.pmmtalk.faces import load_reference
from speech_to_face.networks.pmmtalk.paper.config import PARTS, Config
from speech_to_face.networks.pmmtalk.paper.network import FROZEN, PaperPMMTalk
from speech_to_face.streaming.block_model import Face, load_blocks
from speech_to_face.styles import VoiceChoice

TRANSFORMER = ("conv_widths", "speech_width", "speech_heads", "speech_feed", "position_kernel", "position_groups")
SIZES = {
    "psi_HG": ("talking_width",),
    "psi_AE": ("conv_widths", "conv_kernels"),
    "psi_AD": (*TRANSFORMER, "audio_layers"),
    "psi_TD": (*TRANSFORMER, "text_layers", "vocabulary"),
}
"""Values of the config on which a part's folder and the network must agree."""

HOW_TO_BEGIN = (
    "get psi_AE and psi_TD by `livelink-bridge models download xlsr-53-chinese`, psi_AD by `... download xlsr-53 "
    "--revision HASH`, and "
    "psi_HG by `livelink-bridge models convert` of Wav2Lip's file"
)


def load(
    folder: Path, device: str, voices: Sequence[VoiceChoice], tongue: bool, block_threads: int | None
) -> list[SpeechToFace]:
    """See `speech_to_face.loading.load_voices`. A voice's reference is the picture that psi_HG draws over; else the
    folder's own."""
    config = load_config(folder / checkpoint.CONFIG, Config)
    absent = [part for part in PARTS if part not in config.parts]
    if absent:
        raise ModelError(
            f"model {folder.name!r} holds {' and '.join(config.parts)} of PMMTalk alone, not {absent[0]}; train a "
            "whole one from it first "
            "(PMMTalk's own weights were never published)"
        )
    network = PaperPMMTalk(config)

    def face_of(voice: VoiceChoice) -> Face:
        return network if voice.reference is None else network.with_face(load_reference(Path(voice.reference)))

    return load_blocks(folder, network, device, voices, tongue, face_of, block_threads if device == "cpu" else None)


def begin(network: PaperPMMTalk, folders: Sequence[Path]) -> str:
    """`begin_from`, and a warning in one line of the frozen parts that stay random, or ""."""
    filled = begin_from(network, folders)
    random = [part for part in FROZEN if part not in filled]
    if not random:
        return ""
    return (
        f"warning: frozen and random, and not trained: {', '.join(random)}; {HOW_TO_BEGIN}; then begin a new "
        "--run with "
        "--begin FOLDER for each"
    )


def begin_from(network: PaperPMMTalk, folders: Sequence[Path]) -> tuple[str, ...]:
    """Fill parts of a network from folders of converted public weights; returns the parts that were filled, in the
    order of `PARTS`.

    Two folders may both hold psi_AE, which the audio and the text branch share: it was frozen while the recogniser was
    trained, so the two must be equal. Raises ModelError where they are not, or where sizes differ.
    """
    filled: set[str] = set()
    for folder in folders:
        checkpoint.verify(folder)
        brought = load_config(folder / checkpoint.CONFIG, Config)
        for part in brought.parts:
            _same_sizes(folder, part, brought, network.config)
        _fill(network, folder, brought.parts, filled)
        filled.update(brought.parts)
    return tuple(part for part in PARTS if part in filled)


def _same_sizes(folder: Path, part: str, brought: Config, wanted: Config) -> None:
    for name in SIZES.get(part, ()):
        if getattr(brought, name) != getattr(wanted, name):
            raise ModelError(
                f"{folder.name}: {part} has {name} {getattr(brought, name)}, the network has {getattr(wanted, name)}; "
                "set the config to the part's sizes"
            )


def _fill(network: PaperPMMTalk, folder: Path, parts: Sequence[str], filled: set[str]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / checkpoint.WEIGHTS
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error}); convert it again") from error
    state = network.state_dict()
    for part in parts:
        for key in (key for key in state if key.startswith(f"{part}.")):
            found = tensors.get(key)
            if found is None and key.endswith(".masked_spec_embed"):
                continue  # learnt in training, where anything is hidden at all; public files may lack it
            if found is None or found.shape != state[key].shape or not bool(torch.isfinite(found).all()):
                raise ModelError(f"{path}: {key} is missing, of another shape or not finite; convert it again")
            if part in filled and not torch.equal(found.to(state[key]), state[key]):
                raise ModelError(
                    f"{path}: its {part} differs from the one already taken ({key}); the two must share one feature "
                    "encoder"
                )
            state[key].copy_(found)
