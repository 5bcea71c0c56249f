"""The loop that trains any `Trainable`: stages one after the other, on Accelerate, which is one processor, one GPU or
many.

Several GPUs or machines: `accelerate launch -m livelink_bridge train ...` or torchrun. Every process draws batches of
its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from speech_to_face.base import ModelError
from speech_to_face_lab.training.loop.accelerated import Objective, accelerator_of, on_device, own_randomness
from speech_to_face_lab.training.loop.logs import Log, Means
from speech_to_face_lab.training.loop.plan import Plan, ends
from speech_to_face_lab.training.loop.signals import held_back
from speech_to_face_lab.training.loop.state import FILE, Average, Progress, put_moments, restore, save
from speech_to_face_lab.training.loop.step import WARM_UP, falling, rate_of_run, set_rate, take_step

Batches = Callable[[int], Iterator[Any]]
"""A seed to endless batches (dataclasses of tensors); a run that resumes asks again, with another seed."""
Show = Callable[[str, float, dict[str, float]], None]
"""Stage, part of the whole run done in [0, 1], mean losses since the last time."""
Validation = Mapping[str, Sequence[Any]]
"""Batches to measure while a network learns, by the name of their group; "" for a single group."""
PROCESSES = 1009
"""Distance of two seeds of one process, so that the other processes' seeds fit in between."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    step: int
    """Steps of all stages, of all calls of `train`."""
    seconds: float
    """Spent in steps."""
    losses: dict[str, float]
    """Means of the last row of the log."""
    finished: bool
    first: bool = True
    """Of several processes, the one that writes."""
    begun: int = 0
    """Step at which this call began; the last one where the run was finished before."""


def train(
    network: nn.Module,
    batches: Batches,
    plan: Plan,
    run: Path,
    device: str = "cpu",
    show: Show | None = None,
    limit: int | None = None,
    validation: Validation | None = None,
) -> Outcome:
    """Train a `Trainable` to the end of its plan, resuming from the run's state where there is one.

    Ctrl-C writes the state after the step in progress and raises KeyboardInterrupt.

    Parameters
    ----------
    network
        A `speech_to_face_lab.training.trainable.Trainable`.
    batches
        Makes endless batches of a seed.
    run
        Folder of the state and the log.
    device
        "cpu", "cuda" or "mps".
    show
        Called with every row of the log.
    limit
        Stop after so many more steps, with the state written.
    validation
        Measured whenever the state is written; it changes nothing that is learnt.

    Raises
    ------
    ModelError
        A state that does not fit, batches that end, or losses that are not finite.
    """
    return _Training(network, batches, plan, run, device, show, validation or {}).all(limit)


class _Training:
    """One call of `train`."""

    interrupted: threading.Event
    raw_optimiser: torch.optim.Optimizer

    def __init__(
        self,
        network: nn.Module,
        batches: Batches,
        plan: Plan,
        run: Path,
        device: str,
        show: Show | None,
        validation: Validation,
    ) -> None:
        self.accelerator = accelerator_of(device, plan.mixed_precision)
        self.network = network.to(self.accelerator.device)
        self.batches, self.plan, self.run, self.show, self.validation = batches, plan, run, show, validation
        self.stages: tuple[str, ...] = plan.stages or tuple(getattr(network, "stages", ()))
        self.ends = ends(plan, self.stages)
        self.movable = [(parameter, parameter.requires_grad) for parameter in self.network.parameters()]
        self.average, self.progress, self.moments = Average(self.network), Progress(), dict[str, Tensor]()
        if (run / FILE).exists():
            self.progress, self.moments = restore(run / FILE, self.network, self.average)
        self.losses: dict[str, float] = {}
        self.log = Log(run, self.accelerator.is_main_process)

    def all(self, limit: int | None) -> Outcome:
        begun, p = self.progress.step, self.progress
        last = None if limit is None else begun + limit
        if self.plan.drop and not begun:
            self._check_drop()
        try:
            with held_back() as self.interrupted:
                while not p.finished and self._stage(last):
                    self._next_stage()
        finally:
            self.log.close()
        return Outcome(p.step, p.seconds, self.losses, p.finished, self.accelerator.is_main_process, begun)

    @torch.no_grad()
    def _check_drop(self) -> None:
        """A misspelt term would train a network that lacks nothing."""
        network: Any = self.network.eval()
        batch = on_device(next(self.batches(self._seed())), self.accelerator.device)
        known = sorted({name for stage in self.stages for name in network.terms(batch, stage)})
        if strange := [name for name in self.plan.drop if name not in known]:
            raise ModelError(f"no term {strange[0]!r} to leave out, expected one of {', '.join(known)}")

    @property
    def done(self) -> float:
        """Part of the whole run, by steps or by the clock, whichever is farther."""
        by_clock = self.progress.seconds / (60 * self.plan.minutes) if self.plan.minutes else 0.0
        return max(self.progress.step / self.plan.steps, by_clock)

    @property
    def stage(self) -> str:
        """The present stage's name."""
        return self.stages[self.progress.stage]

    def _stage(self, last: int | None) -> bool:
        """Train the present stage; True at its end, False at step `last`."""
        end = self.ends[self.progress.stage]
        objective, optimiser = self._begin()
        began, means = self._stage_began() if self.progress.in_stage else self.done, Means()
        before = time.monotonic()
        for batch in self.batches(self._seed()):
            if self._agreed(self.done >= end):
                return True
            if self._stops(last):
                return False
            rate = self._rate((self.done - began) / max(end - began, 1e-9))
            means.add(self._step(objective, optimiser, batch, rate))
            before, now = time.monotonic(), before
            self.progress.seconds += before - now
            self._report(means, rate)
        raise ModelError(
            f"stage {self.stage}: the batches ended after {self.progress.step} steps; the data must be endless"
        )

    def _stops(self, last: int | None) -> bool:
        """Whether the limit is reached, the state written. KeyboardInterrupt after a signal, with the state written."""
        limited = last is not None and self.progress.step >= last
        if not limited and self._agreed(self.interrupted.is_set()):
            self._save()
            raise KeyboardInterrupt
        if limited:
            self._save()
        return limited

    def _begin(self) -> tuple[nn.Module, Any]:
        """The stage's losses and its optimiser, as Accelerate wraps them."""
        parameters = self._thaw()
        torch.manual_seed(self._seed())
        self.accelerator.free_memory()  # the last stage's optimiser would have its gradients unscaled once more
        if not (self.plan.joined and hasattr(self, "raw_optimiser")):
            self._new_optimiser(self._movable() if self.plan.joined else parameters)
        objective = Objective(self.network, self.stage, self.plan.drop).train()
        prepared: tuple[nn.Module, Any] = self.accelerator.prepare(objective, self.raw_optimiser)
        return prepared

    def _new_optimiser(self, parameters: list[nn.Parameter]) -> None:
        """AdamW with what the run's state knows of its parameters."""
        betas = (self.plan.betas[0], self.plan.betas[1])
        self.raw_optimiser = torch.optim.AdamW(self._groups(parameters), lr=self.plan.rate, betas=betas)
        put_moments(self.raw_optimiser, self.network, self.moments, self.counted)

    def _movable(self) -> list[nn.Parameter]:
        """Parameters that any stage moves: those without a gradient are passed over by AdamW."""
        network: Any = self.network
        return list(dict.fromkeys(p for stage in self.stages for p in network.trained(stage)))

    @property
    def counted(self) -> int:
        """Steps that the optimiser and the average have seen."""
        return self.progress.step if self.plan.joined else self.progress.in_stage

    def _groups(self, parameters: list[nn.Parameter]) -> list[dict[str, Any]]:
        """The parameters with weight decay, and those without: a network names the ones that must not fade while
        nothing teaches them."""
        spared = {id(self.network.get_parameter(name)) for name in getattr(self.network, "undecayed", ())}
        decayed = [parameter for parameter in parameters if id(parameter) not in spared]
        rest = [parameter for parameter in parameters if id(parameter) in spared]
        groups = [{"params": decayed, "weight_decay": self.plan.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        return [group for group in groups if group["params"]]

    def _report(self, means: Means, rate: float) -> None:
        """Every so many steps: a row of the log, and the state."""
        if self.progress.step % self.plan.log_every == 0:
            self.losses = means.take()
            self._row(self.losses | {"rate": rate})
            if self.show is not None:
                self.show(self.stage, min(1.0, self.done), self.losses)
        if self.progress.step % self.plan.save_every == 0:
            self._validate()
            self._save()

    def _row(self, values: dict[str, float]) -> None:
        self.log.row(self.progress.step, self.stage, self.progress.seconds, values)

    def _validate(self) -> None:
        """A row of the log with what the validation batches measure, in evaluation mode. The training's random numbers
        stay as they are."""
        if not (self.validation and self.accelerator.is_main_process):
            return
        device, means = self.accelerator.device, Means()
        objective = Objective(self.network, self.stage, self.plan.drop).eval()
        with torch.no_grad(), self.accelerator.autocast(), own_randomness(device):
            for group, batches in self.validation.items():
                start = f"validation_{group}_" if group else "validation_"
                for batch in batches:
                    found = self._measured(objective, on_device(batch, device))
                    means.add({start + name: value for name, value in found.items()})
        objective.train()
        self._row(means.take())

    def _measured(self, objective: nn.Module, batch: Any) -> dict[str, float]:
        """The network's own measures of a batch where it has some, else its losses."""
        network: Any = self.network
        if hasattr(network, "measures"):
            return dict(network.measures(batch, self.stage))
        return {name: float(term) for name, term in objective(batch).items()}

    def _stage_began(self) -> float:
        return self.ends[self.progress.stage - 1] if self.progress.stage else 0.0

    def _next_stage(self) -> None:
        """Stages that are not joined build on averaged weights, with nothing kept of how the last one moved."""
        if not self.plan.joined:
            self.average.copy_to(self.network)
            self.moments = {}
        self._validate()
        self.progress.in_stage = 0
        self.progress.stage += 1
        self.progress.finished = self.progress.stage == len(self.stages)
        self._save()

    def _thaw(self) -> list[nn.Parameter]:
        """Only what the stage trains moves. Must come before the module is wrapped: several processes agree on it
        then."""
        network: Any = self.network
        for parameter, moves in self.movable:  # as the network was built: what it never trains stays out
            parameter.requires_grad_(moves)
        chosen = list(dict.fromkeys(network.trained(self.stage)))
        self.network.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        return chosen

    def _seed(self) -> int:
        """Another one for every plan, step to resume from, and process."""
        process: int = self.accelerator.process_index
        return self.plan.seed * 1_000_003 + self.progress.step * PROCESSES + process

    def _rate(self, part: float) -> float:
        """The plan's rate, or a linear rise and half a cosine, over the run or in every stage anew."""
        if self.plan.schedule == "constant":
            return self.plan.rate
        if self.plan.joined:
            return rate_of_run(self.plan.rate, self.progress.step, self.done)
        share = self.ends[self.progress.stage] - self._stage_began()
        warm = min(WARM_UP, max(1, round(0.1 * share * self.plan.steps)))
        return self.plan.rate * (min(1.0, (self.progress.in_stage + 1) / warm) * falling(part) + 1e-3)

    def _step(self, objective: nn.Module, optimiser: Any, batch: Any, rate: float) -> dict[str, float]:
        set_rate(self.raw_optimiser, rate)
        terms: dict[str, Tensor] = objective(on_device(batch, self.accelerator.device))
        self._check(terms)
        found = take_step(terms, optimiser, self.accelerator.backward, self._clip)
        self.progress.step += 1
        self.progress.in_stage += 1
        self.average.update(self.network, self.counted)
        return found

    def _clip(self) -> None:
        if self.plan.clip:
            self.accelerator.clip_grad_norm_([p for p in self.network.parameters() if p.requires_grad], self.plan.clip)

    def _check(self, terms: dict[str, Tensor]) -> None:
        odd = [name for name, term in terms.items() if not bool(torch.isfinite(term.detach()).all())]
        if odd:
            raise ModelError(
                f"step {self.progress.step}: {odd[0]} is not finite; resume from the last state with a lower --rate"
            )

    def _agreed(self, here: bool) -> bool:
        """Several processes end a stage at the same step: when the first one's clock says so."""
        if self.accelerator.num_processes == 1:
            return here
        flag = torch.tensor(float(here and self.accelerator.is_main_process), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, "sum") > 0)

    def _save(self) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            save(self.run / FILE, self.network, self.average, self.raw_optimiser, self.progress)
