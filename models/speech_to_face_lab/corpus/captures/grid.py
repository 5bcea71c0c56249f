"""GRID and corpora laid out like it: `NAME.align` beside `NAME.wav`, or in sibling folders (`s1/align`, `s1/audio`).

A line of an .align file is `start end word`, in 1/25000 s (23750 is 0.95 s); `sil` and `sp` are pauses. Curves are
optional: an npz of the same stem beside the sound (see `npz`; its `lag_s` tells how late they are). Frames solved from
video count as MediaPipe's. The speaker is the nearest folder that is not named after what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from speech_to_face.base import ModelError
from speech_to_face.phones import PAUSES
from speech_to_face_lab.corpus.captures import Capture, Word
from speech_to_face_lab.corpus.captures.curves import fit
from speech_to_face_lab.corpus.captures.npz import read_npz
from speech_to_face_lab.corpus.captures.sound import SUFFIXES, read_sound, sound_beside

UNITS_PER_S = 25_000
CONTENTS = ("align", "aligns", "alignments", "audio", "audio_25k", "audio_50k", "wav", "wavs")
LICENCE = "CC BY 4.0 (GRID corpus, Cooke et al. 2006)"


def captures(folder: Path) -> Iterator[Capture]:
    """One capture per .align file, wherever below `folder`."""
    paths = sorted(folder.rglob("*.align"))
    if not paths:
        raise ModelError(f"captures {folder}: got no .align file, expected GRID word alignments")
    for path in paths:
        yield _capture(path)


def read_align(path: Path) -> tuple[Word, ...]:
    """The words of an .align file, pauses left out. ModelError for a line that is not `start end word` or goes back in
    time."""
    words: list[Word] = []
    last = 0
    for number, line in enumerate(_lines(path), start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
            raise ModelError(
                f"align {path}, line {number}: got {line[:40]!r}, expected start, end (1/25000 s) and a word"
            )
        start, end = int(parts[0]), int(parts[1])
        if not last <= start <= end:
            raise ModelError(f"align {path}, line {number}: got {start} to {end} after {last}, expected rising times")
        last = end
        if parts[2].lower() not in PAUSES:
            words.append(Word(parts[2], start / UNITS_PER_S, end / UNITS_PER_S))
    return tuple(words)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"align {path} cannot be read: {error}") from None


def _capture(path: Path) -> Capture:
    words, sound, speaker = read_align(path), _sound(path), _speaker(path)
    samples, curves, live, rig = read_sound(sound), None, None, ""
    table = sound.with_suffix(".npz")
    if table.is_file():
        rig = "mediapipe"
        samples, curves, live = fit(table, samples, *read_npz(table), rig)
    return Capture(
        name=f"{speaker}_{path.stem}",
        speaker=speaker,
        language="en",
        samples=samples,
        curves=curves,
        live=live,
        words=words,
        transcript=" ".join(word.text for word in words),
        rig=rig,
        held_out=False,
        licence=LICENCE,
    )


def _sound(path: Path) -> Path:
    siblings = sorted(other for other in path.parent.parent.iterdir() if other.is_dir() and other.name in CONTENTS)
    for folder in (path.parent, *siblings):
        if found := sound_beside(folder / path.name):
            return found
    raise ModelError(
        f"align {path}: no audio file of the same name, expected {path.stem}{SUFFIXES[0]} beside it or in a sibling "
        "folder"
    )


def _speaker(path: Path) -> str:
    return next((parent.name for parent in path.absolute().parents if parent.name not in CONTENTS), path.stem)
