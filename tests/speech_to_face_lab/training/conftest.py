"""A made corpus whose right answers are known: vowels buzz, p is silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from speech_to_face.phones import Phone
from speech_to_face.streaming.features import frame_count
from speech_to_face_lab.corpus.engines import SAMPLE_RATE, Utterance
from speech_to_face_lab.corpus.store import write_voice
from speech_to_face_lab.corpus.visemes import curves, labels, sealed
from speech_to_face_lab.tracks import About, Piece, Track, pause, read_tracks, whole_grains, write_track
from speech_to_face_lab.training.data.mixing import Noises

EACH_S = 0.15
PAPA = tuple(Phone(("AA", "PB")[i % 2], i * EACH_S, (i + 1) * EACH_S) for i in range(20))


def _buzz(phones: Sequence[Phone] = PAPA) -> NDArray[np.float32]:
    time = np.arange(round(phones[-1].end_s * SAMPLE_RATE)) / SAMPLE_RATE
    voiced = sum(((time >= p.start_s) & (time < p.end_s) for p in phones if p.name == "AA"), np.zeros(len(time)))
    return (0.3 * np.sign(np.sin(2 * np.pi * 120 * time)) * voiced).astype(np.float32)


def _piece(phones: Sequence[Phone] = PAPA) -> Piece:
    sound = _buzz(phones)
    frames = frame_count(len(sound))
    return whole_grains(sound, curves(phones, frames), labels(phones, frames), sealed(phones, frames))


MakeSound = Callable[..., NDArray[np.float32]]
MakePiece = Callable[..., Piece]
MakeTracks = Callable[..., list[Track]]


@pytest.fixture(scope="session")
def papa_phones() -> tuple[Phone, ...]:
    return PAPA


@pytest.fixture(scope="session")
def buzz() -> MakeSound:
    """Sound of phones: vowels buzz, everything else is silence."""
    return _buzz


@pytest.fixture(scope="session")
def make_piece() -> MakePiece:
    return _piece


@pytest.fixture
def make_tracks(tmp_path: Path) -> MakeTracks:
    """Tracks of (name, about, pieces) rows, as they come back from disk."""

    def make(*rows: tuple[str, About, list[Piece]], held: bool = False) -> list[Track]:
        for name, about, pieces in rows:
            write_track(tmp_path, name, about, pieces)
        return read_tracks(tmp_path, held)

    return make


@pytest.fixture
def papa(make_tracks: MakeTracks) -> list[Track]:
    return make_tracks(("papa-0", About("recorded"), [_piece(), pause(0.5, np.zeros(32, np.float32)), _piece()]))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two voices of four clips each."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("buzz", "espeak-hum"):
        write_voice(folder, name, {}, [Utterance("papa", _buzz(), PAPA)] * 4)
    return folder


@pytest.fixture(scope="session")
def noises() -> Noises:
    """Hiss that is even over the bands, and babble in the lowest ones alone: the first bands tell which was drawn."""
    noise = np.random.default_rng(0).uniform(0.5, 1.5, (2000, 160)).astype(np.float16)
    babble = np.zeros((2000, 160), np.float16)
    babble[:, :10] = babble[:, 80:90] = 100.0
    return Noises(noise, babble)
