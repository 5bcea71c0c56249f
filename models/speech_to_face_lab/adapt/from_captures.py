"""Captured faces as takes with audio: `python -m speech_to_face_lab.adapt.from_captures --captures DIR --rig mediapipe
--out DIR`.

Then `livelink-bridge adapt --takes DIR` learns from any corpus that `speech_to_face_lab.corpus.captures` reads.
Held-out clips are left out; channels that the rig does not measure well are zero, and so are not learnt.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, MOUTH_32
from arkit_mapping.takes.csv import write_take
from speech_to_face.streaming.features import SAMPLE_RATE
from speech_to_face_lab.corpus.captures import LOADERS, Capture, load
from speech_to_face_lab.corpus.captures.faces import TRUSTED
from speech_to_face_lab.training.edge import one_line

COLUMNS = [CHANNELS_61.index(name[0].upper() + name[1:]) for name in MOUTH_32]


def poses(capture: Capture) -> NDArray[np.float32]:
    """float32 (frames, 61) in wire order."""
    assert capture.curves is not None and capture.live is not None
    kept = capture.live & np.isin(MOUTH_32, TRUSTED.get(capture.rig, MOUTH_32))
    values = np.zeros((len(capture.curves), len(CHANNELS_61)), np.float32)
    values[:, COLUMNS] = np.where(kept, capture.curves, 0)
    return values


def write(capture: Capture, out: Path) -> None:
    """`NAME.csv` and `NAME.wav`."""
    stem = capture.name.replace("/", "_")
    out.mkdir(parents=True, exist_ok=True)
    soundfile.write(out / f"{stem}.wav", capture.samples, SAMPLE_RATE, subtype="PCM_16")
    write_take(out / f"{stem}.csv", poses(capture))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=Path, required=True, help="folder of captured faces")
    parser.add_argument(
        "--kind", default="manifest", choices=sorted(LOADERS), help="what it is laid out like (default manifest)"
    )
    parser.add_argument("--rig", help="only what this rig made: mediapipe, facegood, livelink, blendvoca, arkit")
    parser.add_argument("--out", type=Path, required=True, help="folder of the takes")
    chosen = parser.parse_args()
    count, seconds = 0, 0.0
    with one_line():
        for capture in load(chosen.kind, chosen.captures):
            if capture.curves is not None and not capture.held_out and chosen.rig in (None, capture.rig):
                write(capture, chosen.out)
                count, seconds = count + 1, seconds + len(capture.samples) / SAMPLE_RATE
    if not count:
        raise SystemExit(
            f"error: no captured face{f' of rig {chosen.rig}' if chosen.rig else ''} to learn from in {chosen.captures}"
        )
    print(f"{chosen.out}: {count} takes, {seconds / 60:.1f} min")


if __name__ == "__main__":
    main()
