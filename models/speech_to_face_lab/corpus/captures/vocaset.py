"""BlendVOCA: coefficients that SAiD's authors solved for VOCASET's scans, beside VOCASET's sound.

Assumed, after SAiD's own scripts: sound at `.../SUBJECT/sentenceNN.wav`, coefficients at `.../SUBJECT/sentenceNN.csv`
or `sentenceNN-K.csv` (several solutions of one sentence) or the same as .npy, both anywhere below the folder; 60 frames
a second from the start of the sound; a CSV begins with a line of channel names; an .npy, or a CSV without names, has
SAiD's 32 channels in SAiD's order, which is `MOUTH_32`. SAiD's validation and test subjects are held out. VOCASET may
be used for research only: a model that ships must not be trained on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import MOUTH_32
from speech_to_face.base import ModelError
from speech_to_face_lab.corpus.captures import Capture
from speech_to_face_lab.corpus.captures.curves import even_times, fit, plain
from speech_to_face_lab.corpus.captures.sound import read_sound, sound_beside, text_beside

FPS = 60.0
RIG = "blendvoca"
LICENCE = "VOCASET licence (research only); coefficients: SAiD"
HELD_OUT = frozenset(
    ("FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA", "FaceTalk_170731_00024_TA", "FaceTalk_170809_00138_TA")
)
"""Subjects on which SAiD validates and tests."""

_SENTENCE = re.compile(r"(sentence\d+)(-.+)?")


def captures(folder: Path) -> Iterator[Capture]:
    """One capture per file of coefficients, wherever below `folder`."""
    tables = sorted(
        path for path in folder.rglob("sentence*") if path.suffix in (".csv", ".npy") and _SENTENCE.fullmatch(path.stem)
    )
    if not tables:
        raise ModelError(f"captures {folder}: got no coefficients, expected SUBJECT/sentenceNN.csv or .npy")
    sounds = {(path.parent.name, path.stem): path for path in sorted(folder.rglob("sentence*.wav"))}
    for path in tables:
        yield _capture(folder, path, sounds)


def _capture(folder: Path, path: Path, sounds: dict[tuple[str, str], Path]) -> Capture:
    match = _SENTENCE.fullmatch(path.stem)
    assert match is not None, "captures() took only names that match"
    subject, sentence = path.parent.name, match[1]
    sound = sounds.get((subject, sentence)) or sound_beside(path)
    if sound is None:
        raise ModelError(f"curves {path}: no audio file of that sentence, expected {subject}/{sentence}.wav")
    values, names = _read_npy(path) if path.suffix == ".npy" else _read_csv(path)
    samples, curves, live = fit(path, read_sound(sound), values, even_times(len(values), FPS), names, RIG)
    return Capture(
        # With its ending: one sentence may be there as .csv and as .npy.
        name=str(path.relative_to(folder)),
        speaker=subject,
        language="en",
        samples=samples,
        curves=curves,
        live=live,
        words=(),
        transcript=text_beside(sound),
        rig=RIG,
        held_out=subject in HELD_OUT,
        licence=LICENCE,
    )


def _read_npy(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    try:
        values = np.asarray(np.load(path, allow_pickle=False), np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(
            f"curves {path} cannot be read, expected an npy of (frames, {len(MOUTH_32)}): {error}"
        ) from None
    return values, MOUTH_32


def _read_csv(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Values of the named channels; a column of row numbers, as pandas writes it, is skipped."""
    try:
        rows = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"curves {path} cannot be read: {error}") from None
    header = [plain(cell.strip().strip('"')) for cell in rows[0]] if rows else []
    named = any(name in MOUTH_32 for name in header)
    names = header if named else list(MOUTH_32)
    kept = [column for column, name in enumerate(names) if name in MOUTH_32]
    values = [_numbers(path, number, row, len(names), kept) for number, row in enumerate(rows[named:], start=1 + named)]
    return np.array(values, np.float32).reshape(-1, len(kept)), tuple(names[column] for column in kept)


def _numbers(path: Path, number: int, row: list[str], width: int, kept: list[int]) -> list[float]:
    if len(row) != width:
        raise ModelError(f"curves {path}, row {number}: got {len(row)} cells, expected {width}")
    try:
        return [float(row[column]) for column in kept]
    except ValueError as error:
        raise ModelError(f"curves {path}, row {number}: {error}, expected numbers") from None
