"""`train`: train any of the networks on a folder of recordings, by one of the papers' protocols."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livelink_bridge.commands.options import abortable
from livelink_bridge.errors import BridgeError
from livelink_bridge.reporting.progress_bar import ProgressBar, progress_bar

if TYPE_CHECKING:
    from livelink_bridge.settings.table import Settings
    from speech_to_face_lab.training.loop.engine import Outcome
    from speech_to_face_lab.training.loop.plan import Plan
    from speech_to_face_lab.training.orders import TrainOptions

Show = Callable[[str, float, dict[str, float]], None]


def train(
    settings: Settings,
    network: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="NAME",
            help="Network: pmmtalk-live, as shipped; voca, faceformer, emotalk, codetalker, dualtalker, pmmtalk-small "
            "or pmmtalk (large).",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Folder with recordings of several subjects, or with tracks for pmmtalk-live; see --corpus.",
        ),
    ],
    run: Annotated[
        Path, typer.Option("--run", metavar="DIR", help="Folder of this run; at the end it holds the checkpoint.")
    ],
    protocol: Annotated[
        str,
        typer.Option(
            metavar="cross-subject|cross-gender", help="Which recordings are held out. Default cross-subject."
        ),
    ] = "cross-subject",
    corpus: Annotated[
        str,
        typer.Option(metavar="KIND", help="Kind of the folder: auto, tts, cavfa, blendvoca or tracks. Default auto."),
    ] = "auto",
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Optimizer steps of all stages together. Default 20000, pmmtalk-live 11000; "
            "pmmtalk's paper: 80 per clip.",
            rich_help_panel="Training",
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="M",
            min=0,
            help="Time limit in minutes; the learning rate decays by it too.",
            rich_help_panel="Training",
        ),
    ] = None,
    pretrain: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="pmmtalk-live: steps for the text and image branches; 0 trains all at once. Default 3200 of 11000.",
            rich_help_panel="Training",
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Windows per step and process. Default the network's own.",
            rich_help_panel="Training",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            min=0.5,
            help="Length of a window in seconds. Default the network's own.",
            rich_help_panel="Training",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="X", help="Peak learning rate. Default the network's own.", rich_help_panel="Training"),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", help="Seed of the weights, the windows and the split. Default 0.", rich_help_panel="Training"
        ),
    ] = 0,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a value of the network's config; repeatable.",
            rich_help_panel="Training",
        ),
    ] = None,
    begin: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="pmmtalk: start from public weights of `models download` or `models convert`; repeatable. "
            "pmmtalk-live: start from a run or a model.",
            rich_help_panel="Training",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="TERM", help="Leave out a term of the loss; repeatable.", rich_help_panel="Training"),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="START",
            help="pmmtalk-live: leave out tracks whose names start so: an engine, a voice, real; repeatable.",
            rich_help_panel="Training",
        ),
    ] = None,
    no_augmentation: Annotated[
        bool,
        typer.Option(
            "--no-augmentation",
            help="pmmtalk-live: train without random levels, equalizers and noises.",
            rich_help_panel="Training",
        ),
    ] = False,
    precision: Annotated[
        str,
        typer.Option(
            metavar="auto|no|bf16|fp16",
            help="Mixed precision; auto is bf16 on CUDA. Default auto.",
            rich_help_panel="Training",
        ),
    ] = "auto",
    threads: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Threads on a CPU. Default 1.", rich_help_panel="Training")
    ] = 1,
) -> None:
    """Train a network on recordings of several subjects.

    After Ctrl-C, the same command resumes, with more or fewer steps if you like. A finished run stays as it is and
    holds a folder `checkpoint`, for --model. For several GPUs use `accelerate launch -m livelink_bridge train ...`.
    """
    from speech_to_face import checkpoint, devices
    from speech_to_face_lab.training.orders import TrainOptions, plan_of

    dropped = tuple(drop) if drop else None
    plan = plan_of(
        network,
        pretrain,
        steps=steps,
        minutes=minutes,
        batch=batch,
        seconds=seconds,
        rate=rate,
        seed=seed,
        drop=dropped,
        mixed_precision=precision,
    )
    folders = tuple(str(checkpoint.find(str(folder), settings.models_dir)) for folder in begin or ())
    left_out = tuple(without or ())
    order = TrainOptions(
        network, str(data), corpus, protocol, seed, tuple(change or ()), folders, left_out, not no_augmentation
    )
    with abortable():
        outcome = learn(order, plan, run, devices.choose(settings.device), threads)
    tell(outcome, plan, run)


def learn(order: TrainOptions, plan: Plan, run: Path, device: str, threads: int) -> Outcome:
    """Run the training, with a progress bar on a terminal. Raises BridgeError where the run cannot be written."""
    import torch

    from speech_to_face_lab.training.run import train_run

    torch.set_flush_denormal(True)  # tiny moments of the optimiser would slow every product
    torch.set_num_threads(threads)
    try:
        with progress_bar() as bar:
            return train_run(order, plan, run, device, partial(_show, bar), bar.say)
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command resumes from the last state in {run}", err=True)
        raise
    except OSError as error:
        raise BridgeError(
            f"--run {run}: {error.strerror or error}; the same command resumes from the last state"
        ) from error


def tell(outcome: Outcome, plan: Plan, run: Path) -> None:
    """Print the outcome, in the first process only."""
    from speech_to_face_lab.training.run import CHECKPOINT

    if os.environ.get("RANK", "0") == "0":
        losses = (
            ", ".join(f"{name} {value:.4g}" for name, value in outcome.losses.items())
            or "too few steps for a row of the log"
        )
        if outcome.finished and outcome.step == outcome.begun:
            losses = "finished before: nothing is left to learn"
        typer.echo(f"{outcome.step} of at most {plan.steps} steps in {outcome.seconds / 60:.1f} minutes; {losses}")
        typer.echo(f"{run / CHECKPOINT}: use it with --model {run / CHECKPOINT}")


def _show(bar: ProgressBar, stage: str, part: float, losses: dict[str, float]) -> None:
    values = " ".join(f"{name} {value:.3g}" for name, value in losses.items())
    bar.show(f"{stage}: {values}", part)
