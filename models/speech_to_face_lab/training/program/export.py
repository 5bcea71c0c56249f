"""A run's averaged weights as a checkpoint folder that `--model` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from speech_to_face import checkpoint
from speech_to_face.config_file import save_config
from speech_to_face_lab.training.program.state import FILE, restore
from speech_to_face_lab.training.state import Average


def load_run(network: nn.Module, run: Path) -> nn.Module:
    """Fill a network of the run's config with the run's averaged weights. ModelError where the state does not fit or is
    not there."""
    average = Average(network)
    restore(run / FILE, network, average)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(average.weights[name])
    return network.eval()


def write_checkpoint(network: nn.Module, out: Path, card: str) -> int:
    """Write config.yaml, model.safetensors, CARD.md and SHA256SUMS; returns the bytes of the weights."""
    causal: Any = network
    tensors = causal.exported() if hasattr(network, "exported") else network.state_dict()
    out.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}, out / checkpoint.WEIGHTS
    )
    (out / checkpoint.WEIGHTS).chmod(0o644)  # safetensors writes for its user alone; a checkpoint is handed on
    save_config(causal.config, out / checkpoint.CONFIG)
    (out / checkpoint.CARD).write_text(card, encoding="utf-8")
    checkpoint.write_sums(out)
    return (out / checkpoint.WEIGHTS).stat().st_size
