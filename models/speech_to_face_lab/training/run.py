"""One run in one folder: its options, its data's parts, its state, its log, and the checkpoint it ends with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from arkit_mapping.channels import FRAME_RATE
from speech_to_face import checkpoint
from speech_to_face.config_file import load_config
from speech_to_face_lab.protocols.splits import Split
from speech_to_face_lab.tracks import Track
from speech_to_face_lab.training.assessment.judge import score
from speech_to_face_lab.training.export import load_run, write_checkpoint
from speech_to_face_lab.training.loop.engine import Batches, Outcome, Show, train
from speech_to_face_lab.training.loop.plan import Plan
from speech_to_face_lab.training.loop.state import FILE
from speech_to_face_lab.training.orders import TrainOptions, check_order, keep_files
from speech_to_face_lab.training.prepared import Beside, Say, prepared
from speech_to_face_lab.training.systems import System, begin, check, config_of, network_of, system

CHECKPOINT = "checkpoint"
JUDGED_S = 40.0
"""Seconds of every test subject that the figures at the end are of, at most."""
ALONE = Beside()


def train_run(
    order: TrainOptions, plan: Plan, run: Path, device: str, show: Show | None = None, say: Say = print
) -> Outcome:
    """Read the data, learn, and write the run's checkpoint; a run that was stopped resumes.

    Parameters
    ----------
    run
        Folder of the run.
    device
        "cpu", "cuda" or "mps".
    show
        Called with every row of the log.
    say
        Called with a line for the user: what was read, how it was split, what of it cannot be learnt from, and the
        figures at the end.

    Raises
    ------
    ModelError
        Options, data or a state that do not fit.
    """
    check_order(order)
    check(order.model, order.changes, order.begin)
    with one_first(device):
        made, batches, beside = prepared(order, plan, run, say)
    return learn(order, plan, made, batches, run, device, show, beside)


@contextmanager
def one_first(device: str) -> Iterator[None]:
    """Of several processes that learn together the first does this alone, then the others, who find it done."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    accelerate: Any = import_module("accelerate")
    with accelerate.PartialState(cpu=device == "cpu").main_process_first():
        yield


def learn(
    order: TrainOptions,
    plan: Plan,
    made: Split | None,
    batches: Batches,
    run: Path,
    device: str,
    show: Show | None = None,
    beside: Beside = ALONE,
) -> Outcome:
    """Train on batches that are at hand. A finished run has a checkpoint folder in it.

    made: the protocol's parts; None for tracks, which hold out their own.
    """
    chosen = system(order.model)
    config = config_of(chosen, made.train if made else (), order.changes)
    with one_first(device):
        keep_files(order, plan, config, run)
    torch.manual_seed(plan.seed)
    network = network_of(chosen, config)
    _begin(chosen, network, order, beside, new=not (run / FILE).exists())
    outcome = train(network, batches, plan, run, device, show, validation=beside.validation)
    if outcome.finished and outcome.first:
        story = card(order, plan, made, outcome, beside)
        _finish(load_run(network, run), run / CHECKPOINT, story, outcome, beside)
    return outcome


def _begin(chosen: System, network: nn.Module, order: TrainOptions, beside: Beside, new: bool) -> None:
    """Before the first step: what is known of the data; in a new run also weights to start from, and the mean face."""
    known: Any = network
    if beside.spread is not None:
        known.learn_from(beside.spread)
    if not new:
        return
    if warning := begin(chosen, network, order.begin):
        beside.say(warning)
    if beside.rest is not None and hasattr(network, "rest_at"):
        known.rest_at(beside.rest)


def _finish(network: nn.Module, out: Path, story: str, outcome: Outcome, beside: Beside) -> None:
    """Write the checkpoint, unless the run was finished before and has one, and say the figures on the test
    subjects."""
    if outcome.step > outcome.begun or not (out / checkpoint.SUMS).is_file():
        write_checkpoint(network, out, story)
    if beside.test:
        beside.say(figures(network, beside.test))


def figures(network: nn.Module, test: Sequence[Track]) -> str:
    """A line with a small network's errors on the test subjects."""
    frames = min(int(JUDGED_S * FRAME_RATE), *(len(track.mel) for track in test))
    found = score(network, test, frames)
    e = found.errors
    return (
        f"on {len(test)} test subjects, {frames / FRAME_RATE:.0f} s each: LVE {e.lve_sq:.4g} squared, {e.lve_abs:.4g} "
        "absolute; "
        f"ALE {e.ale_sq:.4g}, {e.ale_abs:.4g}; R2 {e.r2:.3f}; closure recall {found.closure_recall:.2f}"
    )


def network_of_run(model: str, run: Path) -> nn.Module:
    """The averaged network of a run, by its own config. ModelError where there is none, or one of another network."""
    chosen = system(model)
    config = load_config(run / checkpoint.CONFIG, type(config_of(chosen, ())))
    return load_run(network_of(chosen, config), run)


def card(order: TrainOptions, plan: Plan, made: Split | None, outcome: Outcome, beside: Beside = ALONE) -> str:
    """CARD.md of a run's checkpoint."""
    losses = "\n".join(f"- {name}: {value:.5g}" for name, value in outcome.losses.items())
    return (
        f"# {order.model}\n\nTrained by `livelink-bridge train` {_source(made, beside)} "
        f"{outcome.step} steps of {plan.batch} windows of {plan.seconds:g} s, seed {plan.seed}.\n\nLast losses, "
        f"weighted:\n\n{losses}\n"
    )


def _source(made: Split | None, beside: Beside) -> str:
    """What was learnt from, for the card."""
    if made is None:
        return f"on {beside.source}."
    untaught = f" Too short to learn from, so that their styles are random: {', '.join(beside.brief)}."
    return (
        f"by the protocol {made.protocol} (seed {made.seed}): {len(made.train) - len(beside.brief)} subjects learnt "
        f"from, {len(made.validation)} and {len(made.test)} kept out.{untaught if beside.brief else ''}"
    )
