"""flite: `-psdur` prints every segment with its end time. One process per sentence."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import soundfile

from speech_to_face.phones import timed
from speech_to_face_lab.corpus.engines import Utterance, at_16k, tempo

LONGEST_S = 60.0
"""Time limit of one text, seconds."""


class Flite:
    """flite, a process a text."""

    def available(self) -> bool:
        """Whether the program is installed."""
        return shutil.which("flite") is not None

    def speak(self, voice: str, table: str, texts: Sequence[str]) -> Iterator[Utterance]:
        """See `Engine`."""
        with tempfile.TemporaryDirectory() as folder:
            for i, text in enumerate(texts):
                said = _say(voice, table, text, Path(folder) / "said.wav", 1 / tempo(i))
                if said is not None:
                    yield said


def _say(voice: str, table: str, text: str, wav: Path, stretch: float) -> Utterance | None:
    """None when flite fails on the text: a crash or a hang on one costs that one."""
    command = [
        "flite",
        "-voice",
        voice,
        "--setf",
        f"duration_stretch={stretch:.3f}",
        "-psdur",
        "-t",
        text + " ",
        "-o",
        str(wav),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0 or not done.stdout.strip():
        return None
    samples, rate = soundfile.read(wav, dtype="float32")
    return Utterance(text, at_16k(samples, rate), tuple(timed(segments(done.stdout), table)))


def segments(printed: str) -> list[tuple[str, float, float]]:
    """(symbol, start_s, end_s) rows of "pau:0.142 b:0.215 ..."."""
    rows, start = [], 0.0
    for item in printed.split():
        symbol, _, end = item.rpartition(":")
        rows.append((symbol, start, float(end)))
        start = float(end)
    return rows


def engine() -> Flite:
    """The engine."""
    return Flite()
