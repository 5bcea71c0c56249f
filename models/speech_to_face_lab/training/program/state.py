"""A run's state on disk, as safetensors: weights, buffers, their running average, the optimiser's moments, and how far
the run is.

Nothing is pickled. `speech_to_face_lab.training.export` reads the "average." tensors of the same file.
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
from speech_to_face_lab.training.state import MOMENTS, Average

FILE = "state.safetensors"


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    step: int = 0
    """Steps of all stages so far."""
    stage: int = 0
    in_stage: int = 0
    """Steps of this stage so far."""
    seconds: float = 0.0
    """Spent in steps, stops not counted."""
    finished: bool = False


def weights_of(network: nn.Module, average: Average) -> dict[str, Tensor]:
    """What is shipped: averaged parameters, and the buffers that `state_dict` has as they are."""
    buffers = {name: value.detach() for name, value in network.state_dict().items() if name not in average.weights}
    return {name: value.contiguous() for name, value in (buffers | average.weights).items()}


def save(
    path: Path, network: nn.Module, average: Average, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    """Written beside and renamed, so that a stop in the middle leaves the last good file."""
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in weights_of(network, average).items()}
    for name, parameter in network.named_parameters():
        for moment in MOMENTS:
            kept = optimiser.state[parameter].get(moment) if parameter in optimiser.state else None
            if kept is not None:
                tensors[f"{moment}.{name}"] = kept
    here = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    with whole_file(path) as part:
        save_file(here, part, {"progress": json.dumps(asdict(progress))})


def restore(path: Path, network: nn.Module, average: Average) -> tuple[Progress, dict[str, Tensor]]:
    """Fill network and average from what `save` wrote. Returns the progress, and the moments by "exp_avg.<parameter>".

    ModelError for a file that is damaged or of another network.
    """
    try:
        with safe_open(path, "pt") as stored:
            progress = Progress(**json.loads((stored.metadata() or {})["progress"]))
            tensors: dict[str, Tensor] = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: not the state of a run ({type(error).__name__}); give a new --run") from error
    if wrong := _differing(tensors, network, average):
        raise ModelError(
            f"{path}: is of another network, {len(wrong)} tensors differ, the first is {wrong[0]}; give a new --run"
        )
    network.load_state_dict({name: tensors[f"model.{name}"] for name in network.state_dict()})
    for name, weight in average.weights.items():
        weight.copy_(tensors[f"average.{name}"])
    return progress, {name: value for name, value in tensors.items() if name.startswith(MOMENTS)}


def _differing(tensors: dict[str, Tensor], network: nn.Module, average: Average) -> list[str]:
    """The network's names of weights that are missing or of another shape, as they are, averaged or as moments; moments
    may be missing."""
    wanted = {f"model.{name}": value for name, value in network.state_dict().items()}
    wanted |= {f"average.{name}": value for name, value in average.weights.items()}
    moved = {f"{moment}.{name}": value for name, value in average.weights.items() for moment in MOMENTS}
    wanted |= {name: value for name, value in moved.items() if name in tensors}
    wrong = [name for name, value in wanted.items() if name not in tensors or tensors[name].shape != value.shape]
    return sorted({name.partition(".")[2] for name in wrong})


def put_moments(optimiser: torch.optim.Optimizer, network: nn.Module, moments: dict[str, Tensor], steps: int) -> None:
    """Give the optimiser back what it knew of each parameter after `steps` steps."""
    held = {id(parameter) for group in optimiser.param_groups for parameter in group["params"]}
    for name, parameter in network.named_parameters():
        found = {moment: moments[f"{moment}.{name}"] for moment in MOMENTS if f"{moment}.{name}" in moments}
        if id(parameter) in held and len(found) == len(MOMENTS):
            there = {moment: value.to(parameter.device).clone() for moment, value in found.items()}
            optimiser.state[parameter] = {"step": torch.tensor(float(steps)), **there}
