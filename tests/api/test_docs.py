"""Every block of docs/api.md runs and gives the output shown there."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
import soundfile

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def hello() -> np.ndarray:
    """1.2 s at 24 kHz, syllables of a tone."""
    at_s = np.arange(28800) / 24000
    return (0.2 * np.sin(2 * np.pi * 200 * at_s) * (np.sin(2 * np.pi * 2 * at_s) > 0)).astype(np.float32)


def test_the_blocks_of_the_page_give_what_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVELINK_BRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    soundfile.write("hello.wav", hello(), 24000)
    # A fence right behind an example would be read as a part of its answer.
    text = "\n".join("" if line.startswith("```") else line for line in PAGE.read_text(encoding="utf-8").splitlines())
    page = doctest.DocTestParser().get_doctest(text, {"voice": hello()}, PAGE.name, str(PAGE), 0)
    said: list[str] = []
    found = doctest.DocTestRunner().run(page, out=said.append)
    assert found.attempted > 15 and not found.failed, "".join(said)
