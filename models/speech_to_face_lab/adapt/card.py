"""The card of an adapted model, and the check of the folder it is written to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from speech_to_face import checkpoint
from speech_to_face.base import ModelError
from speech_to_face_lab.adapt.data.takes import LeftOut, Take
from speech_to_face_lab.adapt.figures import Row

LISTED = 20
"""Most takes that a card lists; beyond that it gives the number."""


@dataclass(frozen=True, slots=True)
class Story:
    """Contents of a card."""

    name: str
    base: str
    base_sum: str
    date: str
    learnt: Sequence[Take]
    held: Sequence[Take]
    left: Sequence[LeftOut]
    others: int
    """Recordings of other people that were used to keep the network's answers to other voices."""
    steps: int
    best_step: int
    settings: str
    verdict: str


def check_out(out: Path, force: bool) -> None:
    """ModelError where a model must not be written: among the shipped ones, under a name of theirs, or over
    something."""
    where, shipped = out.resolve(), checkpoint.SHIPPED.resolve()
    if where == shipped or where.is_relative_to(shipped) or shipped.is_relative_to(where):
        raise ModelError(f"--out {out}: the shipped models are there and are never changed; choose another folder")
    if where.name in checkpoint.names():
        raise ModelError(
            f"--out {out}: a shipped model is called {where.name}, and --model would load that; choose another name"
        )
    if where.exists() and not where.is_dir():
        raise ModelError(f"--out {out} is a file, expected a folder to be made")
    if where.is_dir() and any(where.iterdir()):
        if not (where / checkpoint.CONFIG).is_file():
            raise ModelError(f"--out {out} is a folder that holds something else than a model; choose another")
        if not force:
            raise ModelError(f"--out {out} is there already; choose another folder, or replace it with --force")


def card(story: Story, rows: Sequence[Row]) -> str:
    """CARD.md."""
    return "\n".join([*_head(story), "", *table(rows), "", *_takes(story), ""])


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown, a line each."""
    lines = ["| on | measure | before | after | change |", "|---|---|---|---|---|"]
    return lines + [
        f"| {row.of} | {row.measure} | {figure(row.before)} | {figure(row.after)} | {change(row)} |" for row in rows
    ]


def figure(value: float) -> str:
    """A figure with three decimals, a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def change(row: Row) -> str:
    """The signed change of a row's figure, a dash for NaN."""
    return "–" if math.isnan(row.after - row.before) else f"{row.after - row.before:+.3f}"


def _head(story: Story) -> Iterator[str]:
    yield f"# {story.name}"
    yield ""
    yield (
        f"The network of {story.base} (model.safetensors sha256 {story.base_sum[:16]}), adapted to one actor's "
        f"takes on {story.date}."
    )
    yield ""
    yield "| | |"
    yield "|---|---|"
    minutes = [sum(take.seconds for take in takes) / 60 for takes in (story.learnt, story.held)]
    yield f"| Learnt from | {len(story.learnt)} takes, {minutes[0]:.1f} min |"
    yield f"| Judged on | {len(story.held)} held-out takes, {minutes[1]:.1f} min |"
    yield f"| Verdict | {story.verdict} |"
    yield f"| Left out | {len(story.left)} takes |"
    kept = f" and {story.others} recordings of others" if story.others else ""
    yield f"| Kept in mind | what {story.base} does for the takes' audio at other speeds{kept} |"
    yield f"| Training | {story.steps} steps, the best at {story.best_step}; {story.settings} |"
    yield "| Licence | the network's is MIT; the people in the takes have a say in its use |"


def _takes(story: Story) -> Iterator[str]:
    yield "Training takes, and the lag of each face behind its audio:"
    yield ""
    yield from (f"* {take.name}, {1000 * take.late_s:+.0f} ms" for take in story.learnt[:LISTED])
    if len(story.learnt) > LISTED:
        yield f"* and {len(story.learnt) - LISTED} more"
    if story.left:
        yield ""
        yield "Left out:"
        yield ""
        yield from (f"* {left.name}: {left.reason}" for left in story.left[:LISTED])
