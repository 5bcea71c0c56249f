"""`models`: what is shipped, and whether it still is what was shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from livelink_bridge.cli import run
from models import checkpoint
from models.pmmtalk.config import Config, save_config


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one checkpoint, `small`, whose weights nobody will load."""
    folder = tmp_path / "small"
    folder.mkdir()
    save_config(Config(delay=1, styles=("calm", "loud")), folder / checkpoint.CONFIG)
    (folder / checkpoint.WEIGHTS).write_bytes(bytes(2_000_000))
    checkpoint.write_sums(folder)
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path)
    return folder


@pytest.mark.usefixtures("shelf")
def test_a_whole_model_is_listed_with_lookahead_size_and_styles(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    assert capsys.readouterr().out == "small: look-ahead 33 ms, 2.0 MB, sha256 as shipped, styles calm, loud\n"


def test_a_changed_model_is_named_and_the_exit_code_is_1(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (shelf / checkpoint.WEIGHTS).open("ab") as weights:
        weights.write(b"!")
    assert run(["models"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("small: cannot be used: ") and "sha256" in out
