"""What each part is worth:
`python -m speech_to_face_lab.training.assessment.ablations --tracks DIR --data DIR --out DIR`.

Short runs of one budget that each lack one thing, judged on the same recordings; prints one Markdown table. Stops and
resumes run by run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import torch

from speech_to_face.loading import load_model
from speech_to_face_lab.evaluation import Report, evaluate
from speech_to_face_lab.evaluation.phones import posteriors_of
from speech_to_face_lab.training.export import make_checkpoint

ABLATIONS: dict[str, tuple[str, ...]] = {
    "everything": (),
    "without the text branch": ("--views", "audio", "image"),
    "without the image branch": ("--views", "audio", "text"),
    "without the audio branch": ("--views", "text", "image"),
    "without temporal alignment": ("--drop", "temporal"),
    "without semantic alignment": ("--drop", "semantic"),
    "without real speech": ("--without", "real"),
    "without augmentation": ("--no-augmentation",),
}
"""What is left out -> options of `python -m speech_to_face_lab.training`. A branch that is left out is not read by the
decoder; its own loss, phones or pictures, still teaches the audio encoder."""
COLUMNS = ("jaw r", "aperture r", "rounding r")
CURVES = tuple(f"{group} {column}" for group in ("grid", "facegood") for column in COLUMNS)
HEAD = ("run", *CURVES, "closure recall", "closure AUC", "phones", "moving in music")


def folder_of(name: str, chosen: argparse.Namespace) -> Path:
    """The run's folder, one for every budget: a run of other steps is another run."""
    return Path(chosen.out) / f"{name.replace(' ', '-')}-{chosen.steps}-{chosen.pretrain}"


def train(name: str, chosen: argparse.Namespace) -> Path:
    """Run one ablation to its end, unless it has ended already; returns its checkpoint."""
    run = folder_of(name, chosen)
    checkpoint = run / "checkpoint"
    if not (checkpoint / "SHA256SUMS").exists():
        command = [
            sys.executable,
            "-m",
            "speech_to_face_lab.training",
            "--tracks",
            str(chosen.tracks),
            "--run",
            str(run),
        ]
        command += ["--steps", str(chosen.steps), "--pretrain", str(chosen.pretrain), *ABLATIONS[name]]
        print(f"{name}: {' '.join(command[3:])}", file=sys.stderr, flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        make_checkpoint(run, checkpoint)
    return checkpoint


def judged(checkpoint: Path, data: Path) -> Report:
    """The report of `evaluate` on a checkpoint."""
    return evaluate(load_model(str(checkpoint), device="cpu"), data, posteriors=posteriors_of(checkpoint))


def row(name: str, report: Report) -> tuple[str, ...]:
    """Cells of the table, in the order of HEAD; a dash where the data has no such thing."""
    figures: list[float | None] = []
    for group in ("grid", "facegood"):
        curve = report.ours.curves.get(group)
        figures += [curve.signals[c.split()[0]].r if curve else None for c in COLUMNS]
    closure = report.ours.closures.get("grid_words")
    figures += [closure.recall if closure else None, closure.auc if closure else None]
    figures += [report.phones.accuracy if report.phones else None, report.ours.moving.get("music")]
    return (name, *("–" if figure is None else f"{figure:.3f}" for figure in figures))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--tracks", type=Path, required=True, help="folder made by python -m speech_to_face_lab.training.prepare"
    )
    parser.add_argument("--data", type=Path, required=True, help="recordings to judge on: a folder with val.json")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument(
        "--steps", type=int, default=650, help="of each run (default 650, about ten minutes on one core)"
    )
    parser.add_argument(
        "--pretrain", type=int, default=200, help="of these, for the text and image branches (default 200)"
    )
    parser.add_argument(
        "--only", nargs="*", default=list(ABLATIONS), choices=list(ABLATIONS), help="which (default all)"
    )
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print("| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|")
    for name in chosen.only:
        print("| " + " | ".join(row(name, judged(train(name, chosen), chosen.data))) + " |", flush=True)


if __name__ == "__main__":
    main()
