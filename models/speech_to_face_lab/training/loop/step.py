"""One step of the optimiser and its learning rate; `train` and `adapt` share them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

WARM_UP = 100
"""Steps over which the rate rises."""
LEAST_RATE = 1e-6
"""Of a schedule over a whole run: the rate never quite reaches 0."""


def falling(part: float) -> float:
    """Half a cosine: 1 at the begin of a run or stage (part 0), 0 at its end (part 1 and beyond)."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, part))))


def rate_of_run(highest: float, step: int, part: float) -> float:
    """Learning rate of a schedule over a whole run: a linear rise over `WARM_UP` steps, times half a cosine.

    step: steps so far; part: of the run that is done, in [0, 1].
    """
    return highest * min(1.0, (step + 1) / WARM_UP) * falling(part) + LEAST_RATE


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Use this learning rate for all parameters from now on."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def take_step(
    terms: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    backward: Callable[[Tensor], object],
    clip: Callable[[], object],
) -> dict[str, float]:
    """Move the parameters once against the sum of the terms.

    Parameters
    ----------
    terms
        Weighted losses by name, each a scalar.
    backward
        Computes the gradients of a loss.
    clip
        Called between the gradients and the step.

    Returns
    -------
    dict
        The terms as numbers.
    """
    optimiser.zero_grad(set_to_none=True)
    backward(torch.stack([term.float() for term in terms.values()]).sum())
    clip()
    optimiser.step()
    return {name: float(term.detach()) for name, term in terms.items()}


def clip_to(network: nn.Module, norm: float) -> None:
    """Scale the gradients of the parameters that move so that their norm is at most `norm`."""
    nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], norm)
