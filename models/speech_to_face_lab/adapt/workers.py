"""Several processes that train together, one a GPU: `accelerate launch -m livelink_bridge adapt ...`. A single process
needs nothing.

Every process draws examples of its own; gradients are averaged before each step, so that all of them stay equal.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch

from speech_to_face.base import ModelError


@dataclass(frozen=True, slots=True)
class Workers:
    """This process among those that train together."""

    rank: int = 0
    device: str = "cpu"
    _accelerator: Any = field(default=None, repr=False)

    @property
    def first(self) -> bool:
        """True in the process that writes files and messages."""
        return self.rank == 0

    def follow(self, optimiser: torch.optim.Optimizer) -> None:
        """Average gradients over all processes before each of the optimiser's steps."""
        if self._accelerator is not None:
            optimiser.register_step_pre_hook(self._average)

    def mean(self, value: float) -> float:
        """The mean over the processes, the same in all of them."""
        if self._accelerator is None:
            return value
        return float(self._accelerator.reduce(torch.tensor(value, device=self.device), "mean"))

    def wait(self) -> None:
        """Block until all processes are here."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()

    def _average(self, optimiser: torch.optim.Optimizer, _args: Any, _options: Any) -> None:
        grads = [p.grad for group in optimiser.param_groups for p in group["params"] if p.grad is not None]
        flat = self._accelerator.reduce(torch.cat([grad.flatten() for grad in grads]), "mean")
        for grad, part in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(part.view_as(grad))


def workers(device: str) -> Workers:
    """This process: alone, or one of those that `accelerate launch` or `torchrun` started. ModelError where accelerate
    is missing."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Workers(device=device)
    try:
        accelerate: Any = import_module("accelerate")
    except ImportError:
        raise ModelError(
            "several processes need accelerate, which is not installed; run pip install accelerate"
        ) from None
    accelerator = accelerate.Accelerator(cpu=device == "cpu")
    return Workers(accelerator.process_index, str(accelerator.device), accelerator)
