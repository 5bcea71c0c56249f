"""Tiny recordings as each corpus lays them out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

MakeSound = Callable[..., Path]
MakeNpz = Callable[..., Path]


@pytest.fixture
def make_sound(tmp_path: Path) -> MakeSound:
    def make(name: str, seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
        soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate, subtype="PCM_16")
        return path

    return make


@pytest.fixture
def make_npz(tmp_path: Path) -> MakeNpz:
    def make(
        name: str,
        values: NDArray[np.floating],
        names: tuple[str, ...] = ("jawOpen", "mouthFunnel"),
        fps: float = 25.0,
        **more: object,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, coeffs=values, names=np.array(names), fps=fps, **more)
        return path

    return make


def ramp(frames: int, fps: float, columns: int = 2) -> NDArray[np.float64]:
    """A jaw that is 0.4 * time in seconds: its value tells which moment it belongs to."""
    return np.repeat(0.4 * np.arange(frames)[:, None] / fps, columns, axis=1)


@pytest.fixture(name="ramp")
def ramp_fixture() -> Callable[..., NDArray[np.float64]]:
    return ramp
