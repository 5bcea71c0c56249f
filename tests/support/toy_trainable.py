"""A network of two stages small enough to know what training must do to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Pairs:
    x: Tensor
    y: Tensor


class Toy(nn.Module):
    """y = second(first(x)): stage "low" teaches the first layer, stage "high" the second; `seen` counts batches, as a
    buffer."""

    stages = ("low", "high")
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)
        self.fixed = nn.Parameter(torch.ones(2), requires_grad=False)
        self.register_buffer("seen", torch.zeros(()))

    def terms(self, batch: Pairs, stage: str) -> dict[str, Tensor]:
        if self.training:
            self.seen += 1
        hidden = self.first(batch.x)
        if stage == "low":
            return {"hidden": (hidden[:, :2] - batch.y).square().mean()}
        return {
            "error": (self.second(hidden) * self.fixed - batch.y).square().mean(),
            "size": 1e-3 * self.second.weight.square().mean(),
        }

    def trained(self, stage: str) -> Iterable[nn.Parameter]:
        return (self.first if stage == "low" else self.second).parameters()


def batches(seed: int) -> Iterator[Pairs]:
    """What y = (x0 + x1, x2) has to teach."""
    generator = torch.Generator().manual_seed(seed % 2**31)
    while True:
        x = torch.randn(16, 3, generator=generator)
        yield Pairs(x, torch.stack([x[:, 0] + x[:, 1], x[:, 2]], 1))
