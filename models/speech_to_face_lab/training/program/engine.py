"""The loop that trains any `Trainable`: stages one after the other, on Accelerate, which is one processor, one GPU or
many.

Several GPUs or machines: `accelerate launch -m livelink_bridge train ...` or torchrun. Every process draws batches of
its own.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from speech_to_face.base import ModelError
from speech_to_face_lab.training.program.logs import Log
from speech_to_face_lab.training.program.plan import WARM_UP, Plan, ends
from speech_to_face_lab.training.program.state import FILE, Progress, put_moments, restore, save
from speech_to_face_lab.training.state import Average

Batches = Callable[[int], Iterator[Any]]
"""A seed to endless batches (dataclasses of tensors); a run that goes on asks again, with another seed."""
Show = Callable[[str, float, dict[str, float]], None]
"""Stage, part of the whole run done in [0, 1], mean losses since the last time."""
PROCESSES = 1009
"""Seeds of one process lie so far apart that those of others fit in between."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    step: int
    seconds: float
    losses: dict[str, float]
    """Means of the last stretch that was logged."""
    finished: bool
    first: bool = True
    """Of several processes, the one that writes."""
    begun: int = 0
    """Step at which this call began; the last one where the run had come to its end before."""


class Means:
    """Means of losses over the steps since they were last asked for."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        means = {name: total / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means


class Objective(nn.Module):
    """A Trainable's losses as a module's forward, which is what Accelerate wraps for several processes and mixed
    precision."""

    def __init__(self, network: nn.Module, stage: str, drop: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.stage, self.drop = network, stage, drop

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Weighted losses by name. ModelError where none is left."""
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
    unused = accelerate.DistributedDataParallelKwargs(
        find_unused_parameters=True
    )  # a term left out leaves parameters without a gradient
    return accelerate.Accelerator(cpu=device == "cpu", mixed_precision=mixed_precision, kwargs_handlers=[unused])


def train(
    network: nn.Module,
    batches: Batches,
    plan: Plan,
    run: Path,
    device: str = "cpu",
    show: Show | None = None,
    limit: int | None = None,
    validation: Sequence[Any] = (),
) -> Outcome:
    """Train a `Trainable` to the end of its plan, going on from the run's state where there is one.

    limit: stop after so many more steps, state written. validation: batches whose mean losses are logged whenever the
    state is written; they change nothing that is learnt. Ctrl-C writes the state after the step that it came in, and
    raises KeyboardInterrupt. Raises ModelError for a state that does not fit, and for losses that are not finite.
    """
    training = _Training(network, batches, plan, run, device, show)
    training.validation = validation
    return training.all(limit)


class _Training:
    """One call of `train`."""

    def __init__(
        self, network: nn.Module, batches: Batches, plan: Plan, run: Path, device: str, show: Show | None
    ) -> None:
        self.accelerator = accelerator_of(device, plan.mixed_precision)
        self.network = network.to(self.accelerator.device)
        self.batches, self.plan, self.run, self.show = batches, plan, run, show
        self.stages: tuple[str, ...] = tuple(getattr(network, "stages", ()))
        self.ends = ends(plan, self.stages)
        self.movable = [(parameter, parameter.requires_grad) for parameter in self.network.parameters()]
        self.average, self.progress, self.moments = Average(self.network), Progress(), dict[str, Tensor]()
        if (run / FILE).exists():
            self.progress, self.moments = restore(run / FILE, self.network, self.average)
        self.losses: dict[str, float] = {}
        self.validation: Sequence[Any] = ()
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
        """A slip of the pen would train a network that lacks nothing."""
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

    def _stage(self, last: int | None) -> bool:
        """Train the present stage; whether it came to its end, and not to step `last`."""
        stage, end = self.stages[self.progress.stage], self.ends[self.progress.stage]
        objective, optimiser = self._begin(stage)
        began, means = self._stage_began() if self.progress.in_stage else self.done, Means()
        before = time.monotonic()
        for batch in self.batches(self._seed()):
            if self._together(self.done >= end):
                return True
            if last is not None and self.progress.step >= last:
                self._save()
                return False
            if self._together(self.interrupted.is_set()):
                self._save()
                raise KeyboardInterrupt
            rate = self._rate((self.done - began) / max(end - began, 1e-9))
            means.add(self._step(objective, optimiser, batch, rate))
            before, now = time.monotonic(), before
            self.progress.seconds += before - now
            self._report(stage, means, rate)
        raise ModelError(
            f"stage {stage}: the batches came to an end after {self.progress.step} steps; the data must be endless"
        )

    def _begin(self, stage: str) -> tuple[nn.Module, Any]:
        """The stage's losses and its optimiser, as Accelerate wraps them."""
        parameters = self._thaw(stage)
        torch.manual_seed(self._seed())
        self.accelerator.free_memory()  # an optimiser of the stage before would have its gradients unscaled once more
        self.raw_optimiser = torch.optim.AdamW(self._groups(parameters), lr=self.plan.rate, betas=self.betas)
        put_moments(self.raw_optimiser, self.network, self.moments, self.progress.in_stage)
        objective = Objective(self.network, stage, self.plan.drop).train()
        prepared: tuple[nn.Module, Any] = self.accelerator.prepare(objective, self.raw_optimiser)
        return prepared

    @property
    def betas(self) -> tuple[float, float]:
        """As the optimiser wants them."""
        return self.plan.betas[0], self.plan.betas[1]

    def _groups(self, parameters: list[nn.Parameter]) -> list[dict[str, Any]]:
        """The stage's parameters, those apart that the network wants to stay as they are where nothing teaches them."""
        spared = {id(self.network.get_parameter(name)) for name in getattr(self.network, "undecayed", ())}
        decayed = [parameter for parameter in parameters if id(parameter) not in spared]
        rest = [parameter for parameter in parameters if id(parameter) in spared]
        groups = [{"params": decayed, "weight_decay": self.plan.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        return [group for group in groups if group["params"]]

    def _report(self, stage: str, means: Means, rate: float) -> None:
        """Every so many steps: a row of the log, and the state."""
        if self.progress.step % self.plan.log_every == 0:
            self.losses = means.take()
            self.log.row(self.progress.step, stage, self.progress.seconds, self.losses | {"rate": rate})
            if self.show is not None:
                self.show(stage, min(1.0, self.done), self.losses)
        if self.progress.step % self.plan.save_every == 0:
            self._validate()
            self._save()

    def _validate(self) -> None:
        """A row of the log with the validation batches' losses in evaluation mode; the training's random numbers stay
        as they are."""
        if not (self.validation and self.accelerator.is_main_process):
            return
        stage, device, means = self.stages[self.progress.stage], self.accelerator.device, Means()
        objective = Objective(self.network, stage, self.plan.drop).eval()
        with torch.no_grad(), self.accelerator.autocast(), own_randomness(device):
            for batch in self.validation:
                means.add(
                    {f"validation_{name}": float(term) for name, term in objective(on_device(batch, device)).items()}
                )
        objective.train()
        self.log.row(self.progress.step, stage, self.progress.seconds, means.take())

    def _stage_began(self) -> float:
        return self.ends[self.progress.stage - 1] if self.progress.stage else 0.0

    def _next_stage(self) -> None:
        """What follows builds on the averaged weights, and remembers nothing of how this stage moved."""
        for name, parameter in self.network.named_parameters():
            parameter.data.copy_(self.average.weights[name])
        self._validate()
        self.moments, self.progress.in_stage = {}, 0
        self.progress.stage += 1
        self.progress.finished = self.progress.stage == len(self.stages)
        self._save()

    def _thaw(self, stage: str) -> list[nn.Parameter]:
        """Only what the stage trains moves. Must come before the module is wrapped: several processes agree on it
        then."""
        network: Any = self.network
        for parameter, moves in self.movable:  # as the network was built: what it never trains stays out
            parameter.requires_grad_(moves)
        chosen = list(dict.fromkeys(network.trained(stage)))
        self.network.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        return chosen

    def _seed(self) -> int:
        """Another one for every plan, step to go on from, and process."""
        process: int = self.accelerator.process_index
        return self.plan.seed * 1_000_003 + self.progress.step * PROCESSES + process

    def _rate(self, part: float) -> float:
        """The plan's, or linear at first, then a cosine down to nothing, in every stage anew."""
        if self.plan.schedule == "constant":
            return self.plan.rate
        share = self.ends[self.progress.stage] - self._stage_began()
        warm = min(WARM_UP, max(1, round(0.1 * share * self.plan.steps)))
        falling = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, part))))
        return self.plan.rate * (min(1.0, (self.progress.in_stage + 1) / warm) * falling + 1e-3)

    def _step(self, objective: nn.Module, optimiser: Any, batch: Any, rate: float) -> dict[str, float]:
        for group in self.raw_optimiser.param_groups:
            group["lr"] = rate
        terms: dict[str, Tensor] = objective(on_device(batch, self.accelerator.device))
        self._check(terms)
        optimiser.zero_grad(set_to_none=True)
        self.accelerator.backward(torch.stack([term.float() for term in terms.values()]).sum())
        if self.plan.clip:
            self.accelerator.clip_grad_norm_([p for p in self.network.parameters() if p.requires_grad], self.plan.clip)
        optimiser.step()
        self.progress.step += 1
        self.progress.in_stage += 1
        self.average.update(self.network, self.progress.in_stage)
        return {name: float(term.detach()) for name, term in terms.items()}

    def _check(self, terms: dict[str, Tensor]) -> None:
        odd = [name for name, term in terms.items() if not bool(torch.isfinite(term.detach()).all())]
        if odd:
            raise ModelError(
                f"step {self.progress.step}: {odd[0]} is not finite; go on from the last state with a lower --rate"
            )

    def _together(self, here: bool) -> bool:
        """Several processes end a stage at the same step: when the first one's clock says so."""
        if self.accelerator.num_processes == 1:
            return here
        said = torch.tensor(float(here and self.accelerator.is_main_process), device=self.accelerator.device)
        return bool(self.accelerator.reduce(said, "sum") > 0)

    def _save(self) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            save(self.run / FILE, self.network, self.average, self.raw_optimiser, self.progress)


@contextmanager
def held_back() -> Iterator[threading.Event]:
    """Set by Ctrl-C or SIGTERM, so that a step comes to its end; the second of a kind interrupts at once.

    Only the main thread is ever told of signals: elsewhere nothing changes.
    """
    interrupted, before = threading.Event(), dict[int, Any]()

    def told(number: int, _frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(number, signal.default_int_handler)

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


@contextmanager
def own_randomness(device: torch.device) -> Iterator[None]:
    """Torch's random numbers begin at seed 0, and afterwards go on as if nothing had been drawn."""
    kept = torch.mps.get_rng_state() if device.type == "mps" else None
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield
    if kept is not None:
        torch.mps.set_rng_state(kept)


def on_device(batch: Any, device: torch.device) -> Any:
    """A dataclass of tensors with all of them there."""
    found = {name: getattr(batch, name) for name in batch.__dataclass_fields__}
    return replace(batch, **{name: value.to(device) for name, value in found.items() if isinstance(value, Tensor)})
