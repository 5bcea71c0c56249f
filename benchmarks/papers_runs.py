"""The runs for the papers' tables: features, training and scores. Started by `benchmarks/papers.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from speech_to_face.base import ModelError
from speech_to_face_lab.paper_metrics import mean_face
from speech_to_face_lab.protocols import tts
from speech_to_face_lab.protocols.splits import FILE, Split, read_split
from speech_to_face_lab.protocols.windows import write_tracks
from speech_to_face_lab.tracks import Track, read_tracks
from speech_to_face_lab.training.assessment import judge
from speech_to_face_lab.training.data.recordings import kept_split, of_subjects, window_batches
from speech_to_face_lab.training.orders import TrainOptions, plan_of
from speech_to_face_lab.training.run import learn, network_of_run
from speech_to_face_lab.training.systems import ABLATIONS

CROSS_SUBJECT, CROSS_GENDER = "cross-subject", "cross-gender"
BOTH = ("voca", "faceformer", "emotalk", "codetalker", "dualtalker", "pmmtalk-small")
ONCE = ("codetalker-shape", *ABLATIONS)
RUNS: tuple[tuple[str, str], ...] = (
    *((name, CROSS_SUBJECT) for name in (*BOTH, *ONCE)),
    *((name, CROSS_GENDER) for name in BOTH),
)
"""(network, protocol)"""
PROGRAM = Path(__file__).resolve().with_name("papers.py")
SCORE, RTF = "score.json", "rtf.json"


@dataclass(frozen=True, slots=True)
class Budget:
    """Training budget of every run. Steps and seed name the folder of the runs; the rest is stored in it by `keep`."""

    corpus: Path
    work: Path
    steps: int
    minutes: float
    speech_s: float
    judged_s: float
    seed: int

    def folder(self, model: str, protocol: str) -> Path:
        """Folder of the runs."""
        return self.work / f"{self.steps}-steps-seed-{self.seed}" / protocol / model

    @property
    def features(self) -> Path:
        """Folder of the features."""
        return self.work / f"features-{self.speech_s:g}s"


def keep(budget: Budget) -> None:
    """Write the budget beside its runs. Raises ModelError if the folder has runs of another budget, whose scores the
    command would not reproduce."""
    file = budget.folder("_", CROSS_SUBJECT).parents[1] / "budget.json"
    settings = {key: str(value) for key, value in asdict(budget).items() if key != "work"}
    if file.exists():
        found = json.loads(file.read_text(encoding="utf-8"))
        if odd := [key for key in settings if found.get(key) != settings[key]]:
            raise ModelError(
                f"{file.parent}: its runs had --{odd[0].replace('_', '-')} {found.get(odd[0])}: give that, or another "
                "--work"
            )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def make_features(budget: Budget) -> None:
    """Compute log-mel, curves and labels of every speaker; existing files are kept."""
    budget.features.mkdir(parents=True, exist_ok=True)
    for speaker in tts.speakers(budget.corpus):
        if not (budget.features / f"{speaker}.json").exists():
            print(f"features of {speaker}", file=sys.stderr, flush=True)
            write_tracks(tts.clips(budget.corpus, [speaker], budget.speech_s), budget.features)


def train_one(model: str, protocol: str, budget: Budget) -> None:
    """Train and evaluate one run in this process, on one thread."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # tiny moments of the optimiser would slow every product
    run = budget.folder(model, protocol)
    run.mkdir(parents=True, exist_ok=True)
    made = kept_split(run, protocol, {name: tts.gender(name) for name in tts.speakers(budget.corpus)}, 0)
    tracks = read_tracks(budget.features, held=False)
    plan = plan_of(model, steps=budget.steps, minutes=budget.minutes, seed=budget.seed)
    order = TrainOptions(model, str(budget.corpus), "tts", protocol)
    outcome = learn(order, plan, made, window_batches(tracks, made, plan), run, "cpu")
    network = network_of_run(model, run)
    found = judge.score(network, of_subjects(tracks, made.test), frames_of(tracks, made, budget))
    row = {
        **asdict(found.errors),
        "closure_recall": found.closure_recall,
        "parameters": sum(p.numel() for p in network.parameters()),
        "steps": outcome.step,
        "seconds": outcome.seconds,
    }
    (run / SCORE).write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


def frames_of(tracks: list[Track], made: Split, budget: Budget) -> int:
    """Number of frames evaluated per test speaker, the same for all."""
    return min(int(budget.judged_s * 60), *(len(track.mel) for track in of_subjects(tracks, made.test)))


def train_all(runs: list[tuple[str, str]], budget: Budget, jobs: int) -> None:
    """Train every run without a score, each in its own process, `jobs` at a time. A ModelError names failures."""
    missing = [run for run in runs if not (budget.folder(*run) / SCORE).exists()]
    with ThreadPoolExecutor(jobs) as pool:
        codes = list(pool.map(lambda run: _in_process(run, budget), missing))
    failed = [f"{model} {protocol}" for (model, protocol), code in zip(missing, codes, strict=True) if code]
    if failed:
        raise ModelError(f"these runs failed, their train.log says why: {', '.join(failed)}")


def _in_process(run: tuple[str, str], budget: Budget) -> int:
    folder = budget.folder(*run)
    folder.mkdir(parents=True, exist_ok=True)
    options = [f"--{key.replace('_', '-')}={value}" for key, value in asdict(budget).items()]
    command = [sys.executable, str(PROGRAM), "--one", *run, *options]
    print(f"{run[0]}, {run[1]}: begins", file=sys.stderr, flush=True)
    with (folder / "train.log").open("a", encoding="utf-8") as log:
        alone = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROGRAM.parents[1])}
        done = subprocess.run(command, stdout=log, stderr=log, env=alone, check=False)
    print(f"{run[0]}, {run[1]}: {'done' if not done.returncode else 'FAILED'}", file=sys.stderr, flush=True)
    return done.returncode


def measure_speed(runs: list[tuple[str, str]], budget: Budget) -> None:
    """Measure the real-time factor of every cross-subject network, one at a time, and store it beside its score."""
    torch.set_num_threads(1)
    for model, protocol in runs:
        run = budget.folder(model, protocol)
        if protocol == CROSS_SUBJECT and (run / SCORE).exists() and not (run / RTF).exists():
            factor = judge.real_time_factor(network_of_run(model, run))
            (run / RTF).write_text(json.dumps({"real_time_factor": factor}) + "\n", encoding="utf-8")


def mean_predictor(protocol: str, budget: Budget) -> dict[str, float] | None:
    """Scores of the training speakers' mean face on the test speakers; None if no run of the protocol has started."""
    begun = sorted((budget.folder("_", protocol).parent).glob(f"*/{FILE}"))
    if not begun:
        return None
    made, tracks = read_split(begun[0].parent), read_tracks(budget.features, held=False)
    face, frames = (
        mean_face([track.curves for track in of_subjects(tracks, made.train)]),
        frames_of(tracks, made, budget),
    )
    test = of_subjects(tracks, made.test)
    found = judge.compared([np.broadcast_to(face.astype(np.float32), (frames, len(face)))] * len(test), test)
    return {**asdict(found.errors), "closure_recall": found.closure_recall}


def read_rows(budget: Budget) -> dict[tuple[str, str], dict[str, float]]:
    """Scores of the finished runs, with their speed if it was measured."""
    rows = {}
    for model, protocol in RUNS:
        files = [budget.folder(model, protocol) / name for name in (SCORE, RTF)]
        if files[0].exists():
            rows[model, protocol] = {
                k: v for file in files if file.exists() for k, v in json.loads(file.read_text("utf-8")).items()
            }
    return rows
