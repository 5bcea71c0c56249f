"""Fits the viseme table's jaw and rounding to captured faces: `python -m speech_to_face_lab.corpus.fit --help`.

The fit maximises the correlation with the captured curves, with a pull towards the starting values: two faces show
little of a rare phone class. Time constants, loudness and the rest of the table stay as they are.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face.phones import CLASSES, INDEX, Phone
from speech_to_face_lab.corpus import captures
from speech_to_face_lab.corpus.captures import Capture
from speech_to_face_lab.corpus.captures.faces import Faces
from speech_to_face_lab.corpus.store import as_float
from speech_to_face_lab.corpus.visemes import (
    EDGE_S,
    EFFORT_S,
    LOUDNESS_PER_DB,
    LOUDNESS_RANGE,
    SMOOTH_S,
    loudness_db,
    seen,
)

ITERATIONS, LEARNING_RATE = 120, 0.04
PULL = 0.12
"""Weight of the mean squared distance from the starting values (logits of the jaw, logarithms of the rest)."""
CLIPS_A_STEP = 40
RIG_SHARES = {"mediapipe": 1.0, "facegood": 0.7}
"""Weight of a rig's error; 1 for a rig that is not listed. FACEGOOD's phones were decoded, not aligned to a text."""
ROUND_SHARE, AMPLITUDE_SHARE = 0.5, 0.3
LONGEST, EXCERPT = 600, 240
"""Frames: clips longer than the first are cut into pieces of the second."""
ROUNDED = ("mouthFunnel", "mouthPucker")
LEAST_ROUND = 0.02
"""Classes with less rounding than this stay unrounded: a tracker's noise hides the difference."""
MOST = 0.65
"""Highest rounding that is written: the fit would purse the lips for the rare w more than any face does."""
PRIOR = "visemes_prior.yaml"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Frames of a captured face with the phones around them."""

    ids: Tensor
    """int64 (phones,): index in CLASSES."""
    start_s: Tensor
    end_s: Tensor
    times_s: Tensor
    """(frames,)"""
    loudness_db: Tensor
    """(frames,) against the clip's 80th percentile."""
    jaw: Tensor
    rounding: Tensor
    """mouthFunnel and mouthPucker together: a tracker measures the sum better than the parts."""


@dataclass(frozen=True, slots=True)
class Speech:
    """The fitted values: logits of the jaw's targets, logarithms of the other three; (30,) each."""

    jaw: Tensor
    jaw_weight: Tensor
    rounding: Tensor
    round_weight: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        """The values that the fit changes."""
        return self.jaw, self.jaw_weight, self.rounding, self.round_weight

    @classmethod
    def of(cls, classes: dict[str, Any]) -> Speech:
        """From the `classes` of a table. Raises ModelError for a missing class or number."""
        try:
            rows = [classes[name] for name in CLASSES]
            jaw = torch.tensor([float(row["jawOpen"]) for row in rows]).clamp(0.01, 0.9)
            rounding = torch.tensor([sum(float(row.get(name, 0)) for name in ROUNDED) for row in rows]).clamp(min=0.005)
            weights = torch.tensor([[float(row["weight"][group]) for group in ("jaw", "round")] for row in rows]).log()
        except (KeyError, TypeError, ValueError) as error:
            wanted = "every class needs jawOpen, weight.jaw and weight.round"
            raise ModelError(f"viseme table: {type(error).__name__} {error}; {wanted}") from error
        return cls(torch.logit(jaw), weights[:, 0].clone(), rounding.log(), weights[:, 1].clone())


@dataclass(frozen=True, slots=True)
class Reach:
    """Seconds that a phone extends before and after itself, by group."""

    jaw: tuple[float, float]
    rounding: tuple[float, float]

    @classmethod
    def of(cls, groups: dict[str, Any]) -> Reach:
        """The time constants of a table's groups."""
        jaw, rounding = (
            (groups[name]["before_ms"] / 1000, groups[name]["after_ms"] / 1000) for name in ("jaw", "round")
        )
        return cls(jaw, rounding)


def excerpts(capture: Capture, phones: Sequence[Phone], curves: NDArray[np.float32]) -> list[Excerpt]:
    """A capture in pieces; curves: (frames, 32), as `Faces.of` gives them."""
    phones, frames, loudness = seen(phones), len(curves), loudness_db(as_float(capture.samples), len(curves))
    loudness = loudness - np.float32(np.percentile(loudness, 80))
    ids = torch.tensor([INDEX[p.name] for p in phones])
    start, end = torch.tensor([p.start_s for p in phones]), torch.tensor([p.end_s for p in phones])
    jaw, rounding = curves[:, MOUTH_32.index("jawOpen")], curves[:, [MOUTH_32.index(name) for name in ROUNDED]].sum(1)
    length, found = EXCERPT if frames > LONGEST else frames, []
    for first in range(0, frames - length + 1, length):
        near = (end > first / FRAME_RATE - 1) & (start < (first + length) / FRAME_RATE + 1)
        if near.sum() >= 2:
            part = slice(first, first + length)
            of_sound = [
                torch.from_numpy(np.ascontiguousarray(values[part], np.float32)) for values in (loudness, jaw, rounding)
            ]
            found.append(
                Excerpt(ids[near], start[near], end[near], torch.arange(first, first + length) / FRAME_RATE, *of_sound)
            )
    return found


def predict(excerpt: Excerpt, speech: Speech, reach: Reach) -> tuple[Tensor, Tensor]:
    """Jaw and rounding (frames,) as `visemes.curves` makes them, without its holds."""
    jaw = _smooth(_blend(excerpt, torch.sigmoid(speech.jaw), speech.jaw_weight.exp(), *reach.jaw), SMOOTH_S)
    rounding = _smooth(_blend(excerpt, speech.rounding.exp(), speech.round_weight.exp(), *reach.rounding), SMOOTH_S)
    effort = (1 + LOUDNESS_PER_DB * excerpt.loudness_db).clamp(*LOUDNESS_RANGE)
    return jaw * _smooth(effort, EFFORT_S), rounding


def _blend(excerpt: Excerpt, target: Tensor, weight: Tensor, before_s: float, after_s: float) -> Tensor:
    """`visemes._blend` for one channel, with gradients."""
    start, end, ids = excerpt.start_s, excerpt.end_s, excerpt.ids
    edge = ((end - start) / 4).clamp(max=EDGE_S)
    times = excerpt.times_s[:, None].clamp(float(start[0]), float(end[-1]))
    decay = torch.exp(-F.relu(start + edge - times) / before_s - F.relu(times - end + edge) / after_s)
    return (decay @ (weight[ids] * target[ids])) / (decay @ weight[ids] + 1e-9)


def _smooth(values: Tensor, width_s: float) -> Tensor:
    radius = max(1, math.ceil(3 * width_s * FRAME_RATE))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / (width_s * FRAME_RATE)) ** 2)
    padded = F.pad(values[None, None], (radius, radius), mode="replicate")
    return F.conv1d(padded, (kernel / kernel.sum())[None, None])[0, 0]


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's r of two tensors (frames,)."""
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / torch.sqrt((a * a).sum() * (b * b).sum() + 1e-9)


def joined(some: Sequence[Excerpt], speech: Speech, reach: Reach) -> tuple[Tensor, ...]:
    """Predicted jaw, predicted rounding, captured jaw, captured rounding: all frames of `some` in a row."""
    predicted = [predict(excerpt, speech, reach) for excerpt in some]
    rows = [
        (jaw, rounding, excerpt.jaw, excerpt.rounding) for (jaw, rounding), excerpt in zip(predicted, some, strict=True)
    ]
    return tuple(torch.cat(column) for column in zip(*rows, strict=True))


def fitted(start: Speech, reach: Reach, by_rig: dict[str, list[Excerpt]], iterations: int) -> Speech:
    """`start`, fitted to the captured faces; the same excerpts give the same result."""
    speech = Speech(*(values.clone().requires_grad_() for values in start.tensors()))
    optimiser, rng = torch.optim.Adam(speech.tensors(), lr=LEARNING_RATE), np.random.default_rng(0)
    for _ in range(iterations):
        loss = PULL * sum(
            ((now - then) ** 2).mean() for now, then in zip(speech.tensors(), start.tensors(), strict=True)
        )
        for rig in sorted(by_rig, reverse=True):
            clips = by_rig[rig]
            some = [clips[i] for i in rng.choice(len(clips), min(CLIPS_A_STEP, len(clips)), replace=False)]
            loss = loss + RIG_SHARES.get(rig, 1.0) * _error(*joined(some, speech, reach))
        optimiser.zero_grad()
        torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return Speech(*(values.detach() for values in speech.tensors()))


def _error(jaw: Tensor, rounding: Tensor, seen_jaw: Tensor, seen_rounding: Tensor) -> Tensor:
    amplitude = (jaw.std() / seen_jaw.std() - 1) ** 2
    return (
        (1 - correlation(jaw, seen_jaw))
        + ROUND_SHARE * (1 - correlation(rounding, seen_rounding))
        + AMPLITUDE_SHARE * amplitude
    )


@torch.no_grad()
def report(label: str, some: Sequence[Excerpt], speech: Speech, reach: Reach) -> str:
    """One line: correlation and amplitude ratio of jaw and rounding."""
    jaw, rounding, seen_jaw, seen_rounding = joined(some, speech, reach)
    parts = (("jaw", jaw, seen_jaw), ("rounding", rounding, seen_rounding))
    return f"{label}: " + ", ".join(
        f"{name} r {correlation(p, t):.3f} amplitude {p.std() / t.std():.2f}" for name, p, t in parts
    )


def written(table: str, start: dict[str, Any], speech: Speech) -> str:
    """`table` with the fitted numbers in it, the rest unchanged.

    The parts of the rounding keep the proportion that they have in `start`, the classes of the starting table. Raises
    ModelError when a class is not on a line of its own.
    """
    lines = table.split("\n")
    for i, name in enumerate(CLASSES):
        at = [k for k, line in enumerate(lines) if line.startswith(f"  {name}: {{weight: {{")]
        if len(at) != 1:
            raise ModelError(
                f"viseme table: got {len(at)} lines for class {name}, expected one that starts with '{name}: "
                f"{{weight: {{'"
            )
        numbers = {"jaw": f"{speech.jaw_weight[i].exp():.2f}", "round": f"{speech.round_weight[i].exp():.2f}"}
        numbers["jawOpen"] = f"{torch.sigmoid(speech.jaw[i]):.3f}"
        parts = {part: float(start[name].get(part, 0)) for part in ROUNDED}
        if sum(parts.values()) > LEAST_ROUND:
            more = float(speech.rounding[i].exp()) / sum(parts.values())
            numbers |= {part: f"{min(value * more, MOST):.2f}" for part, value in parts.items() if value}
        for key, number in numbers.items():
            lines[at[0]] = re.sub(rf"\b{key}: [\d.]+", f"{key}: {number}", lines[at[0]], count=1)
    return "\n".join(lines)


def read_faces(folder: Path, alignments: Path) -> dict[bool, dict[str, list[Excerpt]]]:
    """Held out or not -> rig -> excerpts of the captured faces whose phones are known."""
    aligned = json.loads(alignments.read_text(encoding="utf-8"))["clips"]
    shown = [capture for capture in captures.load("manifest", folder) if capture.curves is not None]
    faces = Faces.of_all([capture for capture in shown if not capture.held_out])
    found: dict[bool, dict[str, list[Excerpt]]] = {False: {}, True: {}}
    for capture in shown:
        phones = [Phone(*phone) for phone in aligned.get(capture.name, {}).get("phones", ())]
        if phones:
            found[capture.held_out].setdefault(capture.rig, []).extend(excerpts(capture, phones, faces.of(capture)))
    if not found[False]:
        raise ModelError(
            f"captures {folder}: no face for training has phones in {alignments}; align them with "
            "speech_to_face_lab.corpus.align"
        )
    return found


def run(folder: Path, alignments: Path, table: Path, start: Path, out: Path) -> None:
    """Fit, print and write. Raises as its parts do."""
    text = table.read_text(encoding="utf-8")
    classes = yaml.safe_load(start.read_text(encoding="utf-8"))["classes"]
    before, reach = Speech.of(classes), Reach.of(yaml.safe_load(text)["groups"])
    faces = read_faces(folder, alignments)
    after = fitted(before, reach, faces[False], ITERATIONS)
    for held, rigs in faces.items():
        for rig, some in rigs.items():
            for when, speech in (("before", before), ("after", after)):
                print(report(f"{'validation' if held else 'training'} {rig} {when}", some, speech, reach))
    out.write_text(written(text, classes, after), encoding="utf-8")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    here = files("speech_to_face_lab.corpus")
    parser.add_argument(
        "--captures", type=Path, required=True, help="folder of captured faces with manifests, or one manifest"
    )
    parser.add_argument(
        "--alignments", type=Path, required=True, help="their phones, made by python -m speech_to_face_lab.corpus.align"
    )
    parser.add_argument(
        "--table", type=Path, default=Path(str(here / "visemes.yaml")), help="table to take everything else from"
    )
    parser.add_argument(
        "--start", type=Path, default=Path(str(here / PRIOR)), help="table whose values are moved, and pulled towards"
    )
    parser.add_argument("--out", type=Path, required=True, help="the fitted table")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    try:
        run(chosen.captures, chosen.alignments, chosen.table, chosen.start, chosen.out)
    except (ModelError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
