"""Results of `benchmarks/papers.py`: the tables and plots of docs/papers.md, and the two shipped checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from papers_runs import CROSS_GENDER, CROSS_SUBJECT, RUNS, Budget, mean_predictor, read_rows

from arkit_mapping.channels import MOUTH_32
from arkit_mapping.character.lips import aperture
from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face_lab.protocols.splits import read_split
from speech_to_face_lab.tracks import read_tracks
from speech_to_face_lab.training.assessment import judge
from speech_to_face_lab.training.data.recordings import of_subjects
from speech_to_face_lab.training.export import write_checkpoint
from speech_to_face_lab.training.loop.logs import read_log
from speech_to_face_lab.training.run import network_of_run

BEGIN, END = "<!-- made by benchmarks/papers.py: begin -->", "<!-- made by benchmarks/papers.py: end -->"
LARGEST_MB = 10.0
SHOWN_S = (4.0, 8.0)
"""The segment of the first test speaker's speech that is plotted."""


@dataclass(frozen=True, slots=True)
class Named:
    """A row of the tables."""

    title: str
    paper: dict[str, str]
    """The paper's own LVE / ALE (in hundredths) by protocol, where it prints them [PMMTalk, tables II and V]."""


NAMES: dict[str, Named] = {
    "voca": Named("VOCA-style", {CROSS_SUBJECT: "9.866 / 0.950", CROSS_GENDER: "7.478 / 0.713"}),
    "faceformer": Named("FaceFormer-style", {CROSS_SUBJECT: "7.350 / 0.642", CROSS_GENDER: "7.762 / 0.673"}),
    "emotalk": Named("EmoTalk-style", {CROSS_SUBJECT: "7.591 / 0.684", CROSS_GENDER: "7.096 / 0.636"}),
    "codetalker": Named(
        "CodeTalker, motion codebook", {CROSS_SUBJECT: "13.206 / 1.310", CROSS_GENDER: "11.385 / (misprint)"}
    ),
    "codetalker-shape": Named("CodeTalker, shape codebook", {}),
    "dualtalker": Named("DualTalker (our reconstruction)", {}),
    "pmmtalk-small": Named("PMMTalk, small", {CROSS_SUBJECT: "7.169 / 0.640", CROSS_GENDER: "6.568 / 0.590"}),
    "pmmtalk-small-without-text": Named("PMMTalk without the text branch", {CROSS_SUBJECT: "7.319 / 0.682"}),
    "pmmtalk-small-without-audio": Named("PMMTalk without the audio branch", {CROSS_SUBJECT: "8.313 / 0.786"}),
    "pmmtalk-small-without-image": Named("PMMTalk without the image branch", {CROSS_SUBJECT: "7.459 / 0.697"}),
    "pmmtalk-small-without-temporal": Named("PMMTalk without L_tem", {CROSS_SUBJECT: "7.680 / 0.704"}),
    "pmmtalk-small-without-semantic": Named("PMMTalk without L_sem", {CROSS_SUBJECT: "7.599 / 0.698"}),
    "pmmtalk-small-without-motion": Named("PMMTalk without L_mot", {CROSS_SUBJECT: "7.363 / 0.681"}),
}
HEAD = (
    "network",
    "LVE², 10⁻²",
    "ALE², 10⁻²",
    "LVE, 10⁻²",
    "ALE, 10⁻²",
    "R²",
    "closure recall",
    "parameters, 10⁶",
    "real-time factor",
    "steps",
    "the paper's LVE / ALE",
)


def write(budget: Budget, page: Path) -> None:
    """Write the tables between the page's two markers, and the plots to a folder beside it. Raises ModelError if the
    markers are missing."""
    rows = read_rows(budget)
    if not rows:
        raise ModelError(f"no run in {budget.work} is done; leave out --write")
    pictures = page.parent / page.stem
    pictures.mkdir(parents=True, exist_ok=True)
    draw_learning(budget, pictures / "learning.svg")
    draw_mouths(budget, pictures / "mouths.svg")
    made = "\n\n".join(
        [made_by(budget), *(section(budget, protocol, rows) for protocol in (CROSS_SUBJECT, CROSS_GENDER))]
    )
    shown = f"![Losses while learning]({page.stem}/learning.svg)\n\n"
    shown += f"![Aperture of an unseen speaker]({page.stem}/mouths.svg)"
    text = page.read_text(encoding="utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise ModelError(f"{page}: expected the two lines {BEGIN} and {END} around what is to be replaced")
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    page.write_text(f"{before}{BEGIN}\n\n{made}\n\n{shown}\n\n{after}", encoding="utf-8")


def made_by(budget: Budget) -> str:
    """The command that reproduces the figures."""
    return (
        f"Made by `python benchmarks/papers.py --corpus {budget.corpus} --work {budget.work} --steps {budget.steps} "
        f"--minutes {budget.minutes:g} --speech-s {budget.speech_s:g} "
        f"--judged-s {budget.judged_s:g} --seed {budget.seed}`, "
        f"{torch.__version__.partition('+')[0]} of torch, one CPU thread a run."
    )


def section(budget: Budget, protocol: str, rows: dict[tuple[str, str], dict[str, float]]) -> str:
    """One protocol's table, the mean predictor first."""
    lines = [f"### {protocol.capitalize()}", "", "| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    mean = mean_predictor(protocol, budget)
    if mean is not None:
        lines.append(cells("the training speakers' mean face", mean, ""))
    for model, named in NAMES.items():
        if (model, protocol) in rows:
            lines.append(cells(named.title, rows[model, protocol], named.paper.get(protocol, "")))
    return "\n".join(lines)


def cells(title: str, row: dict[str, float], paper: str) -> str:
    """A row of the table; a dash where nothing was measured."""
    scaled = [_figure(row.get(key), 100, 3) for key in ("lve_sq", "ale_sq", "lve_abs", "ale_abs")]
    rest = [
        _figure(row.get("r2"), 1, 3),
        _figure(row.get("closure_recall"), 1, 3),
        _figure(row.get("parameters"), 1e-6, 2),
    ]
    rest += [_figure(row.get("real_time_factor"), 1, 2), _figure(row.get("steps"), 1, 0)]
    return "| " + " | ".join([title, *scaled, *rest, paper or "–"]) + " |"


def _figure(value: float | None, scale: float, digits: int) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{value * scale:.{digits}f}"


def _figures() -> Any:
    """matplotlib without a display, with reproducible SVGs."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "papers"
    from matplotlib import pyplot

    return pyplot


def draw_learning(budget: Budget, file: Path) -> None:
    """Plot each network's total loss by step, relative to the start of the stage; cross-subject."""
    pyplot = _figures()
    figure, axes = pyplot.subplots(figsize=(9, 4.5))
    for model, protocol in RUNS:
        rows = read_log(budget.folder(model, protocol))
        if protocol == CROSS_SUBJECT and rows and "without" not in model:
            stage = [row for row in rows if row["stage"] == rows[-1]["stage"]]
            totals = [
                sum(v or 0 for k, v in row.items() if k not in ("step", "stage", "seconds", "rate")) for row in stage
            ]
            axes.semilogy(
                [row["step"] for row in stage], [total / totals[0] for total in totals], label=NAMES[model].title
            )
    axes.set_xlabel("steps")
    axes.set_ylabel("losses of the last stage, of their beginning")
    if axes.lines:
        axes.legend(fontsize=8)
    _save(pyplot, figure, file)


def draw_mouths(budget: Budget, file: Path) -> None:
    """Plot the lip aperture of the first test speaker, by each network and captured; cross-subject."""
    pyplot = _figures()
    done = [m for m in NAMES if "without" not in m and (m, CROSS_SUBJECT) in read_rows(budget)]
    if not done:
        return
    made = read_split(budget.folder(done[0], CROSS_SUBJECT))
    track, part = (
        of_subjects(read_tracks(budget.features, held=False), made.test)[0],
        slice(*(round(60 * s) for s in SHOWN_S)),
    )
    figure, rows = pyplot.subplots(len(done), 1, figsize=(9, 1.3 * len(done)), sharex=True, squeeze=False)
    mel = torch.from_numpy(track.mel[: part.stop].astype(np.float32))[None]
    truth = _aperture(track.curves[part].astype(np.float64))
    at = np.arange(part.start, part.start + len(truth)) / 60
    for axes, model in zip(rows[:, 0], done, strict=True):
        mouth = judge.animate(network_of_run(model, budget.folder(model, CROSS_SUBJECT)), mel)[0, part].numpy()
        axes.plot(at, truth, color="0.6", label="truth")
        axes.plot(at, _aperture(mouth.astype(np.float64)), color="C0", label="network")
        axes.set_title(NAMES[model].title, fontsize=8, loc="left")
    rows[0, 0].legend(fontsize=8, loc="upper right")
    rows[-1, 0].set_xlabel("seconds")
    _save(pyplot, figure, file)


def _aperture(mouth: np.ndarray) -> np.ndarray:
    return aperture({name: mouth[:, column] for column, name in enumerate(MOUTH_32)})


def _save(pyplot: Any, figure: Any, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def ship(budget: Budget, folder: Path) -> None:
    """Write codetalker-mini and dualtalker-mini from the cross-subject runs. Raises ModelError for a run that is not
    complete or too large."""
    rows = read_rows(budget)
    for model in ("codetalker", "dualtalker"):
        if (model, CROSS_SUBJECT) not in rows:
            raise ModelError(f"the cross-subject run of {model} is not done; it is what {model}-mini is made of")
        out = folder / f"{model}-mini"
        run = budget.folder(model, CROSS_SUBJECT)
        size = write_checkpoint(network_of_run(model, run), out, card(model, rows[model, CROSS_SUBJECT], budget)) / 1e6
        if size > LARGEST_MB:
            raise ModelError(
                f"{out / checkpoint.WEIGHTS}: {size:.1f} MB, "
                f"more than the {LARGEST_MB:g} MB a small checkpoint may have"
            )
        print(f"{out}: {size:.1f} MB")


def card(model: str, row: dict[str, float], budget: Budget) -> str:
    """CARD.md of a shipped small checkpoint: what it is, its training data, its scores and its limits."""
    mean = mean_predictor(CROSS_SUBJECT, budget) or {}
    made = read_split(budget.folder(model, CROSS_SUBJECT))
    figures = {"lve_sq": "LVE, squared", "ale_sq": "ALE, squared", "r2": "R²", "closure_recall": "closure recall"}
    lines = [f"| {title} | {row[key]:.4f} | {mean.get(key, float('nan')):.4f} |" for key, title in figures.items()]
    return "\n".join(
        [
            f"# {model}-mini",
            "",
            f"A small network ({row['parameters'] / 1e6:.2f} million parameters) of the type {NAMES[model].title}, "
            "for comparison and for live trials. It is not the paper's network and has none of its weights.",
            "",
            f"Trained for {row['steps']:.0f} steps on {len(made.train)} synthetic speakers of "
            "eSpeak NG, Festival and Flite. Rules made the mouth targets from the known phones. "
            "It uses no recordings of people.",
            "",
            f"On {len(made.test)} unseen synthetic speakers:",
            "",
            "| | this model | their mean face |",
            "|---|---|---|",
            *lines,
            "",
            "Limits: it learned rule-made mouth targets only, and no real speech. Use `pmmtalk-live` for work.",
            "",
            f"Made by `python benchmarks/papers.py --steps {budget.steps} --minutes {budget.minutes:g} "
            "--ship models/speech_to_face/checkpoints`. See docs/papers.md.",
            "",
        ]
    )
