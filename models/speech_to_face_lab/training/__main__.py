"""Train the shipped network on tracks: `python -m speech_to_face_lab.training --tracks DIR --run DIR`.

The same run as `livelink-bridge train --model pmmtalk-live --data DIR --run DIR`, under the option names that the model
cards cite.
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import torch

from speech_to_face_lab.training.edge import one_line
from speech_to_face_lab.training.loop.plan import Plan
from speech_to_face_lab.training.objectives.terms import Weights
from speech_to_face_lab.training.orders import TrainOptions, plan_of
from speech_to_face_lab.training.run import train_run

MODEL = "pmmtalk-live"
VIEWS = ("audio", "text", "image")
TERMS = tuple(field.name for field in fields(Weights))


def options() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--tracks", type=Path, required=True, help="folder made by python -m speech_to_face_lab.training.prepare")
    add("--run", type=Path, required=True, help="folder of this run: state, log, config, checkpoint")
    add("--steps", type=int, default=5000, help="optimiser steps (default 5000)")
    add("--pretrain", type=int, default=800, help="of these, for the text and image branches alone (default 800)")
    add("--start", type=Path, help="run or checkpoint whose weights to start from; best with --pretrain 0")
    add("--minutes", type=float, help="stop after so much wall clock; the rate falls by this too")
    add("--batch", type=int, default=16, help="windows a step (default 16)")
    add("--seconds", type=float, default=4.5, help="length of a window (default 4.5)")
    add("--rate", type=float, default=1.5e-3, help="highest learning rate (default 0.0015)")
    add("--delay", type=int, default=3, help="steps a frame is held back (3: 67 ms of look-ahead, 1: 33 ms)")
    add("--without", nargs="*", default=[], help="leave out tracks whose names start so: an engine, a voice, 'real'")
    add("--views", nargs="*", default=list(VIEWS), choices=VIEWS, help="branches the decoder reads")
    add("--drop", nargs="*", default=[], choices=TERMS, help="terms of the objective to leave out")
    add("--no-augmentation", action="store_true", help="levels, equalisers and noises left out")
    add("--device", default="cpu")
    add("--threads", type=int, default=1, help="of torch; two on two busy cores are far slower than one (default 1)")
    add("--seed", type=int, default=0)
    return parser.parse_args()


def order_of(chosen: argparse.Namespace) -> TrainOptions:
    """The run's options. Views in the order of the network, whatever the order they are typed in."""
    views = ", ".join(view for view in VIEWS if view in chosen.views)
    return TrainOptions(
        MODEL,
        str(chosen.tracks),
        "tracks",
        seed=chosen.seed,
        changes=(f"delay={chosen.delay}", f"views=[{views}]"),
        begin=(str(chosen.start),) if chosen.start else (),
        without=tuple(chosen.without),
        augmentation=not chosen.no_augmentation,
    )


def planned(chosen: argparse.Namespace) -> Plan:
    """How long and how fast it learns. ModelError for values out of range."""
    given = {name: getattr(chosen, name) for name in ("steps", "minutes", "batch", "seconds", "rate", "seed")}
    return plan_of(MODEL, chosen.pretrain, drop=tuple(chosen.drop), **given)


def show(stage: str, part: float, losses: dict[str, float]) -> None:
    """A line on the terminal."""
    print(
        f"{100 * part:.1f} % {stage} " + " ".join(f"{name} {value:.4f}" for name, value in losses.items()), flush=True
    )


def main() -> None:
    """The command."""
    chosen = options()
    # Tiny moments of the optimiser would slow every product. Of the whole process, so not for a caller's.
    torch.set_flush_denormal(True)
    torch.set_num_threads(chosen.threads)
    with one_line():
        train_run(order_of(chosen), planned(chosen), chosen.run, chosen.device, show)


if __name__ == "__main__":
    main()
