"""What is installed takes no name that a user's own project is likely to have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

THEIRS = 'raise RuntimeError("the file beside the user, not ours")\n'


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["models.py", "models/__init__.py", "wire.py", "sources.py", "testing.py"])
def test_a_module_of_the_users_own_does_not_break_the_program(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(THEIRS, encoding="utf-8")
    done = run(tmp_path, "-m", "livelink_bridge", "models")
    assert (done.returncode, done.stderr) == (0, "")
    assert "pmmtalk-live" in done.stdout


def test_a_program_beside_its_own_models_folder_can_load_a_model_of_ours(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("mine = 1\n", encoding="utf-8")
    code = (
        "import models; from livelink_bridge import load_model, animate; print(models.mine, "
        "load_model('pmmtalk-live').sample_rate)"
    )
    done = run(tmp_path, "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 16000\n", "")
