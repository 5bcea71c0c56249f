"""A home of its own for each session, and a voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    at_s = np.arange(round(1.2 * 44100)) / 44100
    sound = 0.2 * np.sin(2 * np.pi * 200 * at_s) * (np.sin(2 * np.pi * 2 * at_s) > 0)
    soundfile.write(tmp_path / "voice.wav", np.stack([sound, sound], axis=1), 44100)
    return tmp_path / "voice.wav"
