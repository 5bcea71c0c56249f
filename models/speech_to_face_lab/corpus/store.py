"""The corpus on disk: one FLAC and one JSON per voice, so that building can stop and resume voice by voice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from arkit_mapping.whole_file import whole_file
from speech_to_face.phones import Phone
from speech_to_face_lab.corpus.engines import SAMPLE_RATE, Utterance

PEAK = 0.7
"""Utterances are normalised to this peak: engines differ by 20 dB."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance of the corpus."""

    voice: str
    text: str
    samples: NDArray[np.int16]
    """int16 (n,), 16 kHz: two bytes a sample, since the whole corpus is held in memory while training."""
    phones: tuple[Phone, ...]


def write_voice(folder: Path, name: str, about: dict[str, Any], utterances: Iterable[Utterance]) -> float:
    """Write `name`.flac and `name`.json; returns seconds of audio. The JSON is written last: its presence marks a
    complete voice."""
    rows, at = [], 0
    layout = {"samplerate": SAMPLE_RATE, "channels": 1, "format": "FLAC", "subtype": "PCM_16"}
    with whole_file(folder / f"{name}.flac") as part, soundfile.SoundFile(part, "w", **layout) as flac:
        for said in utterances:
            peak = float(np.abs(said.samples).max(initial=0.0))
            if peak < 1e-3:
                continue
            flac.write(said.samples * (PEAK / peak))
            phones = [[p.name, round(p.start_s, 4), round(p.end_s, 4)] for p in said.phones]
            rows.append({"text": said.text, "start": at, "samples": len(said.samples), "phones": phones})
            at += len(said.samples)
    (folder / f"{name}.json").write_text(
        json.dumps({**about, "seconds": at / SAMPLE_RATE, "utterances": rows}), encoding="utf-8"
    )
    return at / SAMPLE_RATE


def read_voice(folder: Path, name: str) -> list[Clip]:
    """All clips of one voice."""
    table = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    samples, _ = soundfile.read(folder / f"{name}.flac", dtype="int16")
    return [
        Clip(
            name,
            row["text"],
            samples[row["start"] : row["start"] + row["samples"]],
            tuple(Phone(*p) for p in row["phones"]),
        )
        for row in table["utterances"]
    ]


def voices(folder: Path) -> list[str]:
    """Names of the complete voices in `folder`, sorted."""
    return sorted(path.stem for path in folder.glob("*.json") if path.stem != "manifest")


def as_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """int16 as a clip holds it -> float32 in [-1, 1)."""
    return np.asarray(samples, np.float32) / np.float32(32768)
