"""One run in one folder: what it was ordered to do, its data's parts, its state, its log, and the checkpoint it ends
with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.config_file import load_config, save_config
from speech_to_face_lab.protocols.clips import SubjectClip, genders
from speech_to_face_lab.protocols.splits import PARTS, Split
from speech_to_face_lab.protocols.windows import brief_clips, brief_tracks
from speech_to_face_lab.training.program.data import (
    drawn_batches,
    features,
    kept_split,
    mean_curves,
    of_subjects,
    read_clips,
    speech_batches,
    track_batches,
    window_batches,
)
from speech_to_face_lab.training.program.engine import Batches, Outcome, Show, train
from speech_to_face_lab.training.program.export import load_run, write_checkpoint
from speech_to_face_lab.training.program.judge import score
from speech_to_face_lab.training.program.plan import Plan
from speech_to_face_lab.training.program.state import FILE
from speech_to_face_lab.training.program.systems import System, begin, check, config_of, network_of, system
from speech_to_face_lab.training.tracks import RATE, Track

PLAN, ORDER, CHECKPOINT, FEATURES, HELD = "plan.yaml", "order.yaml", "checkpoint", "features", "features-held"
MAY_CHANGE = ("steps", "minutes", "save_every", "log_every", "mixed_precision")
"""Of a plan, when its run goes on."""
EPOCHS = 80
"""Of the paper-size PMMTalk in its paper: so many times every clip, one clip a step."""
OF_SYSTEM = ("shares", "rate", "schedule", "betas", "weight_decay", "clip", "batch", "seconds", "drop")
"""Of a plan, what every network has its own of."""
WATCHED = 4
"""Batches of the validation part whose losses are logged, always the same ones."""
JUDGED_S = 40.0
"""Seconds of every test subject that the figures at the end are of, at most."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Which network learns what."""

    model: str
    """Key of `speech_to_face_lab.training.program.systems.SYSTEMS`."""
    data: str
    """Folder of recordings."""
    kind: str = "auto"
    """Of the corpus: a key of `speech_to_face_lab.protocols.corpora.LOADERS`, or "auto", whichever its folder looks
    like."""
    protocol: str = "cross-subject"
    seed: int = 0
    """Of the protocol's parts; the plan has its own for the run."""
    changes: tuple[str, ...] = ()
    """"key=value" of the network's config."""
    begin: tuple[str, ...] = ()
    """Folders of public weights that parts of a new network are filled from."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What the `train` command knows beside a run's batches. Nothing of it changes what a small network learns from
    them."""

    say: Say = lambda line: None
    """Told in a line what the user should know."""
    brief: tuple[str, ...] = ()
    """Training subjects who speak less than a window, of whom nothing is learnt."""
    rest: Tensor | None = None
    """float32 (32,): mean face of the training clips, at which a new network of paper size rests when it begins."""
    validation: tuple[Any, ...] = ()
    """Batches whose losses are logged."""
    test: tuple[Track, ...] = ()
    """Of the test subjects, whom the figures at the end are of."""


ALONE = Beside()


def plan_of(model: str, **wanted: Any) -> Plan:
    """A plan with the network's own rate, batch and windows where nothing else is wanted; None means not wanted. Raises
    ModelError."""
    chosen = system(model)
    own: dict[str, Any] = {key: getattr(chosen, key) for key in OF_SYSTEM}
    try:
        return Plan(**(own | {key: value for key, value in wanted.items() if value is not None}))
    except ValueError as error:
        raise ModelError(str(error)) from error


def train_run(
    order: TrainOptions, plan: Plan, run: Path, device: str, show: Show | None = None, say: Say = print
) -> Outcome:
    """Read the data, learn, and write the run's checkpoint; goes on with a run that was stopped. Raises ModelError.

    say: told in a line what was read, how its subjects were split, what of it cannot be learnt from, and the figures at
    the end.
    """
    check(order.model, order.changes, order.begin)
    with one_first(device):
        made, batches, beside = _prepared(order, plan, run, say)
    return learn(order, plan, made, batches, run, device, show, beside)


def _prepared(order: TrainOptions, plan: Plan, run: Path, say: Say) -> tuple[Split, Batches, Beside]:
    """The protocol's parts, batches of those that train, and what the others are for."""
    clips, tally = read_clips(Path(order.data), None if order.kind == "auto" else order.kind)
    run.mkdir(parents=True, exist_ok=True)
    made = kept_split(run, order.protocol, genders(clips), order.seed)
    parts = ", ".join(f"{len(made.part(part))} {part}" for part in PARTS)
    say(f"{len(clips)} clips of {len(genders(clips))} subjects ({parts}); {tally}")
    small = system(order.model).data == "windows"
    batches, beside = _windows(clips, made, plan, run, say) if small else _speech(clips, made, plan, say)
    if beside.brief:
        say(f"not learnt from, since they speak less than a window of {plan.seconds:g} s: {', '.join(beside.brief)}")
    return made, batches, beside


def _windows(clips: list[SubjectClip], made: Split, plan: Plan, run: Path, say: Say) -> tuple[Batches, Beside]:
    """For the small networks, from features that are kept in the run's folder."""
    tracks = features(made.of("train", clips), run / FEATURES)
    held = features([*made.of("validation", clips), *made.of("test", clips)], run / HELD)
    validation, test = of_subjects(held, made.validation), of_subjects(held, made.test)
    brief = brief_tracks(of_subjects(tracks, made.train), plan.seconds)
    watched = _watched(track_batches(validation, made, plan), plan, say)
    return window_batches(tracks, made, plan), Beside(say, brief, None, watched, tuple(test))


def _speech(clips: list[SubjectClip], made: Split, plan: Plan, say: Say) -> tuple[Batches, Beside]:
    """For the networks of paper size."""
    own = made.of("train", clips)
    say(f"{EPOCHS} epochs, as in the paper, would be {EPOCHS * len(own)} steps of one of the {len(own)} training clips")
    watched = _watched(drawn_batches(made.of("validation", clips), made, plan), plan, say)
    return speech_batches(own, made, plan), Beside(say, brief_clips(own, plan.seconds), mean_curves(own), watched)


def _watched(batches: Batches, plan: Plan, say: Say) -> tuple[Any, ...]:
    try:
        return tuple(islice(batches(plan.seed), WATCHED))
    except ModelError as error:
        say(f"no validation while it learns: {error}")
        return ()


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
    made: Split,
    batches: Batches,
    run: Path,
    device: str,
    show: Show | None = None,
    beside: Beside = ALONE,
) -> Outcome:
    """Train on batches that are at hand. A whole run ends with a checkpoint folder in it."""
    chosen = system(order.model)
    config = config_of(chosen, made.train, order.changes)
    with one_first(device):
        _keep(order, run / ORDER, ())
        _keep(plan, run / PLAN, MAY_CHANGE)
        _keep(config, run / checkpoint.CONFIG, ())
    torch.manual_seed(plan.seed)
    network = network_of(chosen, config)
    if not (run / FILE).exists():
        _begin(chosen, network, order, beside)
    outcome = train(network, batches, plan, run, device, show, validation=beside.validation)
    if outcome.finished and outcome.first:
        _finish(
            load_run(network, run), run / CHECKPOINT, card(order, plan, made, outcome, beside.brief), outcome, beside
        )
    return outcome


def _begin(chosen: System, network: nn.Module, order: TrainOptions, beside: Beside) -> None:
    """Before the first step of a new run: public weights, and the mean face."""
    if warning := begin(chosen, network, order.begin):
        beside.say(warning)
    if beside.rest is not None and hasattr(network, "rest_at"):
        cast(Any, network).rest_at(beside.rest)


def _finish(network: nn.Module, out: Path, said: str, outcome: Outcome, beside: Beside) -> None:
    """Write the checkpoint, unless the run had come to its end before and has one, and tell the figures on the test
    subjects."""
    if outcome.step > outcome.begun or not (out / checkpoint.SUMS).is_file():
        write_checkpoint(network, out, said)
    if beside.test:
        beside.say(figures(network, beside.test))


def figures(network: nn.Module, test: Sequence[Track]) -> str:
    """A line with a small network's errors on the test subjects."""
    frames = min(int(JUDGED_S * RATE), *(len(track.mel) for track in test))
    found = score(network, test, frames)
    e = found.errors
    return (
        f"on {len(test)} test subjects, {frames / RATE:.0f} s each: LVE {e.lve_sq:.4g} squared, {e.lve_abs:.4g} "
        "absolute; "
        f"ALE {e.ale_sq:.4g}, {e.ale_abs:.4g}; R2 {e.r2:.3f}; closure recall {found.closure_recall:.2f}"
    )


def network_of_run(model: str, run: Path) -> nn.Module:
    """The averaged network of a run, by its own config. ModelError where there is none, or one of another network."""
    chosen = system(model)
    config = load_config(run / checkpoint.CONFIG, type(config_of(chosen, ())))
    return load_run(network_of(chosen, config), run)


def card(order: TrainOptions, plan: Plan, made: Split, outcome: Outcome, brief: tuple[str, ...] = ()) -> str:
    """CARD.md of a run's checkpoint. brief: training subjects of whom nothing was learnt."""
    untaught = f" Too short to learn from, so that their styles are random: {', '.join(brief)}." if brief else ""
    losses = "\n".join(f"- {name}: {value:.5g}" for name, value in outcome.losses.items())
    return (
        f"# {order.model}\n\nTrained by `livelink-bridge train` by the protocol {made.protocol} (seed {made.seed}): "
        f"{len(made.train) - len(brief)} subjects learnt from, {len(made.validation)} and {len(made.test)} kept "
        f"out.{untaught} "
        f"{outcome.step} steps of {plan.batch} windows of {plan.seconds:g} s, seed {plan.seed}.\n\nLast losses, "
        f"weighted:\n\n{losses}\n"
    )


def _keep(wanted: Any, path: Path, may_change: tuple[str, ...]) -> None:
    """Write a new run's file. ModelError where the run was begun with another one: its weights would go on under a
    wrong name."""
    if path.exists():
        before = load_config(path, type(wanted))
        names = [one.name for one in fields(wanted) if one.name not in may_change]
        differing = [name for name in names if getattr(before, name) != getattr(wanted, name)]
        if differing:
            raise ModelError(
                f"{path.parent}: was begun with other {', '.join(differing)}; give the same options, or a new --run"
            )
        if before == wanted:
            return
    save_config(wanted, path)
