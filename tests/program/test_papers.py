"""benchmarks/papers.py: from a corpus to the tables, in runs of a few steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from speech_to_face.phones import Phone
from speech_to_face_lab.corpus.engines import SAMPLE_RATE, Utterance
from speech_to_face_lab.corpus.store import write_voice

ROOT = Path(__file__).parents[2]
PAPA = tuple(Phone(("AA", "PB")[i % 2], i * 0.15, (i + 1) * 0.15) for i in range(20))
BEGIN, END = "<!-- made by benchmarks/papers.py: begin -->", "<!-- made by benchmarks/papers.py: end -->"


def corpus(folder: Path) -> Path:
    """Speakers of the corpus's own names, each of which says papa."""
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    sound = (0.3 * np.sign(np.sin(2 * np.pi * 120 * time)) * (time % 0.3 < 0.15)).astype(np.float32)
    folder.mkdir()
    for name in ("flite-awb", "flite-rms", "flite-slt", "festival-dita"):
        write_voice(folder, name, {}, [Utterance("papa", sound, PAPA)] * 2)
    return folder


def papers(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    given = [
        "--corpus",
        folder / "corpus",
        "--work",
        folder / "work",
        "--page",
        folder / "papers.md",
        "--steps",
        "2",
        "--judged-s",
        "2",
    ]
    command = [sys.executable, ROOT / "benchmarks" / "papers.py", *given, "--jobs", "1", *options]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_runs_go_into_the_tables_and_are_not_run_again(tmp_path: Path) -> None:
    corpus(tmp_path / "corpus")
    (tmp_path / "papers.md").write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    done = papers(tmp_path, "--only", "voca", "codetalker", "dualtalker", "--ship", str(tmp_path / "ship"))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "papers.md").read_text(encoding="utf-8")
    assert page.startswith("before\n") and page.endswith("after\n") and "old" not in page
    assert "### Cross-subject" in page and "### Cross-gender" in page and page.count("| VOCA-style |") == 2
    assert {path.name for path in (tmp_path / "ship").iterdir()} == {"codetalker-mini", "dualtalker-mini"}
    score = next((tmp_path / "work").glob("2-steps-*/cross-subject/voca/score.json"))
    assert json.loads(score.read_text())["steps"] == 2
    written = score.stat().st_mtime_ns
    assert papers(tmp_path, "--only", "voca", "codetalker", "dualtalker").returncode == 0
    assert score.stat().st_mtime_ns == written
    assert papers(tmp_path, "--write").returncode == 0


@pytest.mark.slow
def test_a_page_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    corpus(tmp_path / "corpus")
    (tmp_path / "papers.md").write_text("mine\n", encoding="utf-8")
    done = papers(tmp_path, "--only", "voca")
    assert done.returncode == 1 and "expected the two lines" in done.stderr
    assert (tmp_path / "papers.md").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.slow
def test_nothing_to_write_is_one_line(tmp_path: Path) -> None:
    corpus(tmp_path / "corpus")
    done = papers(tmp_path, "--write")
    assert done.returncode == 1 and "error: no run in" in done.stderr and "Traceback" not in done.stderr
