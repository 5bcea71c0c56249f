"""Reads takes with audio one by one; a take that cannot be used is returned with its reason and does not stop the
rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import ARKIT_52, FRAME_RATE
from arkit_mapping.takes.csv import TakeError, read_take
from arkit_mapping.takes.names import no_sound
from speech_to_face.base import ModelError, Samples
from speech_to_face.streaming.features import SAMPLE_RATE, frame_count
from speech_to_face_lab.corpus.captures.curves import fit
from speech_to_face_lab.corpus.captures.sound import FULL_SCALE, read_sound

RIG = "livelink"
SHORTEST_S = 1.0
LONGEST_S = 3600.0
"""Longest take, in seconds: takes are read whole."""
SILENT_PEAK = 1e-3
"""-60 dBFS: an audio track without a voice."""
Curves = NDArray[np.float32]
"""float32 (frames, 32) in [0, 1], columns as `MOUTH_32`, 60 Hz."""


@dataclass(frozen=True, slots=True)
class TakeFile:
    """A take's table, and the audio file beside it."""

    name: str
    table: Path
    sound: Path | None
    rate: str | None = None
    """Rate of its timecode's FF; None: the one it shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """Audio and face of one take on one clock; the face may still be early or late."""

    name: str
    samples: Samples
    """float32 (n,), 16 kHz."""
    curves: Curves
    """(frame_count(n), 32)"""
    late_s: float = 0.0
    """Lag of the face behind its audio that was taken out, in seconds."""
    said: str = ""
    """The reader's warning on the table, one line."""

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A take that is not used, and the reason in a few words."""

    name: str
    reason: str


def read_takes(
    files: Sequence[TakeFile], on_take: Callable[[], None] = lambda: None, *, allow_cut: bool = False
) -> tuple[list[Take], list[LeftOut]]:
    """Every take that can be read and has audio, complete unless `allow_cut`; the others with their reasons."""
    takes: list[Take] = []
    left: list[LeftOut] = []
    for file in files:
        try:
            takes.append(read_one(file, allow_cut=allow_cut))
        except (ModelError, TakeError) as error:
            left.append(LeftOut(file.name, str(error)))
        on_take()
    return takes, left


def read_one(file: TakeFile, *, allow_cut: bool = False) -> Take:
    """One take. Raises ModelError or TakeError with the reason it cannot be used."""
    sound = file.sound
    if sound is None:
        raise ModelError(no_sound(file.table))
    table = read_take(file.table, file.rate)
    length_s = float(table.times_s[-1] - table.times_s[0])
    if not SHORTEST_S <= length_s <= LONGEST_S:
        raise ModelError(f"{length_s:.2f} s long, expected {SHORTEST_S:g} to {LONGEST_S:g} s")
    times_s = np.asarray(table.times_s - table.times_s[0])
    samples, curves, _ = fit(
        file.table, read_sound(sound, allow_cut=allow_cut), table.values[:, : len(ARKIT_52)], times_s, ARKIT_52, RIG
    )
    heard = samples.astype(np.float32) / np.float32(FULL_SCALE)
    if float(np.abs(heard).max(initial=0)) < SILENT_PEAK:
        raise ModelError(f"{sound.name} is silent, expected speech")
    return Take(file.name, heard, curves, said=table.said)


def put_right(take: Take, late: int) -> Take:
    """The take with its face moved `late` frames earlier (later when negative), cut to where there are both."""
    frames = len(take.curves)
    if late >= 0:
        curves, samples = take.curves[late:], take.samples
    else:
        curves, samples = take.curves[:late], take.samples[round(-late * SAMPLE_RATE / FRAME_RATE) :]
    samples = samples[: len(curves) * SAMPLE_RATE // FRAME_RATE]
    assert late < frames and len(curves) >= frame_count(len(samples))
    return Take(take.name, samples, curves[: frame_count(len(samples))], late / FRAME_RATE, take.said)
