"""How long, how fast and on what a run learns: what the user asks for, and what is written into the run's folder."""

from __future__ import annotations

from dataclasses import dataclass

SCHEDULES = ("cosine", "constant")
PRECISIONS = ("auto", "no", "bf16", "fp16")


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one run, all of its stages together. ValueError for values out of range."""

    steps: int = 20_000
    """Optimiser steps of all stages together."""
    minutes: float = 0.0
    """Wall clock of all stages together, not counting while the run was stopped; 0: as long as the steps take. The rate
    falls by whichever of the two is nearer to its end."""
    stages: tuple[str, ...] = ()
    """Names of the stages to run; empty: all of the network's."""
    shares: tuple[float, ...] = ()
    """Share of the run for each stage, in the order of the stages; empty: equal ones."""
    joined: bool = False
    """True: the stages share one optimiser and one schedule. False: each stage begins with the averaged weights of the
    one before, a new optimiser and a schedule of its own."""
    rate: float = 1.5e-3
    """Highest learning rate."""
    schedule: str = "cosine"
    """Of the rate: "cosine" rises over `step.WARM_UP` steps and falls to nothing; "constant" stays."""
    betas: tuple[float, ...] = (0.9, 0.98)
    """Of AdamW."""
    weight_decay: float = 0.01
    """Of AdamW; at 0 it is Adam."""
    clip: float = 1.0
    """Largest norm of the gradient; 0: not clipped."""
    batch: int = 8
    """Windows a step and process."""
    seconds: float = 2.0
    """Length of a window."""
    seed: int = 0
    drop: tuple[str, ...] = ()
    """Terms of the objective to leave out, by the names that the log shows."""
    mixed_precision: str = "auto"
    """One of `PRECISIONS`; "auto" is bf16 on a CUDA card that has it, and none elsewhere."""
    save_every: int = 200
    """Steps between two states on disk; validation runs at the same steps."""
    log_every: int = 25
    """Steps between two rows of the log."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "save_every", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")
        if self.minutes < 0 or self.seconds <= 0 or self.rate <= 0:
            raise ValueError("minutes may not be below 0; seconds and rate must be above 0")
        if any(share <= 0 for share in self.shares):
            raise ValueError(f"shares are {self.shares}, expected numbers above 0")
        self._check_optimiser()

    def _check_optimiser(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule is {self.schedule!r}, expected {' or '.join(SCHEDULES)}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas are {self.betas}, expected two numbers from 0 to below 1")
        if self.weight_decay < 0 or self.clip < 0:
            raise ValueError("weight_decay and clip may not be below 0")
        if self.mixed_precision not in PRECISIONS:
            raise ValueError(f"mixed_precision is {self.mixed_precision!r}, expected auto, no, bf16 or fp16")


def ends(plan: Plan, stages: tuple[str, ...]) -> tuple[float, ...]:
    """Where each stage ends, as a part of the whole run: (0.3, 1.0). ValueError where shares and stages differ in
    number."""
    shares = plan.shares or (1.0,) * len(stages)
    if len(shares) != len(stages):
        raise ValueError(
            f"{len(shares)} shares for {len(stages)} stages ({', '.join(stages)}): expected one each, or none at all"
        )
    total = sum(shares)
    found = [sum(shares[: n + 1]) / total for n in range(len(stages))]
    return (*found[:-1], 1.0)
