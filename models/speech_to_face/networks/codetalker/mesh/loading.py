"""A mesh-sized checkpoint folder to its network."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.config_file import load_config
from speech_to_face.networks.codetalker.mesh.config import MeshConfig
from speech_to_face.networks.codetalker.mesh.network import MeshCodeTalker
from speech_to_face.streaming.causal_model import load_weights
from speech_to_face.styles import style_shares


def load_mesh(folder: Path, device: str = "cpu") -> MeshCodeTalker:
    """The network of a folder that `livelink-bridge models convert` made of a stage 1 and a stage 2 file. Raises
    ModelError."""
    checkpoint.verify(folder)
    config = load_config(folder / checkpoint.CONFIG, MeshConfig)
    if missing := sorted({"prior", "speech"} - set(config.parts)):
        stage = "stage 1 file, the motion prior," if missing == ["prior"] else "stage 2 file"
        raise ModelError(f"{folder}: the {stage} is not in it; convert the files of both stages together")
    network = MeshCodeTalker(config)
    load_weights(folder / checkpoint.WEIGHTS, network)
    return network.to(device)


def style_of(network: MeshCodeTalker, style: str) -> Tensor:
    """float32 (width,): a training subject's style, or a mixture, "0.3:F2,0.7:M3". Raises ModelError for an unknown
    name."""
    shares = style_shares(style, network.config.styles)[
        :-1
    ]  # the last share is the unknown speaker's, whom these do not have
    return torch.from_numpy(shares).to(network.styles.weight) @ network.styles.weight.detach()
