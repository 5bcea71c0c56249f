"""How often `--tongue` shows the tongue at th and l, and how often at other phones.

    python benchmarks/bench_tongue.py --data FOLDER [--tracks FOLDER] [--model NAME]

The FOLDER of --data holds recordings with timed phones (`manifest_speech.json`) of speakers that the shipped models
were not trained on. The FOLDER of --tracks is the output of `python -m speech_to_face_lab.training.prepare`; its
held-out tracks are used (phones of real speakers are aligned there by the model itself).

A phone counts as shown if, from its start to three frames after its end, the tongue comes out at least half as far as
this phone allows. The tongue is falsely out if it is more than SHOWN out and more than three frames from every th and
l; the phones at those frames are listed with their shares, largest first.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from arkit_mapping import CHANNELS_61, remap
from arkit_mapping.character.tongue import behind_lips
from speech_to_face import checkpoint
from speech_to_face.base import Coefficients
from speech_to_face.loading import load_model
from speech_to_face.networks.pmmtalk.config import Config, load_config
from speech_to_face.networks.pmmtalk.loading import FACE_CODE, FACE_CROP, STYLES
from speech_to_face.networks.pmmtalk.onnx_steps import Graph, OnnxSteps
from speech_to_face.networks.pmmtalk.voice import Voice
from speech_to_face.phones import CLASSES, INDEX
from speech_to_face.streaming.stepped import BLOCK_STEPS, SteppedStream
from speech_to_face.streaming.tongue import CHANNEL, REACH, Tongue
from speech_to_face_lab.corpus.captures.textgrid import timed_phones
from speech_to_face_lab.corpus.visemes import labels
from speech_to_face_lab.evaluation.data import read_samples, timed_speech
from speech_to_face_lab.evaluation.sounds import NOISES
from speech_to_face_lab.tracks import UNKNOWN as NO_LABEL
from speech_to_face_lab.tracks import Track, read_tracks

SHOWN = 0.05
"""Visible tongue: half of half of what an l shows."""
NEAR = 3
"""Frames around a phone that count as part of it."""
GROUPS = {"flite": "flite-", "espeak, English": "espeak-en-", "GRID": "real-mediapipe", "people": "real-people-held"}
"""Groups of tracks, by the prefix of their names."""
UNKNOWN = -1
Clip = tuple[NDArray[np.float32], NDArray[np.int64]]
"""TongueOut and the index of the spoken phone, by frame."""


def out_of(coefficients: Coefficients, channels: tuple[str, ...]) -> NDArray[np.float32]:
    """TongueOut of the frames as sent."""
    return behind_lips(remap(coefficients, channels))[:, CHANNELS_61.index("TongueOut")]


def recorded(folder: Path, name: str) -> Iterator[Clip]:
    """The clips of recordings with timed phones."""
    model = load_model(name, device="cpu", tongue=True)
    for clip in timed_speech(folder)[0]:
        tongue = out_of(model.animate(read_samples(clip.sound)), model.channels)
        yield tongue, labels(timed_phones(clip.phones), len(tongue), outside=UNKNOWN)


def laid_down(track: Track, config: Config, graph: Graph, voice: Voice) -> Clip:
    """The clip of a prepared track."""
    steps, mel = OnnxSteps(graph, voice), track.mel.astype(np.float32)
    found = np.concatenate([steps.run(mel[at : at + BLOCK_STEPS]) for at in range(0, len(mel), BLOCK_STEPS)])
    face = SteppedStream(config, steps, Tongue(config.phones))._face(found)[config.delay :]
    spoken = track.labels[: len(face)].astype(np.int64)
    return out_of(face, (*config.channels, CHANNEL)), np.where(spoken == NO_LABEL, UNKNOWN, spoken)


def spans(spoken: NDArray[np.int64], phone: int) -> list[tuple[int, int]]:
    """First and last frame + 1 of each run of a phone."""
    edges = np.diff(np.concatenate([[0], spoken == phone, [0]]).astype(int))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))


def count(clips: list[Clip]) -> list[str]:
    """The cells of a group's row."""
    cells = [f"{sum(len(tongue) for tongue, _ in clips) / 3600:.1f}"]
    for name, reach in REACH.items():
        peaks = [
            tongue[start : end + NEAR].max() for tongue, spoken in clips for start, end in spans(spoken, INDEX[name])
        ]
        cells.append(f"{np.mean(np.array(peaks) >= reach / 2):.0%} of {len(peaks)}" if peaks else "–")
    where, known = Counter[str](), 0
    for tongue, spoken in clips:
        due = np.isin(spoken, [INDEX[name] for name in REACH])
        far = (np.convolve(due, np.ones(2 * NEAR + 1), "same") == 0) & (spoken != UNKNOWN)
        known += int(far.sum())
        where.update(CLASSES[phone] for phone in spoken[far & (tongue > SHOWN)])
    false = sum(where.values())
    named = ", ".join(f"{name} {part / false:.0%}" for name, part in where.most_common(6))
    return [*cells, f"{false / max(known, 1):.2%}", named or "–"]


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of recordings with timed phones")
    parser.add_argument("--tracks", type=Path, help="folder of tracks")
    parser.add_argument("--model", default="pmmtalk-live", help="name or folder (default: pmmtalk-live)")
    chosen = parser.parse_args()
    print("| speech | min | th shown | l shown | falsely out | phones there |\n|---|---|---|---|---|---|")
    if chosen.data:
        print("| " + " | ".join(["timed by hand or tool", *count(list(recorded(chosen.data, chosen.model)))]) + " |")
    if chosen.tracks:
        folder = checkpoint.find(chosen.model)
        weights = load_file(folder / checkpoint.WEIGHTS)
        voice = Voice(weights[STYLES][-1:], weights[FACE_CODE], weights[FACE_CROP])
        config, graph = load_config(folder / checkpoint.CONFIG), Graph(folder / checkpoint.GRAPH, phones=True)
        tracks = read_tracks(chosen.tracks, held=True)
        for group, start in GROUPS.items():
            clips = [laid_down(track, config, graph, voice) for track in tracks if track.name.startswith(start)]
            print("| " + " | ".join([group, *count(clips)]) + " |")
    model = load_model(chosen.model, device="cpu", tongue=True)
    out = {name: np.mean(out_of(model.animate(make()), model.channels) > SHOWN) for name, make in NOISES.items()}
    print("out in noise: " + ", ".join(f"{name} {part:.1%}" for name, part in out.items()))


if __name__ == "__main__":
    main()
