"""The synthetic corpus (`speech_to_face_lab.corpus`) as subjects' clips: speech with known phones, and each speaker's
mouth for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import ModelError
from speech_to_face.streaming.features import SAMPLE_RATE, frame_count
from speech_to_face_lab.corpus.store import Clip, as_float, read_voice, voices
from speech_to_face_lab.corpus.visemes import curves, loudness_db
from speech_to_face_lab.protocols.clips import SubjectClip
from speech_to_face_lab.protocols.personas import persona

SHORTEST_S = 0.5
"""Utterances shorter than this are skipped."""


def clips(folder: Path, subjects: Collection[str] | None = None, seconds: float | None = None) -> list[SubjectClip]:
    """Every speaker's clips, in the order of speakers' names.

    subjects: only these. seconds: at most so much speech of each, from the first of its utterances, its voices taking
    turns. Raises ModelError for a folder without voices and for a subject that it does not have.
    """
    found = speakers(folder)
    if missing := sorted(set(subjects or ()) - set(found)):
        raise ModelError(f"corpus {folder}: no voice of subject {missing[0]!r}, expected one of {', '.join(found)}")
    wanted = [name for name in found if subjects is None or name in subjects]
    return [clip for name in wanted for clip in _of_speaker(folder, name, found[name], seconds)]


def speakers(folder: Path) -> dict[str, tuple[str, ...]]:
    """Speaker -> its complete voices in `folder`, both sorted."""
    found: dict[str, list[str]] = {}
    for voice in voices(folder):
        found.setdefault(speaker(voice), []).append(voice)
    if not found:
        raise ModelError(
            f"corpus {folder}: no voices there, expected the folder that python -m speech_to_face_lab.corpus makes"
        )
    return {name: tuple(found[name]) for name in sorted(found)}


def speaker(voice: str) -> str:
    """The speaker of a voice of the corpus: "slt" is a voice of two engines, "espeak-f2" of several languages.
    ModelError if not known."""
    table = _table()
    for name, row in table["recorded"].items():
        if voice in row["voices"]:
            return str(name)
    variant = voice.rpartition("-")[2]
    if voice.startswith("espeak-") and any(variant in names for names in table["variants"].values()):
        return f"espeak-{variant}"
    raise ModelError(
        f"voice {voice!r} has no known speaker, expected it in models/speech_to_face_lab/protocols/speakers.yaml"
    )


def gender(subject: str) -> str:
    """ "female" or "male". ModelError for a speaker that is not known."""
    table = _table()
    if subject in table["recorded"]:
        return str(table["recorded"][subject]["gender"])
    for found, variants in table["variants"].items():
        if subject.removeprefix("espeak-") in variants and subject.startswith("espeak-"):
            return str(found)
    raise ModelError(
        f"speaker {subject!r} is not known, expected one of models/speech_to_face_lab/protocols/speakers.yaml"
    )


def _of_speaker(folder: Path, name: str, its_voices: tuple[str, ...], seconds: float | None) -> Iterator[SubjectClip]:
    left, own, whose = seconds if seconds is not None else float("inf"), persona(name), gender(name)
    for at, said in _in_turn([read_voice(folder, voice) for voice in its_voices]):
        if left <= 0:
            return
        if len(said.samples) < SHORTEST_S * SAMPLE_RATE:
            continue
        samples, frames = as_float(said.samples), frame_count(len(said.samples))
        mouth = own.applied(curves(said.phones, frames, loudness_db(samples, frames)))
        yield SubjectClip(f"{said.voice}-{at}", name, whose, samples, FRAME_RATE, mouth, phones=said.phones)
        left -= len(samples) / SAMPLE_RATE


def _in_turn(of_voices: list[list[Clip]]) -> Iterator[tuple[int, Clip]]:
    """(number in its voice, clip): the first of every voice, then the second of every voice, and so on."""
    for at in range(max(map(len, of_voices))):
        for said in of_voices:
            if at < len(said):
                yield at, said[at]


@cache
def _table() -> dict[str, Any]:
    return yaml.safe_load(files("speech_to_face_lab.protocols").joinpath("speakers.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]
