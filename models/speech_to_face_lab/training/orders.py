"""What a run is asked to do, and its files: a run resumes only as the one that it was begun as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face.config_file import load_config, save_config
from speech_to_face_lab.protocols.splits import FILE as PROTOCOL
from speech_to_face_lab.training.loop.plan import Plan
from speech_to_face_lab.training.systems import RENAMED, system

PLAN, ORDER = "plan.yaml", "order.yaml"
MAY_CHANGE = ("steps", "shares", "minutes", "save_every", "log_every", "mixed_precision")
"""Of a plan, when its run resumes."""
OLD_LIVE = "pmmtalk-live"


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Which network learns from what."""

    model: str
    """Key of `speech_to_face_lab.training.systems.SYSTEMS`."""
    data: str
    """Folder of recordings, or of tracks."""
    kind: str = "auto"
    """Of the corpus: a key of `speech_to_face_lab.protocols.corpora.LOADERS`, "tracks", or "auto", whichever its folder
    looks like."""
    protocol: str = "cross-subject"
    """Which subjects train; tracks hold out their own."""
    seed: int = 0
    """Of the protocol's parts; the plan has its own for the run."""
    changes: tuple[str, ...] = ()
    """"key=value" of the network's config."""
    begin: tuple[str, ...] = ()
    """Folders of weights that a new network, or parts of it, are filled from."""
    without: tuple[str, ...] = ()
    """Tracks whose names start so are left out: an engine, a voice, "real"."""
    augmentation: bool = True
    """False: tracks are learnt from as they are, without other levels, equalisers and noises."""


def plan_of(model: str, pretrain: int | None = None, **wanted: Any) -> Plan:
    """A network's own plan with other values.

    pretrain: steps of the first stage, of a network of tracks; 0: a run of the stage "whole" alone. wanted: fields of
    `Plan`; None means not wanted. Raises ModelError.
    """
    own, given = system(model).plan, {key: value for key, value in wanted.items() if value is not None}
    try:
        plan = replace(own, **given)
        return plan if pretrain is None else _pretrained(model, plan, pretrain)
    except ValueError as error:
        raise ModelError(str(error)) from error


def _pretrained(model: str, plan: Plan, steps: int) -> Plan:
    if system(model).data != "tracks":
        raise ModelError(f"--pretrain: {model} shares its steps between the stages as the tables do; leave it out")
    if not 0 <= steps < plan.steps:
        raise ModelError(f"--pretrain {steps}: expected 0 or more and less than the {plan.steps} steps of the run")
    if steps == 0:
        return replace(plan, stages=("whole",), shares=(1.0,))
    return replace(plan, shares=(float(steps), float(plan.steps - steps)))


def check_order(order: TrainOptions) -> None:
    """ModelError for options that a network of another kind of data has."""
    if system(order.model).data == "tracks":
        if order.protocol != "cross-subject":
            raise ModelError(f"--protocol: {order.model} learns from tracks, which hold out their own; leave it out")
        if order.kind not in ("auto", "tracks", "tts"):
            raise ModelError(
                f"--corpus {order.kind}: {order.model} learns from tracks; expected auto, tracks or tts, and other "
                "recordings by python -m speech_to_face_lab.training.prepare"
            )
    elif order.without or not order.augmentation:
        option = "--without" if order.without else "--no-augmentation"
        raise ModelError(f"{option}: {order.model} learns from recordings as they are; leave it out")


def keep_files(order: TrainOptions, plan: Plan, config: Any, run: Path) -> None:
    """Write a new run's files. ModelError where the run was begun with other ones: its weights would be trained on
    under a wrong name."""
    _keep_order(order, run)
    _keep(plan, run / PLAN, MAY_CHANGE)
    _keep(config, run / checkpoint.CONFIG, ())


def _keep_order(order: TrainOptions, run: Path) -> None:
    """A run of the tables' PMMTalk may have been begun under its old name."""
    path = run / ORDER
    if path.exists() and (run / PROTOCOL).exists():
        before = load_config(path, TrainOptions).model
        if before == order.model == OLD_LIVE:
            raise ModelError(
                f"{run}: was begun when {OLD_LIVE} was the network of the tables; resume it with --model "
                f"{RENAMED[OLD_LIVE]}"
            )
        if RENAMED.get(before) == order.model:
            order = replace(order, model=before)
    _keep(order, path, ())


def _keep(wanted: Any, path: Path, may_change: Sequence[str]) -> None:
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
