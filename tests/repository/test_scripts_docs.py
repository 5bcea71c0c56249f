"""Pages that are made by scripts are what the scripts make, and bundled sound is what its card says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from livelink_bridge.demo import SENTENCE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["make_command_docs.py", "make_settings_docs.py"])
def test_a_generated_page_is_what_the_program_says(script: str) -> None:
    command = [sys.executable, f"scripts/{script}", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 0, done.stderr


def test_the_bundled_sentence_is_speech_between_two_rests() -> None:
    samples, rate_hz = soundfile.read(SENTENCE, dtype="float32")
    assert (rate_hz, samples.ndim) == (16000, 1)
    assert 8 <= len(samples) / rate_hz <= 12
    rest = rate_hz // 5
    assert not np.any(samples[:rest]) and not np.any(samples[-rest:])
    assert 0.6 < np.abs(samples).max() < 0.8


def test_the_sentences_card_names_text_voice_and_licence() -> None:
    card = SENTENCE.with_name("CARD.md").read_text(encoding="utf-8")
    for word in ("Mama bought a big blue boat", "slt", "licence", "make_demo_sentence.py"):
        assert word in card
