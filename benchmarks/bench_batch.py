"""Speed and memory of a batch: 1,000 short clips and one recording of two hours.

    python benchmarks/bench_batch.py [--clips 1000] [--long-s 7200] [--jobs N] [--report] [--folder DIR]

The audio is cut from the bundled sentence, every file different. The program is run as a user runs it, including its
start. Memory is that of all its processes, read five times a second from /proc; shared pages are counted once (Linux).
Limits: 50 x real time on two cores, 1.5 GB.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

SENTENCE = Path(__file__).parents[1] / "livelink_bridge/demo/sentence.flac"
BAR_RATE, BAR_MB = 50, 1500
BLOCK_S = 60


def make(folder: Path, clips: int, long_s: int) -> float:
    """Write the audio files. Returns their length in seconds."""
    voice, rate = soundfile.read(SENTENCE, dtype="float32")
    random = np.random.default_rng(0)
    seconds = float(long_s)
    for at in range(clips):
        samples = int(random.uniform(1.0, 8.0) * rate)
        path = folder / f"scene {at % 20}/line {at}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(
            path, random.uniform(0.3, 1.0) * np.roll(voice, int(random.integers(len(voice))))[:samples], rate
        )
        seconds += min(samples, len(voice)) / rate
    if long_s:
        block = np.resize(voice, BLOCK_S * rate)
        with soundfile.SoundFile(folder / "long.wav", "w", rate, 1) as file:
            for at in range(0, long_s, BLOCK_S):
                file.write(block[: (long_s - at) * rate])
    return seconds


def family(pid: int) -> Iterator[int]:
    """Ids of a process and of all its descendants."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def resident_mb(pid: int) -> float:
    """Memory of a process and its descendants, MB; shared pages are divided among the processes that share them."""
    total_kb = 0
    for member in family(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1024


def run(command: list[str]) -> tuple[float, float, float]:
    """Run a command. Returns run time and processor time in seconds, and peak memory in MB."""
    before, began = os.times(), time.perf_counter()
    peak_mb = 0.0
    with subprocess.Popen(command) as process:
        while True:
            peak_mb = max(peak_mb, resident_mb(process.pid))
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
                break
    took, after = time.perf_counter() - began, os.times()
    if process.returncode:
        sys.exit(f"the batch ended with exit code {process.returncode}")
    return took, after.children_user + after.children_system - before.children_user - before.children_system, peak_mb


def main() -> None:
    """Convert the files twice and print speed and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1000, help="short clips of 1 to 8 s (default: 1000)")
    parser.add_argument(
        "--long-s", type=int, default=7200, help="seconds of the long recording, 0 for none (default: 7200)"
    )
    parser.add_argument("--jobs", type=int, help="sounds at a time (default: one for each core)")
    parser.add_argument("--engine", default="local", help="local or ray (default: local)")
    parser.add_argument("--report", action="store_true", help="also measure lips and write a report")
    parser.add_argument("--folder", type=Path, help="where sounds and takes go (default: a temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as made:
        folder = Path(made)
        sound_s = make(folder / "in", chosen.clips, chosen.long_s)
        command = [sys.executable, "-m", "livelink_bridge", "convert", str(folder / "in"), "-o", str(folder / "out")]
        command += ["--engine", chosen.engine]
        command += ["--jobs", str(chosen.jobs)] * (chosen.jobs is not None) + [
            "--report",
            str(folder / "report.html"),
        ] * chosen.report
        took_s, processor_s, peak_mb = run(command)
        again_s, _, _ = run(command)
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python "
        f"{platform.python_version()}"
    )
    print(f"{sound_s:.0f} s of audio in {took_s:.1f} s: {sound_s / took_s:.0f} x real time (bar {BAR_RATE})")
    print(f"{processor_s:.1f} s of processor time: {sound_s / processor_s:.0f} s of audio in each")
    print(f"peak memory {peak_mb:.0f} MB (bar {BAR_MB}); run again with nothing to do: {again_s:.1f} s")


if __name__ == "__main__":
    main()
