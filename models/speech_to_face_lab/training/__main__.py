"""Train the live network: `python -m speech_to_face_lab.training --tracks DIR --run DIR`. Stops and resumes; prints a
line every few steps."""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from arkit_mapping.channels import MOUTH_32
from speech_to_face.networks.pmmtalk.config import Config, load_config, save_config
from speech_to_face.phones import CLASSES
from speech_to_face_lab.corpus.visemes import RATE
from speech_to_face_lab.training.edge import one_line
from speech_to_face_lab.training.examples import ALL_STYLES, Batch, Windows, read_noises, spread
from speech_to_face_lab.training.loop import Loop, Plan
from speech_to_face_lab.training.objective import Weights, channel_weights
from speech_to_face_lab.training.state import save
from speech_to_face_lab.training.tracks import read_tracks

LOG_EVERY, SAVE_EVERY, VALIDATE_EVERY = 25, 100, 200
VIEWS = ("audio", "text", "image")
TERMS = tuple(field.name for field in fields(Weights))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument(
        "--tracks", type=Path, required=True, help="folder made by python -m speech_to_face_lab.training.prepare"
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: state, log, config")
    parser.add_argument("--steps", type=int, default=5000, help="optimiser steps")
    parser.add_argument(
        "--pretrain",
        type=int,
        default=800,
        help="of these, for the text and image branches alone; then both are frozen",
    )
    parser.add_argument(
        "--start", type=Path, help="folder of another run whose weights to start from; best with --pretrain 0"
    )
    parser.add_argument(
        "--minutes", type=float, help="stop after so much wall clock, whatever the steps; the rate falls by the steps"
    )
    parser.add_argument("--batch", type=int, default=16, help="windows a step")
    parser.add_argument("--seconds", type=float, default=4.5, help="length of a window")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument(
        "--delay", type=int, default=3, help="steps a frame is held back (3: 67 ms of look-ahead, 1: 33 ms)"
    )
    parser.add_argument(
        "--without", nargs="*", default=[], help="leave out tracks whose names start so: an engine, a voice, 'real'"
    )
    parser.add_argument("--views", nargs="*", default=list(VIEWS), choices=VIEWS, help="branches the decoder reads")
    parser.add_argument("--drop", nargs="*", default=[], choices=TERMS, help="terms of the objective to leave out")
    parser.add_argument("--no-augmentation", action="store_true", help="levels, equalisers and noises left out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--threads", type=int, default=1, help="of torch; two on two busy cores are far slower than one"
    )
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.delay < 1:
        parser.error(
            f"--delay {chosen.delay}: expected 1 or more; without any look-ahead lips close too late to be seen closed"
        )
    return chosen


def to_device(batch: Batch, device: torch.device) -> Batch:
    return replace(batch, **{field.name: getattr(batch, field.name).to(device) for field in fields(batch)})


def first(batches: Any) -> Batch:
    """Collation is done by `Windows`; this only unwraps."""
    return batches  # type: ignore[no-any-return]


def main() -> None:
    chosen = options()
    with one_line():
        train(chosen)


def train(chosen: argparse.Namespace) -> None:
    torch.manual_seed(chosen.seed)
    torch.set_num_threads(chosen.threads)
    chosen.run.mkdir(parents=True, exist_ok=True)
    tracks, held = (read_tracks(chosen.tracks, held, tuple(chosen.without)) for held in (False, True))
    check_names(chosen)
    config = Config(
        phones=CLASSES,
        styles=ALL_STYLES,
        channels=MOUTH_32,
        delay=chosen.delay,
        views=tuple(v for v in VIEWS if v in chosen.views),
    )
    keep_config(config, chosen.run)
    loop = Loop(config, channel_weights(spread(tracks)), plan(chosen))
    noises = None if chosen.no_augmentation else read_noises(chosen.tracks)
    checks = validation_sets(held, chosen)
    source = Windows(tracks, noises, chosen.batch, chosen.seconds, seed=chosen.seed * 1_000_000 + loop.step)
    loader = DataLoader(source, batch_size=None, num_workers=1, prefetch_factor=3, collate_fn=first)
    parameters = sum(p.numel() for p in loop.model.parameters())
    hours = sum(len(t.mel) for t in tracks) / 60 / 3600
    print(f"{len(tracks)} tracks, {hours:.1f} h, {parameters} parameters, from step {loop.step}", flush=True)
    run(loop, loader, checks, chosen)


def check_names(chosen: argparse.Namespace) -> None:
    """ValueError for something to leave out that is not there: a slip of the pen would train a model that lacks
    nothing."""
    names = [track.name for held in (False, True) for track in read_tracks(chosen.tracks, held)]
    for start in chosen.without:
        if not any(name.startswith(start) for name in names):
            raise ValueError(
                f"--without {start}: no track in {chosen.tracks} starts so; there are {', '.join(names[:5])} ..."
            )


def keep_config(config: Config, run: Path) -> None:
    """Write a new run's config. ValueError for a run that was begun with another one: its weights would go on under a
    wrong name."""
    path = run / "config.yaml"
    if (run / "state.safetensors").exists() and path.exists():
        before = load_config(path)
        differing = [
            field.name for field in fields(config) if getattr(before, field.name) != getattr(config, field.name)
        ]
        if differing:
            raise ValueError(
                f"{run} was trained with other {', '.join(differing)}: give the same options, or a new --run"
            )
    save_config(config, path)


def plan(chosen: argparse.Namespace) -> Plan:
    return Plan(
        chosen.run,
        chosen.steps,
        chosen.pretrain,
        chosen.rate,
        chosen.seed,
        chosen.device,
        tuple(chosen.drop),
        chosen.start,
    )


def validation_sets(held: list[Any], chosen: argparse.Namespace) -> dict[str, list[Batch]]:
    """Two fixed batches of each group's held-out tracks, as clean as they were made."""
    held = [track for track in held if len(track.mel) >= chosen.seconds * RATE]
    groups = sorted({track.about.group for track in held})
    found = {}
    for group in groups:
        fixed = iter(
            Windows([t for t in held if t.about.group == group], None, chosen.batch, chosen.seconds, seed=12345)
        )
        found[group] = [next(fixed) for _ in range(2)]
    return found


def run(loop: Loop, loader: Any, checks: dict[str, list[Batch]], chosen: argparse.Namespace) -> None:
    total: dict[str, float] = {}
    counted, began = 0, time.monotonic()
    for batch in loader:
        if loop.step >= chosen.steps or (chosen.minutes and time.monotonic() - began > 60 * chosen.minutes):
            break
        for name, value in loop.train_step(to_device(batch, loop.device)).items():
            total[name] = total.get(name, 0.0) + value
        counted += 1
        if loop.step % LOG_EVERY == 0:
            means = {name: value / counted for name, value in total.items()}
            report(chosen.run, {"step": loop.step, "seconds": round(time.monotonic() - began)} | means)
            total, counted = {}, 0
        if loop.step % SAVE_EVERY == 0 or loop.step == chosen.steps:
            save(loop.state_file, loop.model, loop.average, loop.optimiser, loop.step)
        if loop.step % VALIDATE_EVERY == 0 and not loop.pretraining:
            for group, batches in checks.items():
                report(
                    chosen.run,
                    {"step": loop.step, "validation": group}
                    | loop.validate([to_device(b, loop.device) for b in batches]),
                )
    save(loop.state_file, loop.model, loop.average, loop.optimiser, loop.step)


def report(folder: Path, row: dict[str, Any]) -> None:
    """One line on the terminal, and the same as JSON in the run's log: the curves of a run are plotted from it."""
    plain = {
        key: (round(value, 4) if math.isfinite(value) else None) if isinstance(value, float) else value
        for key, value in row.items()
    }
    print(" ".join(f"{key} {value}" for key, value in plain.items()), flush=True)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(plain) + "\n")


if __name__ == "__main__":
    torch.set_flush_denormal(
        True
    )  # tiny moments of the optimiser would slow every product; of the whole process, so not for a caller's
    main()
