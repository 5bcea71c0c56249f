"""How evenly packets leave while a model runs, and how long after their sound.

The whole live path runs: sound that arrives in real time in blocks of a quarter of a pose, the model, the sender, a real
socket. Another process receives, so that taking the time does not disturb what is timed.

    python benchmarks/bench_pacing.py --seconds 60 --model pmmtalk-live
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from livelink_bridge.clock import MonotonicClock
from livelink_bridge.face import Face
from livelink_bridge.frames import AudioBlock
from livelink_bridge.pipeline import Outputs, follow, open_sinks, warm_up
from livelink_bridge.testing import LoudnessModel
from models.base import SpeechToFace

RATE_HZ = 48000
BLOCK = RATE_HZ // 240
RECEIVE_TIMEOUT_S = 3.0


class PacedVoice:
    """Syllables of noise, handed over block by block as a microphone would."""

    name = "syllables"
    live = True
    sample_rate = RATE_HZ
    duration_s = None
    overflows = 0
    dropped = 0

    def __init__(self) -> None:
        self._clock = MonotonicClock()
        self._stop = threading.Event()
        at_s = np.arange(10 * RATE_HZ) / RATE_HZ
        syllables = np.clip(np.sin(2 * np.pi * 2.5 * at_s), 0, None)
        self._voice = (0.2 * syllables * np.random.default_rng(0).standard_normal(len(at_s))).astype(np.float32)

    def blocks(self) -> Iterator[AudioBlock]:
        opened_s, start = self._clock.now(), 0
        while True:
            due_s = opened_s + (start + BLOCK) / RATE_HZ
            if not self._clock.wait_until(due_s, self._stop):
                return
            at = start % len(self._voice)
            yield AudioBlock(self._voice[at : at + BLOCK], RATE_HZ, start, due_s)
            start += BLOCK

    def close(self) -> None:
        self._stop.set()


def receive(port_file: str, out: str) -> None:
    """The other process: stamp datagrams until none comes."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    Path(port_file).write_text(str(receiver.getsockname()[1]), encoding="ascii")
    receiver.settimeout(60)
    times_s = []
    try:
        while True:
            receiver.recv(2000)
            times_s.append(time.perf_counter())
            receiver.settimeout(RECEIVE_TIMEOUT_S)
    except TimeoutError:
        np.save(out, np.array(times_s))


def load(name: str) -> SpeechToFace:
    if name == "loudness":
        return LoudnessModel()
    from models.loading import load_model

    return load_model(name, device="cpu")


def report(times_s: np.ndarray, fps: int) -> None:
    intervals_ms = 1000 * np.diff(times_s)
    nominal_ms = 1000 / fps
    numbers = np.round((times_s - times_s[0]) * fps)
    slope, intercept = np.polyfit(numbers, times_s, 1)
    errors_ms = 1000 * np.abs(times_s - (slope * numbers + intercept))
    uneven_ms = np.abs(intervals_ms - nominal_ms)
    print(f"packets            {len(times_s)}")
    print(f"rate               {(len(times_s) - 1) / (times_s[-1] - times_s[0]):.3f} fps")
    print(f"interval sd        {intervals_ms.std():.3f} ms")
    print(f"interval error     p99 {np.percentile(uneven_ms, 99):.3f} ms, max {uneven_ms.max():.3f} ms")
    print(f"deadline error     p99 {np.percentile(errors_ms, 99):.3f} ms, max {errors_ms.max():.3f} ms")
    print(f"drift              {1e6 * (slope * fps - 1):+.1f} ppm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to send (default 60)")
    parser.add_argument("--model", default="loudness", help="'loudness', a stand-in without weights (default), or a model's name")
    parser.add_argument("--fps", type=int, default=60, help="packets a second (default 60)")
    parser.add_argument("--receive", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        receive(*arguments.receive)
        return
    model = load(arguments.model)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LIVELINK_BRIDGE_HOME"] = folder
        port_file, out = Path(folder, "port"), Path(folder, "times.npy")
        receiver = subprocess.Popen([sys.executable, __file__, "--receive", str(port_file), str(out)])
        while not port_file.exists() or not port_file.read_text(encoding="ascii"):
            time.sleep(0.02)
        outputs = Outputs((f"livelink://127.0.0.1:{port_file.read_text(encoding='ascii')}",), "Bench", Fraction(arguments.fps))
        stop = threading.Event()
        threading.Timer(arguments.seconds, stop.set).start()
        warm_up(model)
        with open_sinks(outputs) as sinks:
            summary = follow(PacedVoice(), model, Face(), outputs, sinks, clock=MonotonicClock(), stop=stop)
        receiver.wait(RECEIVE_TIMEOUT_S + 10)
        times_s = np.load(out)
    print(f"machine            {platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    print(f"model              {model.name}: {summary.step_ms:.2f} ms a pose, p99 {summary.step_p99_ms:.2f} ms")
    report(times_s, arguments.fps)
    print(f"sound to packet    median {summary.delay_ms:.1f} ms, p99 {summary.delay_p99_ms:.1f} ms")
    print(f"held               {summary.held} ticks; {summary.dropped} dropped, {summary.late_ticks} ticks left out")


if __name__ == "__main__":
    main()
