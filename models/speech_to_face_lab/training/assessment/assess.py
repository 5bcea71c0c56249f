"""Score a run on tracks:
`python -m speech_to_face_lab.training.assessment.assess --model DIR --tracks DIR [--only flite]`.

What a left-out engine, held-out sentences and held-out speakers are scored by: phone and viseme accuracy, correlation
with the curves that the true phones give, lips closed where they must be and where they must not. It is the bare
network that is scored, from empty states and without the floor that rests a live face.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE, MOUTH_32
from speech_to_face.networks.pmmtalk import faces
from speech_to_face.networks.pmmtalk.branches import to_patches
from speech_to_face.networks.pmmtalk.config import load_config
from speech_to_face.networks.pmmtalk.loading import load_network
from speech_to_face.networks.pmmtalk.network import PMMTalk
from speech_to_face.phones import CLASSES, VISEMES
from speech_to_face_lab.tracks import UNKNOWN, Track, read_tracks
from speech_to_face_lab.training.edge import one_line
from speech_to_face_lab.training.objectives.terms import CLOSED, OPEN, aperture

BLOCK = 1200
"""Frames run at once: twenty seconds."""
LIVE_SD = 0.03
"""Channels that move less than this do not count: half of the 32 only colour what the others do."""


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of a network on tracks."""

    seconds: float
    phones: float
    """Share of frames whose phone class is right."""
    visemes: float
    """The same over the thirteen visemes."""
    mean_r: float
    """Mean correlation over the mouth channels that move in the target."""
    jaw_r: float
    closed: float
    """Share of sealed frames where the lips are less than CLOSED apart."""
    false_closed: float
    """The same of frames whose target is more than OPEN apart."""


@torch.no_grad()
def predicted(network: PMMTalk, mel: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Coefficients (frames - delay, 32) and the likeliest class of each, of one stretch of features, unknown style,
    default face."""
    face = faces.draw_reference(faces.default_look())
    code, crop = network.reference(face), to_patches(faces.crop_mouth(face, network.config.image_size))
    style, states, clock = network.styles.weight[-1:], network.initial_states(), torch.zeros((), dtype=torch.long)
    out, phones = [], []
    for block in torch.split(torch.from_numpy(mel)[None], BLOCK, 1):
        found, states, views = network(block, style, code, crop, clock, states)
        clock = clock + block.shape[1]
        out.append(found[0].clamp(0, 1).numpy())
        phones.append(views.log_phones[0].argmax(-1).numpy())
    delay = network.config.delay
    return np.concatenate(out)[delay:], np.concatenate(phones)[delay:]


def score(network: PMMTalk, tracks: list[Track]) -> Score:
    """All tracks together."""
    parts = [(track, *predicted(network, track.mel.astype(np.float32))) for track in tracks]
    delay = network.config.delay
    said = np.concatenate([t.labels[: len(t.labels) - delay] for t, _, _ in parts]).astype(np.int64)
    seal = np.concatenate([t.sealed[: len(t.sealed) - delay] for t, _, _ in parts])
    target = np.concatenate([t.curves[: len(t.curves) - delay] for t, _, _ in parts]).astype(np.float32)
    mouth, guess = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    known = said != UNKNOWN
    groups = np.array([VISEMES[name] for name in CLASSES])
    r = correlations(mouth, target)
    gap, wanted = (aperture(torch.from_numpy(np.nan_to_num(x))).numpy() for x in (mouth, target))
    return Score(
        len(said) / FRAME_RATE,
        float((guess == said)[known].mean()),
        float((groups[guess[known]] == groups[said[known]]).mean()),
        float(np.nanmean(r)) if (~np.isnan(r)).any() else float("nan"),
        float(r[MOUTH_32.index("jawOpen")]),
        float((gap[seal > 0.99] < CLOSED).mean()),
        float((gap[(wanted > OPEN) & (seal == 0)] < CLOSED).mean()),
    )


def correlations(mouth: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """(32,) r of every channel over the frames where it is known; NaN where the target hardly moves."""
    out = np.full(mouth.shape[1], np.nan)
    for i in range(mouth.shape[1]):
        known = ~np.isnan(target[:, i])
        if known.sum() > 2 and target[known, i].std() > LIVE_SD and mouth[known, i].std() > 0:
            out[i] = np.corrcoef(mouth[known, i], target[known, i])[0, 1]
    return out


def options() -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="checkpoint folder")
    parser.add_argument(
        "--tracks", type=Path, required=True, help="folder made by python -m speech_to_face_lab.training.prepare"
    )
    parser.add_argument(
        "--only",
        nargs="*",
        default=[""],
        help="held-out tracks whose names start so, each scored by itself (default all)",
    )
    return parser.parse_args()


def main() -> None:
    """The command."""
    chosen = options()
    torch.set_num_threads(1)
    with one_line():
        network = load_network(chosen.model, load_config(chosen.model / "config.yaml"))
        held = read_tracks(chosen.tracks, held=True)
    for start in chosen.only:
        some = [track for track in held if track.name.startswith(start)]
        if not some:
            raise SystemExit(
                f"no held-out track in {chosen.tracks} starts with {start!r}; there are "
                f"{', '.join(t.name for t in held)}"
            )
        found = {key: round(value, 4) for key, value in asdict(score(network, some)).items()}
        print(json.dumps({"tracks": start or "all"} | found))


if __name__ == "__main__":
    main()
