"""A run's state on disk: weights, buffers, their running average, the optimiser's moments, and how far the run is.

A safetensors file, nothing is pickled. `load_average` reads the "average." tensors, which are what a checkpoint holds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from arkit_mapping.whole_file import whole_file
from speech_to_face.base import ModelError

FILE = "state.safetensors"
MOMENTS = ("exp_avg", "exp_avg_sq")
"""Of AdamW; a parameter that has not been trained yet has none."""
STEPS = "steps"
"""Prefix of the steps that AdamW counted for a parameter: a stage that freezes it does not count."""


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    step: int = 0
    """Steps of all stages so far."""
    stage: int = 0
    """Index of the present stage."""
    in_stage: int = 0
    """Steps of this stage so far."""
    seconds: float = 0.0
    """Spent in steps, stops not counted."""
    finished: bool = False


class Average:
    """Exponential moving average of a network's parameters; a checkpoint holds it, not the last weights.

    Parameters
    ----------
    decay
        Share of the old average that a step keeps, once the run is long: min(decay, (1 + step) / (10 + step)).
    """

    def __init__(self, network: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.weights = {name: p.detach().clone() for name, p in network.named_parameters()}

    def update(self, network: nn.Module, step: int) -> None:
        """Take the parameters in. step: optimiser steps so far, the present one included."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, p in network.named_parameters():
            self.weights[name].lerp_(p.detach(), 1 - decay)

    def copy_to(self, network: nn.Module) -> None:
        """Make the average the network's parameters."""
        for name, p in network.named_parameters():
            p.data.copy_(self.weights[name])


def weights_of(network: nn.Module, average: Average) -> dict[str, Tensor]:
    """What a checkpoint holds: averaged parameters, and the buffers of the `state_dict` as they are."""
    buffers = {name: value.detach() for name, value in network.state_dict().items() if name not in average.weights}
    return {name: value.contiguous() for name, value in (buffers | average.weights).items()}


def save(
    path: Path, network: nn.Module, average: Average, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write a run's state beside `path` and rename it: a process that is killed leaves the last good file."""
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in weights_of(network, average).items()}
    for name, parameter in network.named_parameters():
        kept = optimiser.state[parameter] if parameter in optimiser.state else {}
        tensors |= {f"{moment}.{name}": kept[moment] for moment in MOMENTS if moment in kept}
        if "step" in kept:
            tensors[f"{STEPS}.{name}"] = torch.as_tensor(kept["step"], dtype=torch.float32)
    here = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    with whole_file(path) as part:
        save_file(here, part, {"progress": json.dumps(asdict(progress))})


def restore(path: Path, network: nn.Module, average: Average) -> tuple[Progress, dict[str, Tensor]]:
    """Fill network and average from what `save` wrote.

    Returns the progress, and the optimiser's moments as `put_moments` takes them. ModelError for a file that is
    damaged, of another network, or of an earlier version of the training.
    """
    metadata, tensors = _read(path)
    if "progress" not in metadata and "step" in metadata:
        raise ModelError(
            f"{path}: is of a run by an earlier version, which this one does not resume; give a new --run, and "
            f"--begin {path.parent} to start from its weights"
        )
    try:
        progress = Progress(**json.loads(metadata["progress"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _no_state(path, error) from error
    _check(path, tensors, network, average)
    network.load_state_dict({name: tensors[f"model.{name}"] for name in network.state_dict()})
    for name, weight in average.weights.items():
        weight.copy_(tensors[f"average.{name}"])
    return progress, {name: value for name, value in tensors.items() if name.startswith((*MOMENTS, f"{STEPS}."))}


def load_average(path: Path, network: nn.Module) -> None:
    """Fill a network with the averaged weights and the buffers of a run's state, by this version or an earlier one.

    ModelError for a file that is damaged or of another network.
    """
    _, tensors = _read(path)
    found = {name.removeprefix("average."): value for name, value in tensors.items() if name.startswith("average.")}
    if not found:
        raise _no_state(path, KeyError("average"))
    fill(path, network, found)


def fill(path: Path, network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load tensors into a network of the same sizes. ModelError names the file and the first that does not fit."""
    for name, value in network.state_dict().items():
        found = tensors.get(name)
        if found is None or found.shape != value.shape:
            got = "missing" if found is None else f"{tuple(found.shape)}"
            raise ModelError(f"{path}: {name} is {got}, expected {tuple(value.shape)}: expected one of the same sizes")
    network.load_state_dict({name: tensors[name] for name in network.state_dict()})


def put_moments(optimiser: torch.optim.Optimizer, network: nn.Module, moments: dict[str, Tensor], steps: int) -> None:
    """Give the optimiser back what it knew of each parameter. steps: where the file does not tell a parameter's own."""
    held = {id(parameter) for group in optimiser.param_groups for parameter in group["params"]}
    for name, parameter in network.named_parameters():
        found = {moment: moments[f"{moment}.{name}"] for moment in MOMENTS if f"{moment}.{name}" in moments}
        if id(parameter) in held and len(found) == len(MOMENTS):
            there = {moment: value.to(parameter.device).clone() for moment, value in found.items()}
            counted = moments.get(f"{STEPS}.{name}", torch.tensor(float(steps)))
            optimiser.state[parameter] = {"step": counted.clone(), **there}


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as stored:
            return stored.metadata() or {}, {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _no_state(path, error) from error


def _no_state(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path}: not the state of a run ({type(error).__name__}); give a new --run")


def _check(path: Path, tensors: dict[str, Tensor], network: nn.Module, average: Average) -> None:
    if wrong := _differing(tensors, network, average):
        raise ModelError(
            f"{path}: is of another network, {len(wrong)} tensors differ, the first is {wrong[0]}; give a new --run"
        )


def _differing(tensors: dict[str, Tensor], network: nn.Module, average: Average) -> list[str]:
    """Names of the network's tensors that the file lacks or has in another shape. Moments may be missing."""
    wanted = {f"model.{name}": value for name, value in network.state_dict().items()}
    wanted |= {f"average.{name}": value for name, value in average.weights.items()}
    moved = {f"{moment}.{name}": value for name, value in average.weights.items() for moment in MOMENTS}
    wanted |= {name: value for name, value in moved.items() if name in tensors}
    wrong = [name for name, value in wanted.items() if name not in tensors or tensors[name].shape != value.shape]
    return sorted({name.partition(".")[2] for name in wrong})
