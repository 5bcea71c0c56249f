"""Training state on disk, as safetensors: weights, their running average, the optimiser's moments, the step. Nothing is
pickled."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from arkit_mapping.whole_file import whole_file

MOMENTS = ("exp_avg", "exp_avg_sq")
"""Of AdamW; zero for what has not been trained yet."""


class Average:
    """Running average of the weights; what is shipped."""

    def __init__(self, model: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.weights = {name: p.detach().clone() for name, p in model.named_parameters()}

    def update(self, model: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, p in model.named_parameters():
            self.weights[name].lerp_(p.detach(), 1 - decay)


def save(path: Path, model: nn.Module, average: Average, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Written beside and renamed, so that a stop in the middle leaves the last good file."""
    tensors = {f"model.{name}": p.detach() for name, p in model.named_parameters()}
    tensors |= {f"average.{name}": weight for name, weight in average.weights.items()}
    for name, p in model.named_parameters():
        for moment in MOMENTS:
            tensors[f"{moment}.{name}"] = optimiser.state[p].get(moment, torch.zeros_like(p)).detach()
    with whole_file(path) as part:
        save_file({name: t.contiguous() for name, t in tensors.items()}, part, {"step": str(step)})


def restore(path: Path, model: nn.Module, average: Average, optimiser: torch.optim.Optimizer) -> int:
    """Load what `save` wrote; returns the step to go on from."""
    with safe_open(path, "pt") as stored:
        step, tensors = int(stored.metadata()["step"]), {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    for name, p in model.named_parameters():
        p.data.copy_(tensors[f"model.{name}"])
        average.weights[name].copy_(tensors[f"average.{name}"])
        moments: dict[str, Tensor] = {moment: tensors[f"{moment}.{name}"].clone() for moment in MOMENTS}
        optimiser.state[p] = {"step": torch.tensor(float(step)), **moments}
    return step


def take_over(path: Path, model: nn.Module, average: Average) -> None:
    """Start from the averaged weights of another run; styles and delay may differ, sizes may not. ValueError names what
    does not fit."""
    with safe_open(path, "pt") as stored:
        for name, p in model.named_parameters():
            found = stored.get_tensor(f"average.{name}") if f"average.{name}" in stored.keys() else None  # noqa: SIM118
            if found is None or found.shape != p.shape:
                got = "missing" if found is None else f"{tuple(found.shape)}"
                raise ValueError(
                    f"{path}: {name} is {got}, expected {tuple(p.shape)}: start from a run of the same sizes"
                )
            p.data.copy_(found)
            average.weights[name].copy_(found)
