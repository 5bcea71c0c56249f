"""One run in one folder: what it was ordered to do, its data's parts, its state, its log, and the checkpoint it ends with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models import checkpoint
from models.base import ModelError
from models.config_file import load_config, save_config
from models.protocols.clips import genders
from models.protocols.splits import PARTS, Split
from models.training.program.data import features, kept_split, read_clips, speech_batches, window_batches
from models.training.program.engine import Batches, Outcome, Show, train
from models.training.program.export import load_run, write_checkpoint
from models.training.program.plan import Plan
from models.training.program.systems import config_of, network_of, system

PLAN, ORDER, CHECKPOINT, FEATURES = "plan.yaml", "order.yaml", "checkpoint", "features"
MAY_CHANGE = ("steps", "minutes", "save_every", "log_every", "mixed_precision")
"""Of a plan, when its run goes on."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which network learns what."""

    model: str
    """Key of `models.training.program.systems.SYSTEMS`."""
    data: str
    """Folder of recordings."""
    kind: str = "auto"
    """Of the corpus: a key of `models.protocols.corpora.LOADERS`, or "auto", whichever its folder looks like."""
    protocol: str = "cross-subject"
    seed: int = 0
    """Of the protocol's parts; the plan has its own for the run."""
    changes: tuple[str, ...] = ()
    """"key=value" of the network's config."""


def plan_of(model: str, **wanted: Any) -> Plan:
    """A plan with the network's own rate, batch and windows where nothing else is wanted; None means not wanted. Raises ModelError."""
    chosen = system(model)
    own: dict[str, Any] = {key: getattr(chosen, key) for key in ("shares", "rate", "batch", "seconds", "drop")}
    try:
        return Plan(**(own | {key: value for key, value in wanted.items() if value is not None}))
    except ValueError as error:
        raise ModelError(str(error)) from error


def train_run(order: Order, plan: Plan, run: Path, device: str, show: Show | None = None, say: Callable[[str], None] = print) -> Outcome:
    """Read the data, learn, and write the run's checkpoint; goes on with a run that was stopped. Raises ModelError.

    say: told in a line what was read, and how its subjects were split.
    """
    with one_first(device):
        made, batches = _prepared(order, plan, run, say)
    return learn(order, plan, made, batches, run, device, show)


def _prepared(order: Order, plan: Plan, run: Path, say: Callable[[str], None]) -> tuple[Split, Batches]:
    """The protocol's parts, and batches of those that train."""
    clips, tally = read_clips(Path(order.data), None if order.kind == "auto" else order.kind)
    run.mkdir(parents=True, exist_ok=True)
    made = kept_split(run, order.protocol, genders(clips), order.seed)
    parts = ", ".join(f"{len(made.part(part))} {part}" for part in PARTS)
    say(f"{len(clips)} clips of {len(genders(clips))} subjects ({parts}); {tally}")
    clips = made.of("train", clips)
    if system(order.model).data == "clips":
        return made, speech_batches(clips, made, plan)
    return made, window_batches(features(clips, run / FEATURES), made, plan)


@contextmanager
def one_first(device: str) -> Iterator[None]:
    """Of several processes that learn together the first does this alone, then the others, who find it done."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    accelerate: Any = import_module("accelerate")
    with accelerate.PartialState(cpu=device == "cpu").main_process_first():
        yield


def learn(order: Order, plan: Plan, made: Split, batches: Batches, run: Path, device: str, show: Show | None = None) -> Outcome:
    """Train on batches that are at hand. A whole run ends with a checkpoint folder in it."""
    chosen = system(order.model)
    config = config_of(chosen, made.train, order.changes)
    with one_first(device):
        _keep(order, run / ORDER, ())
        _keep(plan, run / PLAN, MAY_CHANGE)
        _keep(config, run / checkpoint.CONFIG, ())
    torch.manual_seed(plan.seed)
    network = network_of(chosen, config)
    outcome = train(network, batches, plan, run, device, show)
    if outcome.finished and outcome.first:
        write_checkpoint(load_run(network, run), run / CHECKPOINT, card(order, plan, made, outcome))
    return outcome


def network_of_run(model: str, run: Path) -> nn.Module:
    """The averaged network of a run, by its own config. ModelError where there is none, or one of another network."""
    chosen = system(model)
    config = load_config(run / checkpoint.CONFIG, type(config_of(chosen, ())))
    return load_run(network_of(chosen, config), run)


def card(order: Order, plan: Plan, made: Split, outcome: Outcome) -> str:
    """CARD.md of a run's checkpoint."""
    losses = "\n".join(f"- {name}: {value:.5g}" for name, value in outcome.losses.items())
    return (
        f"# {order.model}\n\nTrained by `livelink-bridge train` by the protocol {made.protocol} (seed {made.seed}): "
        f"{len(made.train)} subjects learnt from, {len(made.validation)} and {len(made.test)} kept out. "
        f"{outcome.step} steps of {plan.batch} windows of {plan.seconds:g} s, seed {plan.seed}.\n\nLast losses, weighted:\n\n{losses}\n"
    )


def _keep(wanted: Any, path: Path, may_change: tuple[str, ...]) -> None:
    """Write a new run's file. ModelError where the run was begun with another one: its weights would go on under a wrong name."""
    if path.exists():
        before = load_config(path, type(wanted))
        names = [one.name for one in fields(wanted) if one.name not in may_change]
        differing = [name for name in names if getattr(before, name) != getattr(wanted, name)]
        if differing:
            raise ModelError(f"{path.parent}: was begun with other {', '.join(differing)}; give the same options, or a new --run")
        if before == wanted:
            return
    save_config(wanted, path)
