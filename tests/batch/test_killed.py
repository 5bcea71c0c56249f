"""A batch that is killed at random points, three times, ends with the same takes as one without interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile
from batches import RATE_HZ

from livelink_bridge.batch.manifest import FOLDER

CLIPS, LONG_S, KILLS = 1000, 1800, 3
PROGRAM = (
    "from livelink_bridge.batch import job; import batches; job.load_context = batches.loudness;"
    "from livelink_bridge.cli import main; main()"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills in another way"),
]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Short clips, no two alike, in a tree of folders, and one long recording."""
    random = np.random.default_rng(1)
    voice = random.uniform(-0.3, 0.3, LONG_S * RATE_HZ).astype(np.float32)
    voice *= np.repeat(random.uniform(0, 1, LONG_S * 10).astype(np.float32), RATE_HZ // 10)
    for at in range(CLIPS):
        path = tmp_path / f"in/scene {at % 10}/{at % 7}/line {at}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, voice[at * 1000 :][: int(random.integers(2000, 20000))], RATE_HZ)
    soundfile.write(tmp_path / "in/long.flac", voice, RATE_HZ)
    return tmp_path / "in"


def convert(lines: Path, out: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, "convert", str(lines), "-o", str(out), "--jobs", "2"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> str:
    """What it says at the end, which has to be a good one."""
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out


def kill_after(process: subprocess.Popen[str], out: Path, takes: int) -> None:
    """Kill it, and not its workers, once so many takes are there."""
    while sum(1 for _ in out.rglob("*.csv")) < takes:
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"it ended too soon, with exit code {process.wait(0.05)}")
    process.kill()
    process.communicate(timeout=60)


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and FOLDER not in path.parts
    }


def test_killed_three_times_and_resumed_it_is_as_an_unbroken_run(lines: Path, tmp_path: Path) -> None:
    assert f"{CLIPS + 1} converted" in finished(convert(lines, tmp_path / "unbroken"))
    out, seed = tmp_path / "broken", Random().randrange(10**6)
    points = sorted(Random(seed).sample(range(1, CLIPS - 100), KILLS))
    for takes in points:
        kill_after(convert(lines, out), out, takes)
    last = finished(convert(lines, out))
    kept = int(last.split(" done before")[0].split()[-1])
    assert kept > 0 and kept >= points[-1] - 200, f"seed {seed}: too much was done again: {last}"
    unbroken, resumed = files(tmp_path / "unbroken"), files(out)
    assert len(unbroken) == 2 * (CLIPS + 1), "a take and its sound for each"
    assert resumed == unbroken, f"seed {seed}"
