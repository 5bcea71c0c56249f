from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech_to_face.audio_files import open_recording

RATE = 16000
SECONDS = 3.0


@pytest.fixture(scope="session")
def voice() -> np.ndarray:
    """float32 (n,): three seconds that no codec makes short work of."""
    rng = np.random.default_rng(5)
    at_s = np.arange(round(SECONDS * RATE)) / RATE
    tone = np.sin(2 * np.pi * 150 * at_s * (1 + 0.2 * np.sin(2 * np.pi * at_s)))
    return (0.3 * tone + 0.05 * rng.standard_normal(len(at_s))).astype(np.float32)


@pytest.fixture
def write(tmp_path: Path, voice: np.ndarray) -> Callable[..., Path]:
    """Writes the voice with soundfile as NAME."""

    def written(name: str, **options: str) -> Path:
        soundfile.write(tmp_path / name, voice, RATE, **options)
        return tmp_path / name

    return written


def read(path: Path, *, allow_cut: bool = False, piece: int = 4097) -> np.ndarray:
    """float32 (n, channels), read in pieces."""
    recording = open_recording(path, allow_cut=allow_cut)
    pieces = []
    while len(samples := recording.read(piece)):
        pieces.append(samples)
    recording.close()
    return np.concatenate(pieces) if pieces else np.zeros((0, recording.channels), np.float32)


def cut(path: Path, part: float) -> Path:
    whole = path.read_bytes()
    path.write_bytes(whole[: round(part * len(whole))])
    return path
