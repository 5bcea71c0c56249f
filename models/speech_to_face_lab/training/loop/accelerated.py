"""What Accelerate needs: losses as a module's forward, the accelerator of a device, batches on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from speech_to_face.base import ModelError


class Objective(nn.Module):
    """A Trainable's losses as a module's forward, which Accelerate wraps for several processes and mixed precision."""

    def __init__(self, network: nn.Module, stage: str, drop: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.stage, self.drop = network, stage, drop

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Weighted losses by name, those in `drop` left out. ModelError where none is left."""
        network: Any = self.network
        found: dict[str, Tensor] = network.terms(batch, self.stage)
        kept = {name: term for name, term in found.items() if name not in self.drop}
        if not kept:
            raise ModelError(
                f"stage {self.stage}: nothing is left to learn without {', '.join(self.drop)}; leave out fewer terms"
            )
        return kept


def accelerator_of(device: str, mixed_precision: str) -> Any:
    """Accelerate on a device: "cpu", "cuda" or "mps". ModelError where it is not installed."""
    try:
        accelerate: Any = import_module("accelerate")
    except ImportError:
        raise ModelError(
            "training needs accelerate, which is not installed; run pip install 'livelink-bridge[train]'"
        ) from None
    if mixed_precision == "auto":
        mixed_precision = "bf16" if device == "cuda" and torch.cuda.is_bf16_supported() else "no"
    # A term that is left out leaves parameters without a gradient.
    unused = accelerate.DistributedDataParallelKwargs(find_unused_parameters=True)
    return accelerate.Accelerator(cpu=device == "cpu", mixed_precision=mixed_precision, kwargs_handlers=[unused])


@contextmanager
def own_randomness(device: torch.device) -> Iterator[None]:
    """Torch's random numbers start at seed 0 within, and afterwards continue as if none had been drawn."""
    kept = torch.mps.get_rng_state() if device.type == "mps" else None
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield
    if kept is not None:
        torch.mps.set_rng_state(kept)


def on_device(batch: Any, device: torch.device) -> Any:
    """A dataclass of tensors, copied to the device."""
    found = {name: getattr(batch, name) for name in batch.__dataclass_fields__}
    return replace(batch, **{name: value.to(device) for name, value in found.items() if isinstance(value, Tensor)})
